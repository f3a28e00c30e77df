"""Looking at processes."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def alive(pid: int) -> bool:
    """Tell whether *pid* is there and no zombie, which only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] not in b"ZX"


def in_the_run(folder: Path) -> list[int]:
    """Return the processes that have *folder* in their command line or environment."""
    needle, own = os.fsencode(folder) + b"/results", str(os.getpid())
    return [
        int(pid)
        for pid in os.listdir("/proc")  # noqa: PTH208 - this is asked often
        if pid.isdigit() and pid != own and mentions(pid, needle) and alive(int(pid))
    ]


def mentions(pid: str, needle: bytes) -> bool:
    """Tell whether *pid* has *needle* in its command line or environment."""
    for name in ("environ", "cmdline"):
        try:
            with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
                if needle in file.read():
                    return True
        except OSError:
            return False
    return False


def parent(pid: int) -> int:
    """Return the parent of *pid*; 0 if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(stat.rpartition(b")")[2].split()[1])


def wait_for_end(pids: list[int], seconds: float) -> None:
    """Wait until all of *pids* have ended, for *seconds* at most."""
    limit = time.monotonic() + seconds
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            select.select([fd], [], [], max(0.0, limit - time.monotonic()))
        finally:
            os.close(fd)


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for *condition*, and fail if it does not come true in time."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"nothing happened for {seconds} s"
        time.sleep(0.02)


def below(guard: int) -> list[int]:
    """Return the processes that *guard* started, and theirs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and alive(int(entry.name)):
            with suppress(OSError):  # it is over
                stat = (entry / "stat").read_bytes().rpartition(b")")[2]
                parents[int(entry.name)] = int(stat.split()[1])
    found = [guard]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]
