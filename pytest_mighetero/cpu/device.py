"""The simulated device: which core this harness may use."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

DEVICE_NAME = "CPU (simulated)"
SYSTEM_ID = "CPU-simulated"

_UUID = re.compile(r"cpu-simulated-(\d+)-core-(\d+)")


@dataclass(frozen=True)
class CpuDevice:
    """One simulated instance, counted from 0, and the CPU it is pinned to."""

    instance: int
    core: int

    @property
    def uuid(self) -> str:
        """The name that CUDA_VISIBLE_DEVICES carries."""
        return f"cpu-simulated-{self.instance}-core-{self.core}"

    def pin(self) -> None:
        """Keep this process, and threads it starts from now on, on the core.

        Raises:
            RuntimeError: The core does not exist or is not allowed here.
        """
        try:
            os.sched_setaffinity(0, {self.core})
        except OSError as error:
            raise RuntimeError(
                f"Cannot pin {self.uuid} to core {self.core}: {error.strerror}; "
                f"this process may use {allowed_cores()}"
            ) from error


def allowed_cores() -> str:
    """Return the comma list of the cores that this process may use."""
    return ",".join(map(str, sorted(os.sched_getaffinity(0))))


def visible_device(environ: Mapping[str, str]) -> CpuDevice | None:
    """Return the device that CUDA_VISIBLE_DEVICES names, None where it is unset.

    Of a comma list the first entry counts, as CUDA shows a process one MIG device.

    Raises:
        RuntimeError: The value is empty or not the name of a simulated device.
    """
    value = environ.get("CUDA_VISIBLE_DEVICES")
    if value is None:
        return None
    match = _UUID.fullmatch(value.split(",")[0].strip())
    if match is None:
        raise RuntimeError(
            f"CUDA_VISIBLE_DEVICES={value!r} names no simulated device; expected "
            "cpu-simulated-<instance>-core-<core>"
        )
    return CpuDevice(instance=int(match[1]), core=int(match[2]))


def single_threaded(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` with one thread for each BLAS that NumPy may come with.

    It has to be in place before NumPy is imported, hence in a child's environment.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**environ, **dict.fromkeys(names, "1")}
