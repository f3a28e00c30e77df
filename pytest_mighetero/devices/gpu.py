"""GPUs and the devices that they are divided into."""

from __future__ import annotations

import re
from dataclasses import dataclass

TRY_CPU = (
    "To try it without a GPU: pytest --pyargs pytest_mighetero.runs --mig-suite=cpu -k "
    "dlrm_server."
)
_HEX = re.compile("[0-9A-F]{2,}")


@dataclass(frozen=True)
class MigDevice:
    """One MIG device, or what stands for one.

    Attributes:
        uuid: what a harness gets it by: as NVML prints it, in either form
            (``MIG-<uuid>`` since driver R470).
        profile: for example ``1g.10gb``.
        memory_bytes: its memory.
        slot: its index in NVML's list of its GPU, which may have holes.
        gi: id of its GPU instance.
        ci: id of its compute instance.
        multiprocessors: how many SMs it has.
        sm_share: that as a share of the largest GPU instance that its GPU can be; MIG
            mode leaves fewer SMs than the GPU has (98 of an A100's 108).
        prefix: the words that keep a command on it, where the variable is a name only.

    What the source or its driver cannot know is None.
    """

    uuid: str
    profile: str | None = None
    memory_bytes: int | None = None
    slot: int | None = None
    gi: int | None = None
    ci: int | None = None
    multiprocessors: int | None = None
    sm_share: float | None = None
    prefix: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gpu:
    """A GPU, or what stands for one.

    Attributes:
        name: the product name, or what the source says instead.
        devices: its MIG devices, in index order.
        index: NVML's, as are those up to driver; None for other sources.
        uuid: of the GPU.
        pci_bus_id: as NVML writes it.
        driver: its version.
        problem: why a run cannot use it and what to do about that.
        hidden: the UUIDs of its further MIG devices, each with the environment variable
            that keeps it from this process.
    """

    name: str
    devices: tuple[MigDevice, ...]
    index: int | None = None
    uuid: str | None = None
    pci_bus_id: str | None = None
    driver: str | None = None
    problem: str | None = None
    hidden: tuple[tuple[str, str], ...] = ()

    def is_called(self, name: str) -> bool:
        """Tell whether *name* is this GPU's index, UUID or PCI bus id."""
        bus_id = (self.pci_bus_id or "").lower()
        # nvidia-smi prints the domain with 8 digits, the kernel with 4.
        short = bus_id[4:] if len(bus_id.partition(":")[0]) == 8 else bus_id
        return name == str(self.index) or (
            name.lower() in {(self.uuid or "").lower(), bus_id, short} - {""}
        )

    @property
    def lease_names(self) -> tuple[str, ...]:
        """What a run on it has to lease: itself, and every MIG device of it.

        So a container that knows only these shuts out a host, in whichever case.
        """
        uuids = filter(None, (self.uuid, *(device.uuid for device in self.devices)))
        return tuple(_HEX.sub(lambda digits: digits[0].lower(), uuid) for uuid in uuids)

    def __str__(self) -> str:
        profiles = ", ".join(
            f"{sum(d.profile == profile for d in self.devices)} x {profile}"
            for profile in dict.fromkeys(d.profile for d in self.devices)
            if profile not in (None, self.name)
        )
        label = f"GPU {self.index}: " if self.index is not None else ""
        count = f"{len(self.devices)} MIG devices"
        if profiles and any(device.profile is None for device in self.devices):
            profiles = f"{count}, {profiles}"
        devices = self.problem or profiles or count
        return f"{label}{self.name} ({devices})"
