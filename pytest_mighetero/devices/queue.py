"""Waiting for what nobody else may use meanwhile: a GPU, a harness folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease, myself, take
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.units import format_duration

_POLL_S = 0.2
_FOLDER = "harness folder"

T = TypeVar("T")

# Told again and again who is in the way.
Waits = Callable[[str], None]


def lease_gpu(
    config: RunSpec, gpus: Sequence[Gpu], test: str, waits: Waits
) -> tuple[Gpu, Lease]:
    """Lease the first of *gpus* that is free, waiting for one if need be.

    Args:
        config: where the leases are and how long to wait.
        gpus: those that would do, the best first; at least one.
        test: what it is for, to tell others.
        waits: told who is in the way.

    Raises:
        DeviceError: none became free in time, or the leases cannot be used.
    """
    holder = myself(test)

    def attempt() -> tuple[Gpu, Lease] | str:
        used = []
        for gpu in gpus:
            lease = take(config.lease_dir, gpu.lease_names, holder)
            if isinstance(lease, Lease):
                return gpu, lease
            used.append(f"{gpu} is used by {lease}")
        return "; ".join(used)

    return _wait(config, attempt, "GPU", waits)


class FolderLock:
    """The launches that a run may make in its harness folder.

    The real harness (v1.0 to v4.1) writes a user.conf for its benchmark and scenario
    into its folder at each launch, and deletes an audit's audit.config; LoadGen reads
    both when its test starts. Until a launch has issued its first query, nobody else
    may launch the same pair there, and during an audit nobody else anything.

    Args:
        lease: what is held.
        names: of the lease, by pair.
        whole: whether an audit holds the whole folder until it is closed.
    """

    def __init__(self, lease: Lease, names: dict[Pair, str], *, whole: bool):
        self._lease, self._names, self._whole = lease, names, whole

    def issues(self, pair: Pair) -> None:
        """Let others launch *pair*: our launch of it issues queries, or never will."""
        if not self._whole and (name := self._names.pop(pair, None)) is not None:
            self._lease.give_back(name)
            if not self._names:
                self.close()

    def close(self) -> None:
        """Let others launch whatever they like."""
        self._lease.close()


def lock_folder(
    config: RunSpec, pairs: Iterable[Pair], *, whole: bool, test: str, waits: Waits
) -> FolderLock:
    """Wait until no other run's launch in the harness folder could mix with ours.

    Args:
        config: has the folder, where the locks are, and how long to wait.
        pairs: what is to be launched.
        whole: whether anything may be launched beside it.
        test: what it is for, to tell others.
        waits: told who is in the way.

    Raises:
        DeviceError: it did not become free in time, or the locks cannot be used.
    """
    status = config.harness_dir.stat()
    # Two paths to it, in two containers perhaps, are one folder.
    folder = f"harness-{status.st_dev:x}-{status.st_ino:x}"
    names = {pair: f"{folder}-{pair}" for pair in pairs}
    # Held by the audit that is next: there would always be launches before it else.
    gate = f"{folder}-next"
    holder = myself(test)

    def lock(*more: str, shared: Sequence[str]) -> Lease | str:
        lease = take(config.lease_dir, (folder, *names.values(), *more), holder, shared)
        used = f"{config.harness_dir} is used by {lease}"
        return lease if isinstance(lease, Lease) else used

    if not whole:
        lease = _wait(config, lambda: lock(gate, shared=(folder, gate)), _FOLDER, waits)
        lease.give_back(gate)
        return FolderLock(lease, names, whole=False)
    turn = _wait(config, lambda: take(config.lease_dir, [gate], holder), _FOLDER, waits)
    try:
        lease = _wait(config, lambda: lock(shared=()), _FOLDER, waits)
    finally:
        turn.close()
    return FolderLock(lease, names, whole=True)


def _wait(
    config: RunSpec, attempt: Callable[[], T | str], what: str, waits: Waits
) -> T:
    deadline = time.monotonic() + config.lease_timeout
    while isinstance(got := attempt(), str):
        if time.monotonic() >= deadline:
            raise DeviceError(
                f"No {what} became free within "
                f"{format_duration(config.lease_timeout)} (--mig-lease-timeout): {got}."
            )
        waits(f"waits for a {what}: {got}")
        time.sleep(_POLL_S)
    return got
