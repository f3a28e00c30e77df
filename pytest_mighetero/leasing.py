"""Waiting for a GPU that nobody else uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pytest_mighetero.config import RunConfig
from pytest_mighetero.devices import Gpu
from pytest_mighetero.devices.lease import Lease, myself, take
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.units import format_duration

_POLL_S = 0.2


def lease_gpu(
    config: RunConfig, gpus: Sequence[Gpu], test: str, waits: Callable[[str], None]
) -> tuple[Gpu, Lease]:
    """Lease the first of *gpus* that is free, waiting for one if need be.

    Args:
        config: where the leases are and how long to wait.
        gpus: those that would do, the best first; at least one.
        test: what it is for, to tell others.
        waits: told again and again who is in the way.

    Raises:
        DeviceError: none became free in time, or the leases cannot be used.
    """
    deadline = time.monotonic() + config.lease_timeout
    holder = myself(test)
    while True:
        used = []
        for gpu in gpus:
            lease = take(config.lease_dir, gpu.lease_names, holder)
            if isinstance(lease, Lease):
                return gpu, lease
            used.append(f"{gpu} is used by {lease}")
        in_the_way = "; ".join(used)
        if time.monotonic() >= deadline:
            raise DeviceError(
                f"No GPU became free within {format_duration(config.lease_timeout)} "
                f"(--mig-lease-timeout): {in_the_way}."
            )
        waits(f"waits for a GPU: {in_the_way}")
        time.sleep(_POLL_S)
