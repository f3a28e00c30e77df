"""Waiting for what nobody else may use meanwhile: a GPU, say."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease, myself, take
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.units import format_duration

_POLL_S = 0.2

T = TypeVar("T")

# Told again and again who is in the way.
Waits = Callable[[str], None]


@dataclass(frozen=True)
class Queue:
    """Where a test waits, and for how long; others are told its name.

    Attributes:
        folder_by: who says where, for messages; "" for nobody.
        timeout_by: who says for how long.
    """

    folder: Path
    timeout: float
    test: str
    waits: Waits
    folder_by: str = ""
    timeout_by: str = "--mig-lease-timeout"

    def take(self, names: Sequence[str], shared: Sequence[str] = ()) -> Lease | str:
        """Lease all of *names*, or say who is in the way."""
        return take(self.folder, names, myself(self.test), shared, self.folder_by)

    def until(self, attempt: Callable[[], T | str], what: str) -> T:
        """Return what *attempt* gets; a text says who is in the way.

        Raises:
            DeviceError: it got nothing in time.
        """
        deadline = time.monotonic() + self.timeout
        while isinstance(got := attempt(), str):
            if time.monotonic() >= deadline:
                within = f"{format_duration(self.timeout)} ({self.timeout_by})"
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
