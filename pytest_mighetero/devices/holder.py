"""Who took a lease: what its file tells others, and what of that can be believed.

Anybody may write anything into a file that all users share: what is read from one is
bounded, and shown as printable text.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pytest_mighetero.terms.printable import printable_line

_MOST = 200  # characters of each text that are told
_MOST_BYTES = 8192  # of a lease that are read
_MAX_PID = 2**22


@dataclass(frozen=True)
class Holder:
    """Who took a lease last.

    Attributes:
        pid: of the pytest process, in its own container.
        since: local time with its offset, to the second.
        test: what it runs.
        machine: where its pid counts: boot id and pid namespace; empty if unknown.
        started: when it started, in clock ticks since the boot; 0 if unknown.
        shared: whether it leaves room for others that share the lease.
    """

    pid: int
    user: str
    host: str
    since: str
    test: str
    machine: str = ""
    started: int = 0
    shared: bool = False

    def __str__(self) -> str:
        ended = ""
        if self._ended():
            ended = ", which has ended and left a harness behind"
            if self.shared:
                ended = ", which has ended, but not all who share it"
        told = (self.user, self.host, self.since, self.test)
        user, host, since, test = map(shown, told)
        return f"pid {self.pid} of {user} on {host} since {since} ({test}){ended}"

    def _ended(self) -> bool:
        """Tell whether it has surely ended: never of one in another pid namespace."""
        if not self.machine or self.machine != _machine():
            return False
        try:
            os.kill(self.pid, 0)  # /proc may hide other users' processes
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        started = _started(self.pid)
        return None not in (started, self.started or None) and started != self.started

    def to_bytes(self) -> bytes:
        """Return it as a lease's file has it."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()


def myself(test: str) -> Holder:
    """Return this process as the holder that runs *test*."""
    since = time.strftime("%Y-%m-%d %H:%M:%S %z")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"uid {os.getuid()}"
    pid, host = os.getpid(), socket.gethostname()
    started = _started("self") or 0
    return Holder(
        pid, shown(user), shown(host), since, shown(test), _machine(), started
    )


def left_in(fd: int) -> bytes:
    """Return what a lease's file says, as far as a holder writes any."""
    try:
        return os.pread(fd, _MOST_BYTES, 0)
    except OSError:
        return b""


def said_by(raw: bytes) -> str:
    """Say who the holder is that left *raw* in its lease's file."""
    if not raw.strip(b"\0 \n"):
        return "somebody"  # who is about to write its name
    try:
        return str(_holder(json.loads(raw)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return f"somebody (who left the text {shown(raw.decode(errors='replace'))!r})"


def shown(text: str) -> str:
    """Return *text* with nothing in it that a terminal obeys, and not all too long."""
    cut = printable_line(text[: _MOST + 1])
    return cut if len(cut) <= _MOST else f"{cut[: _MOST - 3]}..."


def _holder(said: Any) -> Holder:
    found = {each.name: said.get(each.name, each.default) for each in fields(Holder)}
    # A bool is an int to isinstance.
    if any(type(found[each.name]).__name__ != each.type for each in fields(Holder)):
        raise TypeError
    if not 0 < found["pid"] <= _MAX_PID:
        raise ValueError
    return Holder(**found)


def _machine() -> str:
    """Return where this process's pid counts."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _started(pid: int | str) -> int | None:
    """Return when a process started; -1 if it has ended, None if that is not seen."""
    try:
        # Another pid namespace's /proc would show another process.
        if str(Path("/proc/self").readlink()) != str(os.getpid()):
            return None
        stat = Path("/proc", str(pid), "stat").read_bytes()
    except OSError:
        return None
    words = stat.rpartition(b")")[2].split()
    return -1 if words[0] in b"ZX" else int(words[19])
