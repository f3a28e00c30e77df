"""A run's hold on its GPU while it lasts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.run.start import Tick


class Tenancy:
    """Sees to it, again and again, that nobody else has leased the GPU meanwhile.

    Args:
        lease: of the GPU.
        tick: told what the run is doing.
    """

    def __init__(self, lease: Lease, tick: Tick) -> None:
        self._lease, self._tick = lease, tick
        self._deleted: dict[Path, None] = {}  # of the lease's files, by others

    def tick(self, state: str) -> None:
        """Look after the lease, and tell what the run is doing.

        Raises:
            DeviceError: somebody else has leased the GPU meanwhile.
        """
        self._renew()
        self._tick(state)

    def check(self, warn: Callable[[str], None]) -> None:
        """See to it that the GPU was this run's alone up to now.

        Args:
            warn: told what somebody has deleted.

        Raises:
            DeviceError: somebody else has leased the GPU meanwhile.
        """
        self._renew()
        if deleted := ", ".join(map(str, self._deleted)):
            warn(
                f"somebody deleted {deleted} while this run held the GPU by it; "
                f"nobody else leased the GPU meanwhile, and it was made anew"
            )

    def _renew(self) -> None:
        self._deleted.update(dict.fromkeys(self._lease.renew()))
