"""The folder of the leases and its files, where other users may have been first.

By default it stands in a temporary folder into which anybody may put anything under any
name. So it is opened from the root down, name by name; no symbolic link is followed
that another user put where everybody may, none at all within it; and what has been
opened is checked, not what a path leads to by then.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.errors import DeviceError

_MODE, _FILE_MODE = 0o1777, 0o666
_LINKS = 40  # as many as the kernel follows
_TRIES = 100  # while somebody else makes or deletes the same
_REPLACED = "it is replaced again and again"
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class LeaseFolder:
    """The folder of the leases, open.

    Attributes:
        where: its path without symbolic links.
        for_all: whether every user may make files in it.
    """

    path: Path
    where: str
    for_all: bool
    _fd: int

    def status(self, name: str) -> os.stat_result | None:
        """Return what is called *name* in it, or None."""
        try:
            return os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open(self, name: str) -> int | None:
        """Open the file *name* to read it; return None where there is none.

        Raises:
            OSError: it cannot be opened.
            DeviceError: it is not what we would have made.
        """
        for _ in range(_TRIES):
            if (found := self.status(name)) is None:
                return None
            if (fd := self._opened(name, found, os.O_RDONLY)) is not None:
                return fd
        raise refused("", self.path / name, _REPLACED)

    def make(self, name: str) -> int:
        """Open the file *name* to write it; make it, for all users, if there is none.

        Raises:
            FileNotFoundError: the folder itself has been deleted.
            OSError: it cannot be opened or made.
            DeviceError: it is not what we would have made.
        """
        for _ in range(_TRIES):
            if (found := self.status(name)) is None:
                # The kernel lets nobody open a file with O_CREAT that another user has
                # made in a folder that all may write to (fs.protected_regular).
                with suppress(FileExistsError):
                    return self._made(name)
            elif (fd := self._opened(name, found, os.O_RDWR)) is not None:
                return fd
        raise refused("", self.path / name, _REPLACED)

    def _opened(self, name: str, found: os.stat_result, flags: int) -> int | None:
        self._check(name, found)  # first: a device may act on being opened
        with suppress(FileNotFoundError):
            fd = os.open(name, flags | _PLAIN, dir_fd=self._fd)
            if os.path.samestat(found, os.fstat(fd)):
                return fd
            os.close(fd)
        return None

    def _made(self, name: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _PLAIN
        with _no_umask():
            fd = os.open(name, flags, _FILE_MODE, dir_fd=self._fd)
        with ExitStack() as undo:
            undo.callback(os.close, fd)
            os.fchmod(fd, _FILE_MODE)  # a default ACL may have taken some of it
            undo.pop_all()
            return fd

    def _check(self, name: str, status: os.stat_result) -> None:
        mode, problem = stat.S_IMODE(status.st_mode), None
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "of another kind")
            problem = f"it is {kind} of uid {status.st_uid}, expected a regular file"
        elif status.st_nlink > 1:
            problem = f"it is a file with {status.st_nlink} names, expected one"
        elif self.for_all and not _is_ours(status) and mode & _FILE_MODE != _FILE_MODE:
            problem = (
                f"uid {status.st_uid} has put a file of its own there "
                f"(mode {mode:04o}, expected {_FILE_MODE:04o})"
            )
        if problem:
            raise refused("", self.path / name, problem)


@contextmanager
def lease_folder(path: Path, *, make: bool = True) -> Iterator[LeaseFolder]:
    """Open the folder of the leases, made for all users if there is none.

    Raises:
        FileNotFoundError: there is none, and it is not to be made.
        OSError: it cannot be opened or made.
        DeviceError: it is not what we would have made.
    """
    fd, parent = _walk(path, make=make)
    try:
        status = os.fstat(fd)
        if problem := _folder_problem(status, parent):
            raise refused("folder", path, problem)
        where = os.path.realpath(path)
        with suppress(OSError):
            where = str(Path(f"/proc/self/fd/{fd}").readlink())
        yield LeaseFolder(path, where, bool(status.st_mode & stat.S_IWOTH), fd)
    finally:
        os.close(fd)


def refused(what: str, path: Path, problem: str) -> DeviceError:
    """Return the error that a lease, or their folder, is not used for a *problem*."""
    name = " ".join(filter(None, ["The lease", what]))
    return DeviceError(
        f"{name} {path} cannot be opened: {problem}; have it removed, or name a folder "
        f"that all users of the GPU may write to and no other user can replace, with "
        f"--mig-lease-dir."
    )


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())


def _folder_problem(status: os.stat_result, parent: os.stat_result) -> str | None:
    """Say why we would not have made such a folder there, or None."""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISDIR(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a file")
        return f"it is {kind} of uid {status.st_uid}, expected a folder"
    for_all = mode & stat.S_IWOTH
    if for_all and not mode & stat.S_ISVTX:
        return (
            f"everybody may delete what is in it (mode {mode:04o}, expected "
            f"{_MODE:04o}: chmod +t it, or name a new folder in it)"
        )
    # Where not everybody may make a folder, whoever made this one was entrusted to.
    entrusted = _is_ours(status) or not parent.st_mode & stat.S_IWOTH
    groups = {os.getegid(), *os.getgroups()} if mode & stat.S_IWGRP else ()
    if entrusted or for_all or status.st_gid in groups:
        return None
    return (
        f"uid {status.st_uid} has made it, and not for all users (mode {mode:04o}, "
        f"expected {_MODE:04o})"
    )


def _walk(path: Path, *, make: bool) -> tuple[int, os.stat_result]:
    """Open *path* step by step; return it, and what its parent is."""
    steps, links = list(reversed(path.parts)), 0
    with ExitStack() as done:
        at = _look(done, "/", None)
        parent = os.fstat(at)
        while steps:
            name = steps.pop()
            try:
                there = _look(done, name, at)
            except FileNotFoundError:
                if not make:
                    raise
                _make_folder(name, at, for_all=not steps)
                there = _look(done, name, at)
            parent, status = os.fstat(at), os.fstat(there)
            if not stat.S_ISLNK(status.st_mode):
                at = there
                continue
            links += 1
            if links > _LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            if parent.st_mode & stat.S_IWOTH and not _is_ours(status):
                whose = f"uid {status.st_uid} has put a symbolic link there"
                raise refused("folder", path, f"{whose} ({name})")
            steps += reversed(Path(os.readlink("", dir_fd=there)).parts)
        return os.dup(at), parent


def _look(done: ExitStack, name: str, at: int | None) -> int:
    """Open what is called *name*, itself, without an effect on it, until *done*."""
    try:  # O_DIRECTORY has autofs mount what it can
        fd = os.open(name, _LOOK | os.O_DIRECTORY, dir_fd=at)
    except NotADirectoryError:
        fd = os.open(name, _LOOK, dir_fd=at)
    done.callback(os.close, fd)
    return fd


def _make_folder(name: str, at: int, *, for_all: bool) -> None:
    with suppress(FileExistsError), ExitStack() as done:
        if not for_all:
            os.mkdir(name, dir_fd=at)
            return
        with _no_umask():
            os.mkdir(name, _MODE, dir_fd=at)
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _PLAIN, dir_fd=at)
        done.callback(os.close, folder)
        if os.fstat(folder).st_uid == os.geteuid():
            os.fchmod(folder, _MODE)  # a default ACL may have taken some of it


@contextmanager
def _no_umask() -> Iterator[None]:
    """Have what is made be for all users from the first moment: others look at once."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)
