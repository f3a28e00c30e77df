"""Simulated instances on CPU cores, for the embedded CPU harness."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.terms.device_kind import DeviceKind

INSTANCES = 7  # as many as an A100 or H100 has 1g slices
NAME = "cpu (simulated)"


class CpuDevices:
    """Seven instances, each pinned to a core; cores are shared when there are fewer."""

    kind = DeviceKind("CUDA_VISIBLE_DEVICES")

    def gpus(self) -> tuple[Gpu, ...]:
        """Return the one simulated GPU."""
        return (Gpu(NAME, simulated_devices(usable_cores())),)

    def meter(self, gpu: Gpu, device: MigDevice) -> None:
        """Return None: there is nothing to ask."""


def simulated_devices(cores: Sequence[int]) -> tuple[MigDevice, ...]:
    """Spread the instances over *cores*; the UUID tells the harness its core."""
    return tuple(
        MigDevice(
            f"cpu-simulated-{i}-core-{core}",
            profile=NAME,
            prefix=("taskset", "--cpu-list", str(core)),
        )
        for i in range(INSTANCES)
        for core in [cores[i % len(cores)]]
    )


def usable_cores() -> list[int]:
    """Return the cores this process may use, no more than its CPU quota pays for."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[: max(1, math.ceil(_quota() or len(cores)))]


def _quota() -> float | None:
    """Return the cgroup's CPU limit in cores, or None where there is none."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return int(limit) / int(period)
    except (OSError, ValueError):
        return None


SOURCE = CpuDevices()
