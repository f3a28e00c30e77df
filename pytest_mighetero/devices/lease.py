"""Leases: no two runs use the same thing at once, on whichever side of a container.

A lease is a ``flock`` on a file. The kernel gives it back when the last process that
has the file open is gone. That of a GPU every harness of a run inherits: an orphan that
still uses the GPU still holds its lease. Who deletes the file deletes no lease: a
witness stays (``devices.witness``), and the holder makes the file anew.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from pytest_mighetero.devices import witness
from pytest_mighetero.devices.holder import Holder, left_in, myself, said_by
from pytest_mighetero.devices.lease_folder import lease_folder, refused
from pytest_mighetero.errors import DeviceError

__all__ = ["Holder", "Lease", "holder_of", "myself", "take"]

_TRIES = 100  # while somebody else deletes the file


class Lease:
    """What is this run's alone, until ``close`` and the end of all who inherit it."""

    def __init__(self, folder: Path, holder: Holder, said_by: str = "") -> None:
        self._folder, self._holder, self._said_by = folder, holder, said_by
        self._held: dict[str, list[int]] = {}  # the witness first, the newest file last

    def hold(self, file: str, *fds: int) -> None:
        """Hold *file*, too, by its witness and by itself, locked."""
        self._held.setdefault(file, []).extend(fds)

    def sign(self, file: str, *, shared: bool = False) -> None:
        """Write the holder into *file*."""
        fd = self._held[file][-1]
        with suppress(OSError):  # a full disk
            os.ftruncate(fd, 0)
            os.pwrite(fd, replace(self._holder, shared=shared).to_bytes(), 0)

    @property
    def fds(self) -> tuple[int, ...]:
        """The file descriptors that a harness inherits which is to hold it as well."""
        return tuple(fd for fds in self._held.values() for fd in fds)

    def renew(self) -> tuple[Path, ...]:
        """Make those of its files anew, and return them, that somebody has deleted.

        Raises:
            DeviceError: somebody else has leased the same since, or the folder cannot
                be used any more.
        """
        newest = {file: fds[-1] for file, fds in self._held.items()}
        with naming(self._said_by):
            lost = _lost(self._folder, newest)
            return tuple(self._folder / file for file in lost if self._renew(file))

    def _renew(self, file: str) -> bool:
        path = self._folder / file
        try:
            with _usable(path, "made anew"), lease_folder(self._folder) as folder:
                fd = folder.make(file)
        except FileNotFoundError:  # they still delete the folder: make it later
            return False
        with ExitStack() as undo:
            undo.callback(os.close, fd)
            free = _locked(fd, path, fcntl.LOCK_EX)
            if left := left_in(fd):  # only who holds all of a lease writes into it
                raise DeviceError(
                    f"The lease {path} was deleted while this run held it, and "
                    f"{said_by(left)} has leased the same since; expected to be alone "
                    f"on the GPU: what is measured proves nothing. Let nobody clean "
                    f"the folder while runs are under way, or name another one with "
                    f"--mig-lease-dir."
                )
            if free:  # else somebody looks whether it is: ask again later
                undo.pop_all()
                self.hold(file, fd)
                self.sign(file)
        return free

    def give_back(self, name: str) -> None:
        """Give *name* back, as far as this process is concerned."""
        file = _file(name)
        while self._held[file]:
            os.close(self._held[file].pop())
        del self._held[file]

    def close(self) -> None:
        """Give all of it back, as far as this process is concerned.

        An interrupt may come in between: what is closed is not closed once more.
        """
        for fds in self._held.values():
            while fds:
                os.close(fds.pop())
        self._held.clear()


def take(
    folder: Path,
    names: Sequence[str],
    holder: Holder,
    shared: Sequence[str] = (),
    said_by: str = "",
) -> Lease | str:
    """Lease everything in *names* or nothing, or say who is in the way; don't wait.

    Those that are *shared* others may share who want them shared, too. Messages name
    who says which *folder*.

    Raises:
        DeviceError: the folder or a file in it cannot be used.
    """
    files = {_file(name): name in shared for name in sorted(names)}
    with naming(said_by), ExitStack() as undo:
        lease = Lease(folder, holder, said_by)
        undo.callback(lease.close)
        for file, for_others in files.items():
            got = _hold(folder, file, shared=for_others)
            if isinstance(got, str):
                return got
            lease.hold(file, *got)
        for file, for_others in files.items():
            lease.sign(file, shared=for_others)
        undo.pop_all()
        return lease


