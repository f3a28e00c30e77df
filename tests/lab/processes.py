"""Looking at processes."""

from __future__ import annotations

import os
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
    needle, found = os.fsencode(folder), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (
                    entry / "environ"
                ).read_bytes()
            except OSError:
                continue
            if needle + b"/results" in text and alive(int(entry.name)):
                found.append(int(entry.name))
    return found


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
