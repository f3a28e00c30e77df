"""What suites and harnesses have to know of the devices that a source has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceKind:
    """A kind of devices.

    Attributes:
        variable: the environment variable by which a harness gets its device.
        knows_gpus: whether its GPUs have names of their own, as ``--mig-gpu`` takes.
        mig: whether they are NVIDIA's MIG devices, named as ``nvidia-smi -L`` prints
            them: somebody may list them, and a harness may know only some forms.
    """

    variable: str
    knows_gpus: bool = False
    mig: bool = False
