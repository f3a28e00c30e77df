"""Driver, NVML, MIG mode and geometry, what is hidden, clocks: asked, never changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pytest_mighetero.cli.doctor.finding import Finding, State, listed, times
from pytest_mighetero.devices.gpu import TRY_CPU, Gpu
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.plan.seats import source_of
from pytest_mighetero.spec.device_names import unknown_to_all
from pytest_mighetero.spec.runspec import RunSpec

# What the kernel's driver says of itself, with NVML or without it.
_VERSION, _GPUS = Path("/proc/driver/nvidia/version"), Path("/proc/driver/nvidia/gpus")

_READINGS = {
    "sm_clock_mhz": ("SMs", "MHz"),
    "memory_clock_mhz": ("memory", "MHz"),
    "temperature_c": ("temperature", "°C"),
    "power_w": ("power", "W"),
}


@dataclass(frozen=True)
class Seen:
    """The GPUs that a run may use, or why none can be asked for.

    Attributes:
        unasked: why NVML is not needed; "" where it is.
    """

    gpus: tuple[Gpu, ...]
    problem: str = ""
    unasked: str = ""


def look(spec: RunSpec) -> Seen:
    """Ask the source of devices what there is."""
    unasked = ""
    if not spec.suite.kind.mig:
        unasked = f"suite {spec.suite.name} uses no GPU"
    elif spec.devices:
        unasked = "--mig-devices lists the devices, and they are taken at their word"
    try:
        gpus = source_of(spec).gpus()
    except DeviceError as error:
        return Seen((), str(error), unasked)
    wanted = tuple(gpu for gpu in gpus if spec.gpu is None or gpu.is_called(spec.gpu))
    if gpus and not wanted:
        found, said_by = "; ".join(map(str, gpus)), spec.said_by["mig-gpu"]
        return Seen((), f"{said_by}: no GPU is called {spec.gpu}: {found}", unasked)
    return Seen(wanted, "", unasked)


def findings(spec: RunSpec, seen: Seen) -> Iterator[Finding]:
    """Yield what there is to say of the GPUs."""
    yield _driver(seen)
    yield _nvml(seen)
    if seen.unasked:
        yield Finding("MIG", "unneeded", seen.unasked)
    else:
        yield from _mig(spec, seen.gpus)
    yield from _devices(spec, seen)
    for gpu in seen.gpus:
        yield from _clocks(spec, gpu)


def _driver(seen: Seen) -> Finding:
    if seen.unasked:
        return Finding("driver", "unneeded", seen.unasked)
    told = {gpu.driver: None for gpu in seen.gpus if gpu.driver}
    with suppress(OSError):
        text = _VERSION.read_text(errors="replace")
        if found := re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)", text):
            told = told or {found[1]: None}
    if told:
        return Finding("driver", "ok", ", ".join(told))
    state: State = "bad" if seen.problem or not seen.gpus else "warning"
    return Finding(
        "driver",
        state,
        "the kernel has no NVIDIA driver loaded",
        f"install it, or load it (sudo modprobe nvidia). {TRY_CPU}",
    )


def _nvml(seen: Seen) -> Finding:
    if seen.unasked:
        return Finding("NVML", "unneeded", seen.unasked)
    if seen.problem:
        return Finding("NVML", "bad", seen.problem)
    by = f"nvidia-ml-py {metadata.version('nvidia-ml-py')}"
    if seen.gpus:
        return Finding("NVML", "ok", f"shows {times(len(seen.gpus), 'GPU')} ({by})")
    return Finding(
        "NVML",
        "bad",
        f"shows no GPU ({by})",
        "see nvidia-smi -L; a container is handed them by docker run --gpus, or podman "
        "run --device nvidia.com/gpu=all",
    )


def _mig(spec: RunSpec, gpus: tuple[Gpu, ...]) -> Iterator[Finding]:
    """Say of each GPU how it is divided; of several a bad one is only a warning."""
    usable = [gpu for gpu in gpus if gpu.devices]
    not_well: State = "warning" if usable else "bad"
    for gpu in gpus:
        create = (
            f"sudo nvidia-smi mig -i {gpu.index} -cgi PROFILE,... -C makes some, of "
            f"the profiles that nvidia-smi mig -i {gpu.index} -lgip lists"
        )
        called = f"GPU {gpu.index}: {gpu.name}"
        profiles = {device.profile for device in gpu.devices}
        if gpu.hidden and not gpu.devices:
            count = times(len(gpu.hidden), "MIG device")
            yield Finding("MIG", "ok", f"{called} ({count}, none of them visible)")
        elif gpu.problem:
            yield Finding("MIG", not_well, str(gpu))
        elif not gpu.devices:
            yield Finding("MIG", not_well, f"{called}: MIG is on, no devices", create)
        elif len(gpu.devices) + len(gpu.hidden) == 1:
            alone = "one device, so that main has no neighbour"
            yield Finding("MIG", "warning", f"{gpu}: {alone}", create)
        elif len(profiles) > 1 and spec.main_profile is None:
            several = "several profiles, and main could be on any"
            remedy = "say main's with --main-profile, or make all equal"
            yield Finding("MIG", "warning", f"{gpu}: {several}", remedy)
        else:
            yield Finding("MIG", "ok", str(gpu))


def _devices(spec: RunSpec, seen: Seen) -> Iterator[Finding]:
    """Say what of the devices is visible, hidden and by what, or not usable."""
    visible = sum(len(gpu.devices) for gpu in seen.gpus)
    hidden = any(gpu.hidden for gpu in seen.gpus)
    if seen.gpus and not hidden:
        state: State = "ok" if visible else "bad"
        what = "MIG device" if spec.suite.kind.mig else "simulated device"
        yield Finding("devices", state, f"{times(visible, what)} visible, none hidden")
    for gpu in seen.gpus:
        for variable in dict.fromkeys(variable for _, variable in gpu.hidden):
            uuids = [uuid for uuid, by in gpu.hidden if by == variable]
            every = len(gpu.devices) + len(gpu.hidden)
            yield Finding(
                "devices",
                "warning" if visible else "bad",
                f"GPU {gpu.index}: {len(uuids)} of {times(every, 'MIG device')} hidden "
                f"by {variable}={os.environ.get(variable, '')}",
                f"unset it, or name in it, too: {listed(uuids)}",
            )
    yield from _withheld(spec, seen)
    yield from _unknown(spec, seen.gpus)


def _withheld(spec: RunSpec, seen: Seen) -> Iterator[Finding]:
    """Say that the kernel's driver has more GPUs than NVML shows here."""
    if seen.unasked or seen.problem or spec.gpu is not None:
        return
    with suppress(OSError):
        if (has := sum(1 for _ in _GPUS.iterdir())) > len(seen.gpus):
            seen_here = f"NVML shows {len(seen.gpus)} of them here"
            why = "the others are not this container's, or not this job's"
            said = f"the machine has {times(has, 'GPU')}, and {seen_here}: {why}"
            yield Finding("devices", "ok", said)


