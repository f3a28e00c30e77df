"""Leases: no two runs use the same thing at once, on whichever side of a container.

A lease is a ``flock`` on a file. The kernel gives it back when the last process that
has the file open is gone. That of a GPU every harness of a run inherits: an orphan that
still uses the GPU still holds its lease.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import re
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pytest_mighetero.errors import DeviceError


@dataclass(frozen=True)
class Holder:
    """Who took a lease last.

    Attributes:
        pid: of the pytest process, in its own container.
        user, host: whose, and where.
        since: local time with its offset, to the second.
        test: what it runs.
    """

    pid: int
    user: str
    host: str
    since: str
    test: str

    def __str__(self) -> str:
        here = self.host == socket.gethostname()
        gone = here and not Path(f"/proc/{self.pid}").exists()
        orphan = ", which has ended and left a harness behind" if gone else ""
        return (
            f"pid {self.pid} of {self.user} on {self.host} since {self.since} "
            f"({self.test}){orphan}"
        )


def myself(test: str) -> Holder:
    """Return this process as the holder that runs *test*."""
    since = time.strftime("%Y-%m-%d %H:%M:%S %z")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"uid {os.getuid()}"
    return Holder(os.getpid(), user, socket.gethostname(), since, test)


class Lease:
    """What is this run's alone, until ``close`` and the end of all who inherit it."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def hold(self, name: str, fd: int) -> None:
        """Hold *name*, too, by its locked file."""
        self._held[name] = fd

    @property
    def fds(self) -> tuple[int, ...]:
        """The file descriptors that a harness inherits which is to hold it as well."""
        return tuple(self._held.values())

    def give_back(self, name: str) -> None:
        """Give *name* back, as far as this process is concerned."""
        os.close(self._held.pop(name))

    def close(self) -> None:
        """Give all of it back, as far as this process is concerned."""
        for name in tuple(self._held):
            self.give_back(name)


def take(
    folder: Path, names: Sequence[str], holder: Holder, shared: Sequence[str] = ()
) -> Lease | str:
    """Lease everything in *names* or nothing, without waiting.

    Args:
        folder: of the leases.
        names: what is leased.
        holder: who leases it, to tell others.
        shared: those of *names* that others may share who want them shared, too.

    Returns:
        The lease, or who is in the way.

    Raises:
        DeviceError: the folder or a file in it cannot be used.
    """
    with ExitStack() as undo:
        lease = Lease()
        undo.callback(lease.close)
        for name in sorted(names):
            lease.hold(name, fd := _open(folder, name))
            how = fcntl.LOCK_SH if name in shared else fcntl.LOCK_EX
            try:
                fcntl.flock(fd, how | fcntl.LOCK_NB)
            except BlockingIOError:
                return _said(fd)
            except OSError as error:
                raise _unusable(_file(folder, name), "locked", error) from error
        with suppress(OSError):  # a full disk
            for fd in lease.fds:
                os.ftruncate(fd, 0)
                os.pwrite(fd, json.dumps(asdict(holder)).encode(), 0)
        undo.pop_all()
        return lease


def holder_of(folder: Path, names: Sequence[str]) -> str | None:
    """Say who holds one of *names*, or None where all are free.

    Raises:
        DeviceError: the folder or a file in it cannot be used.
    """
    for name in names:
        if not _file(folder, name).exists():
            continue
        fd = _open(folder, name)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _said(fd)
        finally:
            os.close(fd)
    return None


def _said(fd: int) -> str:
    try:
        return str(Holder(**json.loads(os.pread(fd, 4096, 0))))
    except (ValueError, TypeError):  # it is about to write its name
        return "somebody"


def _file(folder: Path, name: str) -> Path:
    return folder / f"{re.sub('[^A-Za-z0-9.-]', '_', name)}.lease"


def _open(folder: Path, name: str) -> int:
    """Open the file of *name*, which whoever was first has made for all users.

    The kernel lets nobody create a file that another user has made already in a folder
    that all may write to (fs.protected_regular), so it is opened first.
    """
    path = _file(folder, name)
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o1777)
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            os.fchmod(fd, 0o666)
            return fd
    except OSError as error:
        raise _unusable(path, "opened", error) from error


def _unusable(path: Path, how: str, error: OSError) -> DeviceError:
    return DeviceError(
        f"The lease {path} cannot be {how}: {error.strerror}; name a folder that all "
        f"users of the GPU may write to, and whose files can be locked, with "
        f"--mig-lease-dir."
    )
