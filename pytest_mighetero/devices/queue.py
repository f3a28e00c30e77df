"""Waiting for what nobody else may use meanwhile: a GPU, a harness folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease, myself, take
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.units import format_duration

_POLL_S = 0.2
_FOLDER = "harness folder"

T = TypeVar("T")

# Told again and again who is in the way.
Waits = Callable[[str], None]


@dataclass(frozen=True)
class Queue:
    """Where a test waits, and for how long; others are told its name."""

    folder: Path
    timeout: float
    test: str
    waits: Waits

    def take(self, names: Sequence[str], shared: Sequence[str] = ()) -> Lease | str:
        """Lease all of *names*, or say who is in the way."""
        return take(self.folder, names, myself(self.test), shared)

    def until(self, attempt: Callable[[], T | str], what: str) -> T:
        """Return what *attempt* gets; a text says who is in the way.

        Raises:
            DeviceError: it got nothing in time.
        """
        deadline = time.monotonic() + self.timeout
        while isinstance(got := attempt(), str):
            if time.monotonic() >= deadline:
                within = f"{format_duration(self.timeout)} (--mig-lease-timeout)"
                raise DeviceError(f"No {what} became free within {within}: {got}.")
            self.waits(f"waits for a {what}: {got}")
            time.sleep(_POLL_S)
        return got


def lease_gpu(queue: Queue, gpus: Sequence[Gpu]) -> tuple[Gpu, Lease]:
    """Lease the first of *gpus*, the best first, that is free, or becomes so.

    Raises:
        DeviceError: none became free in time, or the leases cannot be used.
    """

    def attempt() -> tuple[Gpu, Lease] | str:
        used = []
        for gpu in gpus:
            lease = queue.take(gpu.lease_names)
            if isinstance(lease, Lease):
                return gpu, lease
            used.append(f"{gpu} is used by {lease}")
        return "; ".join(used)

    return queue.until(attempt, "GPU")


class FolderLock:
    """The launches that a run may make in its harness folder.

    The real harness (v1.0 to v4.1) writes a user.conf for its benchmark and scenario
    into its folder at each launch, and deletes an audit's audit.config; LoadGen reads
    both when its test starts. Until a launch has issued its first query, nobody else
    may launch the same pair there, and during an audit nobody else anything: its lease
    has no names by pair that could be given back one by one.
    """

    def __init__(self, lease: Lease, names: dict[Pair, str]):
        self._lease, self._names = lease, names

    def issues(self, pair: Pair) -> None:
        """Let others launch *pair*: our launch of it issues queries, or never will."""
        if (name := self._names.pop(pair, None)) is not None:
            self._lease.give_back(name)
            if not self._names:
                self.close()

    def close(self) -> None:
        """Let others launch whatever they like."""
        self._lease.close()


def lock_folder(
    queue: Queue, harness_dir: Path, pairs: Iterable[Pair], *, whole: bool
) -> FolderLock:
    """Wait until no other run's launch in *harness_dir* could mix with ours.

    Raises:
        DeviceError: it did not become free in time, or the locks cannot be used.
    """
    status = harness_dir.stat()
    # Two paths to it, in two containers perhaps, are one folder.
    folder = f"harness-{status.st_dev:x}-{status.st_ino:x}"
    names = {pair: f"{folder}-{pair}" for pair in pairs}
    # Held by the audit that is next: there would always be launches before it else.
    gate = f"{folder}-next"

    def lock(*more: str, shared: Sequence[str] = ()) -> Lease | str:
        lease = queue.take((folder, *names.values(), *more), shared)
        used = f"{harness_dir} is used by {lease}"
        return lease if isinstance(lease, Lease) else used

    if not whole:
        lease = queue.until(lambda: lock(gate, shared=(folder, gate)), _FOLDER)
        lease.give_back(gate)
        return FolderLock(lease, names)
    turn = queue.until(lambda: queue.take([gate]), _FOLDER)
    try:
        return FolderLock(queue.until(lock, _FOLDER), {})
    finally:
        turn.close()