def holder_of(folder: Path, names: Sequence[str], said_by: str = "") -> str | None:
    """Say who holds one of *names*, or None where all are free.

    Raises:
        DeviceError: the folder or a file in it cannot be used.
    """
    holders = (_holder_of(folder, file) for file in dict.fromkeys(map(_file, names)))
    with naming(said_by):
        return next(filter(None, holders), None)


@contextmanager
def naming(said_by: str) -> Iterator[None]:
    """Have an error begin with who says which folder it is, if anybody does."""
    try:
        yield
    except DeviceError as error:
        if not said_by:
            raise
        raise DeviceError(f"{said_by}: {error}") from error


def _holder_of(folder: Path, file: str) -> str | None:
    path, where = folder / file, os.path.realpath(folder)
    with ExitStack() as done:
        fd = None
        with suppress(FileNotFoundError), _usable(path, "opened"):
            opened = done.enter_context(lease_folder(folder, make=False))
            where, fd = opened.where, opened.open(file)
        if fd is not None:
            done.callback(os.close, fd)
            if not _locked(fd, path, fcntl.LOCK_SH):
                return said_by(left_in(fd))
    return witness.against(witness.about(where, file), shared=True)


def _hold(folder: Path, file: str, *, shared: bool) -> tuple[int, ...] | str:
    """Return the witness and the locked file by which *file* is held, or by whom."""
    path, gone = folder / file, None
    for _ in range(_TRIES):
        try:
            with _usable(path, "opened"), lease_folder(folder) as opened:
                where, fd = opened.where, opened.make(file)
        except FileNotFoundError as error:  # the folder was deleted just then
            gone = error
            continue
        with ExitStack() as undo:
            undo.callback(os.close, fd)
            if not _locked(fd, path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
                return said_by(left_in(fd))
            if _lost(folder, {file: fd}):
                continue
            borne = witness.bear(witness.about(where, file), shared=shared)
            if isinstance(borne, str):
                return borne
            undo.pop_all()
            return *borne, fd
    if gone is not None:
        raise _unusable(path, "opened", gone) from gone
    raise refused("", path, "it is deleted again and again")


def _locked(fd: int, path: Path, how: int) -> bool:
    """Lock a file without waiting; tell whether that was possible.

    Raises:
        DeviceError: its file system knows no locks.
    """
    with suppress(BlockingIOError), _usable(path, "locked"):
        fcntl.flock(fd, how | fcntl.LOCK_NB)
        return True
    return False


def _lost(folder: Path, held: Mapping[str, int]) -> list[str]:
    """Return which files, by name, are not any more those that are open."""
    found: dict[str, os.stat_result | None] = {}
    with (
        suppress(FileNotFoundError),
        _usable(folder, "found"),
        lease_folder(folder, make=False) as opened,
    ):
        found = {file: opened.status(file) for file in held}
    return [
        file
        for file, fd in held.items()
        if not (status := found.get(file)) or not os.path.samestat(status, os.fstat(fd))
    ]


def _file(name: str) -> str:
    """Return the file of *name*, which is that of no other name."""
    plain = re.sub("[^A-Za-z0-9._-]", "_", name)
    if plain != name:
        plain += f".{blake2b(name.encode(errors='replace'), digest_size=4).hexdigest()}"
    return f"{plain}.lease"


@contextmanager
def _usable(path: Path, how: str) -> Iterator[None]:
    """Say of which lease an error is; two kinds mean something to the caller."""
    try:
        yield
    except (FileNotFoundError, BlockingIOError):
        raise
    except OSError as error:
        raise _unusable(path, how, error) from error


def _unusable(path: Path, how: str, error: OSError) -> DeviceError:
    return DeviceError(
        f"The lease {path} cannot be {how}: {error.strerror}; name a folder that all "
        f"users of the GPU may write to, and whose files can be locked, with "
        f"--mig-lease-dir."
    )
