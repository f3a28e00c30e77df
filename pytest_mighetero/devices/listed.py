"""Devices that the user lists, for containers where NVML is out of reach."""

from __future__ import annotations

import os

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.visibility import not_given
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.device_kind import DeviceKind


class ListedDevices:
    """The MIG devices of ``--mig-devices``, taken at their word.

    Main's has the profile that ``--main-profile`` says; nobody says the others'.
    """

    def __init__(
        self,
        kind: DeviceKind,
        uuids: tuple[str, ...],
        main_profile: str | None = None,
        rotate: int = 0,
    ):
        self.kind = kind
        main = uuids[rotate % len(uuids)]
        self._devices = tuple(
            MigDevice(uuid, main_profile if uuid == main else None) for uuid in uuids
        )

    def gpus(self) -> tuple[Gpu, ...]:
        """Return one GPU that holds all listed devices.

        Raises:
            DeviceError: Slurm gave others.
        """
        if others := not_given([each.uuid for each in self._devices], os.environ):
            raise DeviceError(
                f"--mig-devices lists {', '.join(others)}, which Slurm did not give "
                f"job {os.environ['SLURM_JOB_ID']} (CUDA_VISIBLE_DEVICES="
                f"{os.environ['CUDA_VISIBLE_DEVICES']}). List what it gave, or leave "
                f"--mig-devices out, as several workers have to."
            )
        return (Gpu("listed by --mig-devices", self._devices),)

    def meter(self, gpu: Gpu, device: MigDevice) -> None:
        """Return None: who cannot list them cannot ask about them."""
