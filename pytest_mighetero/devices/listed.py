"""Devices that the user lists, for containers where NVML is out of reach."""

from __future__ import annotations

from pytest_mighetero.devices import Gpu, MigDevice


class ListedDevices:
    """The MIG devices of ``--mig-devices``, taken at their word."""

    def __init__(self, uuids: tuple[str, ...]):
        self._uuids = uuids

    def gpus(self) -> tuple[Gpu, ...]:
        """Return one GPU that holds all listed devices."""
        return (Gpu("listed by --mig-devices", tuple(map(MigDevice, self._uuids))),)
