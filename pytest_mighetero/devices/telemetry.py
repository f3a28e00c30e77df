"""What the GPU did while main was measured, as NVML says it once a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.terms.window import TimedWindow

# nvml.h: nvmlClocksEventReason*, called nvmlClocksThrottleReason* before R535.
THROTTLING = {
    0x04: "software power cap",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}
_LATER_S = 0.9  # between samples: whoever asks does so about once a second


@dataclass(frozen=True)
class Sample:
    """One look at a GPU.

    Attributes:
        at: POSIX time by the run's clock.
        values: by name and unit; what driver or MIG mode do not offer is absent.
        reasons: NVML's bits for why the clocks are not higher, or None.
    """

    at: float
    values: dict[str, float]
    reasons: int | None


class Telemetry:
    """Samples of one GPU and of main's device; NVML is open from start to stop.

    Args:
        gpu: the GPU.
        device: main's.
        now: tells the time, as main's window has it.
    """

    def __init__(self, gpu: Gpu, device: MigDevice, now: Callable[[], float]):
        self._gpu, self._device, self._now = gpu, device, now
        self._nvml: Any = None
        self._handles: tuple[Any, Any] = (None, None)
        self.samples: list[Sample] = []

    def start(self) -> None:
        """Open NVML; where it cannot be asked there will be no samples."""
        import pynvml

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            return
        self._nvml = pynvml
        by_uuid = pynvml.nvmlDeviceGetHandleByUUID
        gpu = self._ask(lambda: by_uuid(self._gpu.uuid))
        self._handles = gpu, self._ask(lambda: by_uuid(self._device.uuid))

    def sample(self) -> None:
        """Look once, unless the last look was just now."""
        if self._nvml is None:
            return
        now = self._now()
        if self.samples and now - self.samples[-1].at < _LATER_S:
            return
        nvml, (gpu, device) = self._nvml, self._handles
        asked = {
            "power_w": lambda: nvml.nvmlDeviceGetPowerUsage(gpu) / 1000,
            "temperature_c": lambda: nvml.nvmlDeviceGetTemperature(
                gpu, nvml.NVML_TEMPERATURE_GPU
            ),
            "sm_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(
                gpu, nvml.NVML_CLOCK_SM
            ),
            "memory_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(
                gpu, nvml.NVML_CLOCK_MEM
            ),
            "memory_used_mb": lambda: nvml.nvmlDeviceGetMemoryInfo(device).used / 1e6,
        }
        values = {name: self._ask(question) for name, question in asked.items()}
        known = {name: float(v) for name, v in values.items() if v is not None}
        reasons = self._ask(lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(gpu))
        if reasons is None:
            old = nvml.nvmlDeviceGetCurrentClocksThrottleReasons
            reasons = self._ask(lambda: old(gpu))
        self.samples.append(Sample(now, known, reasons))

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except self._nvml.NVMLError:
            return None

    def stop(self) -> None:
        """Close NVML: while it is open nobody can change the MIG geometry."""
        if self._nvml is not None:
            self._nvml.nvmlShutdown()
            self._nvml = None


def summary(samples: Iterable[Sample], window: TimedWindow) -> dict[str, Any]:
    """Return min, mean and max of each value in main's *window*, and what throttled."""
    inside = [each for each in samples if window.begin <= each.at <= window.end]
    if not inside:
        return {}
    names = dict.fromkeys(name for each in inside for name in each.values)
    figures: dict[str, Any] = {
        name: _spread([each.values[name] for each in inside if name in each.values])
        for name in names
    }
    reasons = [each.reasons for each in inside if each.reasons is not None]
    if reasons:
        figures["throttled_by"] = [
            what for bit, what in THROTTLING.items() if any(r & bit for r in reasons)
        ]
    return {"samples": len(inside), **figures}


def throttling(figures: Mapping[str, Any]) -> str | None:
    """Say that such a figure is not worth submitting, or return None."""
    if not (reasons := figures.get("throttled_by")):
        return None
    seen = [
        f"{name.rpartition('_')[0].replace('_', ' ')} up to {figures[name]['max']:g} "
        f"{name.rpartition('_')[2].upper()}"
        for name in ("temperature_c", "power_w")
        if name in figures
    ]
    return (
        f"the GPU was throttled in main's window by {', '.join(reasons)} "
        f"({', '.join(seen) or 'no more is known'}); such a figure is not worth "
        f"submitting: look at cooling and power limit"
    )


def _spread(values: Sequence[float]) -> dict[str, float]:
    mean = sum(values) / len(values)
    return {"min": min(values), "mean": round(mean, 3), "max": max(values)}
