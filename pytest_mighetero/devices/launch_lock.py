"""The launches in a harness folder: who may make which, on this node and on others.

A node's leases are its own, a harness folder may be several nodes'. So a run in a
Slurm job takes the same locks in that folder, too: those of NFS (since Linux 2.6.12,
flock(2)) and of Lustre mounted with ``flock`` (mount.lustre(8)) all nodes see. Those of
a process end with it; those of a node that is gone the server takes back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.devices.mount import locks_end_here
from pytest_mighetero.devices.queue import Queue
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.pair import Pair

_FOLDER = "harness folder"
SHARED = ".mighetero-launches"  # in it, the leases of all nodes
# Beside those of pairs. The second is held by the audit that is next: there would
# always be launches before it else.
_ALL, _NEXT = "", "-next"


@dataclass(frozen=True)
class _Lock:
    """Leases of the same names, each with the first word of its names."""

    leases: tuple[tuple[Lease, str], ...]

    def give_back(self, name: str) -> None:
        for lease, first in self.leases:
            lease.give_back(first + name)

    def close(self) -> None:
        for lease, _ in self.leases:
            lease.close()


class FolderLock:
    """The launches that a run may make in its harness folder.

    The real harness (v1.0 to v4.1) writes a user.conf for its benchmark and scenario
    into its folder at each launch, and deletes an audit's audit.config; LoadGen reads
    both when its test starts. Until a launch has issued its first query, nobody else
    may launch the same pair there, and during an audit nobody else anything: its lease
    has no names by pair that could be given back one by one.
    """

    def __init__(self, lock: _Lock, pairs: Iterable[Pair]):
        self._lock, self._pairs = lock, set(pairs)

    def issues(self, pair: Pair) -> None:
        """Let others launch *pair*: our launch of it issues queries, or never will."""
        if pair in self._pairs:
            self._pairs.remove(pair)
            self._lock.give_back(f"-{pair}")
            if not self._pairs:
                self.close()

    def close(self) -> None:
        """Let others launch whatever they like."""
        self._lock.close()


def lock_folder(
    queue: Queue, harness_dir: Path, pairs: Iterable[Pair], *, whole: bool
) -> FolderLock:
    """Wait until no other run's launch in *harness_dir* could mix with ours.

    Raises:
        DeviceError: it did not become free in time, or the locks cannot be used.
    """
    pairs = frozenset(pairs)
    places = lock_places(queue.folder, harness_dir)
    names = [_ALL, *(f"-{pair}" for pair in pairs)]

    def lock(*more: str, shared: Sequence[str] = ()) -> _Lock | str:
        got = _take(queue, places, [*names, *more], shared)
        return got if isinstance(got, _Lock) else f"{harness_dir} is used by {got}"

    if not whole:
        both = queue.until(lambda: lock(_NEXT, shared=(_ALL, _NEXT)), _FOLDER)
        both.give_back(_NEXT)
        return FolderLock(both, pairs)
    turn = queue.until(lambda: _take(queue, places, [_NEXT]), _FOLDER)
    try:
        return FolderLock(queue.until(lock, _FOLDER), ())
    finally:
        turn.close()


def lock_places(lease_dir: Path, harness_dir: Path) -> list[tuple[Path, str]]:
    """Return the lease folders that have locks of *harness_dir*, and their first words.

    Raises:
        DeviceError: in Slurm, other nodes would not see those in *harness_dir*.
    """
    status = harness_dir.stat()
    # Two paths to it, in two containers perhaps, are one folder.
    own = lease_dir, f"harness-{status.st_dev:x}-{status.st_ino:x}"
    if "SLURM_JOB_ID" not in os.environ:
        return [own]
    if why := locks_end_here(status.st_dev):
        raise _apart(harness_dir, why)
    # The node's leases are its own, and so is its number for the file system.
    return [own, (harness_dir / SHARED, "harness")]


def _take(
    queue: Queue,
    places: Sequence[tuple[Path, str]],
    names: Sequence[str],
    shared: Sequence[str] = (),
) -> _Lock | str:
    """Lock all of *names* in all *places* or nothing; don't wait."""
    with ExitStack() as undo:
        taken = []
        for folder, first in places:
            own = folder == queue.folder
            here = queue if own else replace(queue, folder=folder, folder_by="")
            try:
                lease = here.take(*([first + n for n in s] for s in (names, shared)))
            except DeviceError as error:
                if own:
                    raise
                raise _apart(folder.parent, str(error).partition(";")[0]) from error
            if isinstance(lease, str):
                return lease
            undo.callback(lease.close)
            taken.append((lease, first))
        undo.pop_all()
        return _Lock(tuple(taken))


def _apart(harness_dir: Path, why: str) -> DeviceError:
    return DeviceError(
        f"Launches on other nodes cannot be kept out of the harness folder "
        f"{harness_dir}, whose user.conf they write over: {why}. In a Slurm job, "
        f"expected a file system whose locks all nodes see (NFS without local_lock or "
        f"nolock, Lustre with flock), or a copy of the folder on the node's own disk "
        f"(--mig-harness-dir)."
    )