def _unknown(spec: RunSpec, gpus: tuple[Gpu, ...]) -> Iterator[Finding]:
    """Say which devices no harness of the suite would find."""
    suite = spec.suite
    problems = {
        problem: None
        for gpu in gpus
        for device in gpu.devices
        if (
            problem := unknown_to_all(
                suite, suite.benchmarks, device.uuid, device.profile
            )
        )
    }
    for problem in [*problems][:1]:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        every = len(problems) >= sum(len(gpu.devices) for gpu in gpus)
        yield Finding("devices", "bad" if every else "warning", f"{problem}{more}")


def _clocks(spec: RunSpec, gpu: Gpu) -> Iterator[Finding]:
    """Say how fast a GPU's clocks are now, and what holds them down."""
    if not gpu.devices:
        return
    if (meter := source_of(spec).meter(gpu, gpu.devices[0])) is None:
        return
    called = f"GPU {gpu.index}:"
    with meter as read:
        reading = read() if read else None
    if reading is None or not reading.values:
        said = f"{called} NVML says nothing of them, nor would it of throttling"
        yield Finding("GPU clocks", "warning", said)
        return
    now = ", ".join(
        f"{name} {reading.values[key]:g} {unit}"
        for key, (name, unit) in _READINGS.items()
        if key in reading.values
    )
    low = [why for why, is_now in (reading.throttled or {}).items() if is_now]
    if low:
        said = f"{called} throttled by {', '.join(low)} ({now})"
        yield Finding("GPU clocks", "warning", said, "look at cooling and power limit")
    else:
        known = (
            "not throttled" if reading.throttled is not None else "throttling unknown"
        )
        yield Finding("GPU clocks", "ok", f"{called} {known} ({now})")
