"""Which GPU a run uses, and in which order its MIG devices are taken. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_mighetero.devices.gpu import TRY_CPU, Gpu, MigDevice
from pytest_mighetero.errors import DeviceError


@dataclass(frozen=True)
class Wish:
    """What a run wants of a GPU.

    Attributes:
        fits: tells whether main runs on a device.
        needed: MIG devices without which there is nothing to measure.
        called: index, UUID or PCI bus id.
        called_by: who calls it so, for messages.
        needed_by: who says how many, where anybody does, for messages.
        model: part of its product name, in any case.
        main_profile: None where all devices are to be of one.
        profile_by: who says so, for messages.
        rotate: by how many places the devices are turned.
    """

    fits: Callable[[MigDevice], bool]
    needed: int = 1
    called: str | None = None
    called_by: str = ""
    needed_by: str = ""
    model: str = ""
    main_profile: str | None = None
    profile_by: str = ""
    rotate: int = 0


def rank_gpus(gpus: Sequence[Gpu], wish: Wish) -> tuple[Gpu, ...]:
    """Return the GPUs to run on, the best first, devices in the order they are taken.

    The best has the most devices that main runs on.

    Raises:
        DeviceError: there is none such, it has too few devices, or of several profiles.
    """
    named = [g for g in gpus if wish.called is None or g.is_called(wish.called)]
    found = "; ".join(map(str, gpus)) or "no GPU"
    if wish.called is not None and not named:
        raise DeviceError(f"{wish.called_by}: no GPU is called {wish.called}: {found}.")
    if wish.called is not None and named[0].problem:
        raise DeviceError(f"{wish.called_by}: {named[0]}.")
    named = [gpu for gpu in named if wish.model.lower() in gpu.name.lower()]
    if not named and wish.model:
        raise DeviceError(f"a GPU called {wish.model} is needed: {found}.")
    enough = [gpu for gpu in named if len(gpu.devices) >= wish.needed]
    if not enough:
        most = max((len(gpu.devices) for gpu in named), default=0)
        beside = " (one for main, one for a background)" if wish.needed > 1 else ""
        if wish.needed > 2:
            beside = f" (one for main, {wish.needed - 1} by {wish.needed_by})"
        raise DeviceError(
            f"{wish.needed} MIG devices are needed on one GPU{beside}, found {most}: "
            f"{found}. Create more (nvidia-smi mig -cgi ... -C) or list them with "
            f"--mig-devices. {TRY_CPU}"
        )
    seated = [gpu for gpu in enough if _can_seat(gpu, wish)]
    if not seated:
        raise DeviceError(_refusal(enough, wish))
    seated.sort(key=lambda gpu: -sum(map(wish.fits, gpu.devices)))
    return tuple(replace(gpu, devices=_order(gpu.devices, wish)) for gpu in seated)


def _can_seat(gpu: Gpu, wish: Wish) -> bool:
    profiles = {device.profile for device in gpu.devices}
    if wish.main_profile is None:
        return len(profiles) == 1
    return wish.main_profile in profiles


def _refusal(gpus: Sequence[Gpu], wish: Wish) -> str:
    geometry = "; ".join(map(str, gpus))
    if wish.main_profile is not None:
        return (
            f"{wish.profile_by}: there is no MIG device of profile "
            f"{wish.main_profile}: {geometry}."
        )
    return (
        f"MIG devices of several profiles, and main could sit on any: {geometry}. Say "
        f"main's with --main-profile, or make them all equal (nvidia-smi mig -cgi)."
    )


def _order(devices: Sequence[MigDevice], wish: Wish) -> tuple[MigDevice, ...]:
    """Turn *devices*, and put main's first."""
    mains = [d for d in devices if wish.main_profile in (None, d.profile)]
    main = mains[wish.rotate % len(mains)]
    at = devices.index(main)
    return (main, *devices[at + 1 :], *devices[:at])
