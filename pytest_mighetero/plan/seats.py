"""Which background gets which MIG device. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shutil import which

from pytest_mighetero.devices.choice import Wish
from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.listed import ListedDevices
from pytest_mighetero.devices.source import DeviceSource, source_called
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.spec.device_names import unknown_to, unknown_to_all
from pytest_mighetero.spec.offer import unconfigured
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.pair import Pair

# A background and its device.
Seat = tuple[Pair, MigDevice]


@dataclass(frozen=True)
class Seating:
    """The backgrounds of one run in launch order, and why others are left out."""

    seated: tuple[Seat, ...]
    left_out: tuple[str, ...]


def source_of(config: RunSpec) -> DeviceSource:
    """Return where devices are to come from; nothing falls back to another source."""
    if config.devices:
        listed, profile = config.devices, config.main_profile
        return ListedDevices(config.suite.kind, listed, profile, config.rotate)
    return source_called(config.suite.devices)


def misfit_of(config: RunSpec, pair: Pair, device: MigDevice) -> str | None:
    """Say why *pair* does not run on *device*, or None."""
    suite = config.suite
    return (
        unknown_to(suite, pair.benchmark, device.uuid, device.profile)
        or (None if config.dryrun else lacking(suite, pair))
        or unconfigured(suite, [pair], config.config_ver)
        or suite.misfit(pair, device.profile, device.memory_bytes)
    )


def lacking(suite: Suite, pair: Pair) -> str | None:
    """Say which program that *pair* needs is not here, and what brings it, or None."""
    for program, source in suite.harness_of(pair.benchmark).needs.items():
        if which(program) is None:
            what = source if " " in source else f"Debian's package {source}"
            return f"{pair} needs {program}, which is not on PATH; {what} brings it"
    return None


def refuse_unknown(config: RunSpec, main: Pair, gpus: Sequence[Gpu]) -> tuple[Gpu, ...]:
    """Return those of *gpus* whose first device main's harness knows.

    Raises:
        DeviceError: there is none such.
    """
    first = [gpu.devices[0] for gpu in gpus]
    told = config.suite, main.benchmark
    problems = [unknown_to(*told, each.uuid, each.profile) for each in first]
    if all(problems):
        raise DeviceError(f"{problems[0]}.")
    return tuple(gpu for gpu, bad in zip(gpus, problems, strict=True) if not bad)


def wish_of(config: RunSpec, main: Pair, *, alone: bool) -> Wish:
    """Return what a run of *main* wants of a GPU.

    That is room for one background at least, or for all of an aggressor that is
    counted.
    """
    beside = not alone and config.backgrounds_of(main.benchmark)
    others = (config.aggressor and config.aggressor_count) or 1
    return Wish(
        fits=lambda device: misfit_of(config, main, device) is None,
        needed=1 + others if beside else 1,
        called=config.gpu,
        called_by=config.said_by["mig-gpu"],
        needed_by=config.said_by["mig-aggressor-count"],
        model=config.model,
        main_profile=config.main_profile,
        profile_by=config.said_by["main-profile"],
        rotate=config.rotate,
    )


def seat_backgrounds(config: RunSpec, main: Pair, gpu: Gpu) -> Seating:
    """Give each background one of the devices after main's, in order.

    A device goes to the first background that is left and runs on it. Where there are
    fewer devices than backgrounds, main's own benchmark makes room first, unless it
    was named; then the last ones by name do, as in NVIDIA's script of v1.1 and later.

    Raises:
        DeviceError: a background that was named runs on none of the devices, or none
            of all that were asked for does; the harness knows none of the devices.
    """
    if config.aggressor is not None:
        return seat_aggressor(config, config.aggressor, gpu)
    names = config.backgrounds_of(main.benchmark)
    asked = [config.beside(name) for name in names]
    unknown = {
        device: problem
        for device in gpu.devices[1:]
        for problem in [
            unknown_to_all(config.suite, names, device.uuid, device.profile)
        ]
        if problem
    }
    free = [device for device in gpu.devices[1:] if device not in unknown]
    if asked and unknown and not free:
        raise DeviceError(f"{next(iter(unknown.values()))}.")
    unfit = {
        pair: problem
        for pair in asked
        if (problem := _fits_nowhere(config, pair, free))
    }
    if unfit and (config.backgrounds_named or len(unfit) == len(asked)):
        raise DeviceError(
            f"{config.said_by['background-benchmarks']}: {'; '.join(unfit.values())}. "
            f"Choose other --background-benchmarks."
        )
    waiting = [pair for pair in asked if pair not in unfit]
    own = [pair for pair in waiting if pair.benchmark == main.benchmark]
    if own and len(waiting) > len(free) and not config.backgrounds_named:
        waiting.remove(own[0])
    if len(waiting) > len(free):
        waiting.sort(key=str)
    seated = []
    for device in free:
        fitting = (each for each in waiting if not misfit_of(config, each, device))
        if pair := next(fitting, None):
            waiting.remove(pair)
            seated.append((pair, device))
    left_out = [*unfit.values()]
    if waiting:
        without = ", ".join(pair.benchmark for pair in waiting)
        left_out += [f"{gpu} has no device left for {without}", *unknown.values()]
    return Seating(tuple(seated), tuple(left_out))


def seat_aggressor(config: RunSpec, aggressor: Pair, gpu: Gpu) -> Seating:
    """Give *aggressor* every device after main's, or the first so many.

    Raises:
        DeviceError: it runs on none of them, or on fewer than it is to have.
    """
    devices, wanted = gpu.devices[1:], config.aggressor_count
    misfits = [misfit_of(config, aggressor, each) for each in devices]
    unfit = {each for each in misfits if each}
    fitting = [d for d, misfit in zip(devices, misfits, strict=True) if not misfit]
    seated = tuple((aggressor, device) for device in fitting[:wanted])
    if len(seated) < (wanted or 1):
        why = f": {'; '.join(sorted(unfit))}" if unfit else ""
        raise DeviceError(
            f"{aggressor} runs on {len(fitting)} of the {len(devices)} other devices "
            f"of {gpu}, and {wanted or 1} were asked for "
            f"({config.said_by['mig-aggressor-count']}){why}."
        )
    return Seating(seated, tuple(sorted(unfit)) if wanted is None else ())


def all_seated(config: RunSpec, gpus: Sequence[Gpu]) -> tuple[Gpu, ...]:
    """Return those of *gpus* with room for as many of a cell's aggressor as asked for.

    Of a run that is no cell, or of one that is beside as many as fit, these are all.

    Raises:
        DeviceError: there is none such.
    """
    if config.aggressor is None or config.aggressor_count is None:
        return tuple(gpus)
    good, problems = [], []
    for gpu in gpus:
        try:
            seat_aggressor(config, config.aggressor, gpu)
        except DeviceError as problem:
            problems.append(problem)
        else:
            good.append(gpu)
    if problems and not good:
        raise problems[0]
    return tuple(good)


def unseated(config: RunSpec, gpu: Gpu) -> str | None:
    """Say why the aggressor of a cell runs on none of the devices beside main's."""
    if config.aggressor is None:
        return None
    return _fits_nowhere(config, config.aggressor, list(gpu.devices[1:]))


def _fits_nowhere(config: RunSpec, pair: Pair, devices: list[MigDevice]) -> str | None:
    problems = [misfit_of(config, pair, device) for device in devices]
    return problems[0] if all(problems) else None
