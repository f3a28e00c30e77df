"""The seam to whatever devices there are, and how a suite's word finds its source."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

from pytest_mighetero.devices import sources
from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.telemetry import Meter
from pytest_mighetero.terms.device_kind import DeviceKind


class DeviceSource(Protocol):
    """Where devices come from.

    A suite's ``devices`` is the name of a file in ``devices/sources``, which has one as
    its ``SOURCE``; nothing else lists them. To import it must cost nothing that only
    asking it needs.
    """

    @property
    def kind(self) -> DeviceKind:
        """What suites and harnesses have to know of its devices."""

    def gpus(self) -> tuple[Gpu, ...]:
        """Return every GPU, those that a run cannot use with their problem.

        Raises:
            DeviceError: the source cannot be asked.
        """

    def meter(self, gpu: Gpu, device: MigDevice) -> Meter | None:
        """Return what tells how *gpu* and main's *device* are, or None."""


def source_called(name: str) -> DeviceSource:
    """Return the source that a suite names."""
    source: DeviceSource = import_module(f"{sources.__name__}.{name}").SOURCE
    return source


def device_kinds() -> dict[str, DeviceKind]:
    """Return what there is, by the name of its source; that of GPUs first."""
    names = [module.name for module in iter_modules(sources.__path__)]
    kinds = {name: source_called(name).kind for name in names}
    return dict(sorted(kinds.items(), key=lambda each: not each[1].knows_gpus))
