"""MIG devices as NVML reports them, through NVIDIA's own ``pynvml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_mighetero.devices import TRY_CPU, Gpu, MigDevice
from pytest_mighetero.errors import DeviceError


class NvmlDevices:
    """Every GPU with MIG enabled that this process can see."""

    def gpus(self) -> tuple[Gpu, ...]:
        """Ask NVML; it is opened for the question and closed after it.

        Raises:
            DeviceError: NVML is missing, or answers with an error.
        """
        with _nvml() as nvml:
            driver = _text(nvml.nvmlSystemGetDriverVersion())
            handles = [
                (index, nvml.nvmlDeviceGetHandleByIndex(index))
                for index in range(nvml.nvmlDeviceGetCount())
            ]
            return tuple(
                _gpu(nvml, index, handle, driver)
                for index, handle in handles
                if _mig_enabled(nvml, handle)
            )


@contextmanager
def _nvml() -> Iterator[Any]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise DeviceError(
            f"NVML cannot be used ({error}): an NVIDIA driver is needed to find MIG "
            f"devices. In a container without it, list them: --mig-devices=MIG-..., "
            f"as nvidia-smi -L prints them on the host. {TRY_CPU}"
        ) from None
    try:
        yield pynvml
    except pynvml.NVMLError as error:
        raise DeviceError(f"NVML answered with an error: {error}.") from None
    finally:
        pynvml.nvmlShutdown()


def _mig_enabled(nvml: Any, handle: Any) -> bool:
    try:
        current, _pending = nvml.nvmlDeviceGetMigMode(handle)
    except nvml.NVMLError_NotSupported:
        return False
    return bool(current == nvml.NVML_DEVICE_MIG_ENABLE)


def _gpu(nvml: Any, index: int, handle: Any, driver: str) -> Gpu:
    return Gpu(
        name=_text(nvml.nvmlDeviceGetName(handle)),
        devices=tuple(_mig_devices(nvml, handle)),
        index=index,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        pci_bus_id=_text(nvml.nvmlDeviceGetPciInfo(handle).busId),
        driver=driver,
    )


def _mig_devices(nvml: Any, gpu: Any) -> Iterator[MigDevice]:
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index)
        except nvml.NVMLError_NotFound:
            continue  # the count is a maximum, and there may be holes in it
        yield MigDevice(
            uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
            profile=profile_in(_text(nvml.nvmlDeviceGetName(handle))),
            memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        )


def profile_in(name: str) -> str | None:
    """Return the profile in a MIG device's name.

    NVML names it after the GPU: ``NVIDIA A100-SXM4-80GB MIG 1g.10gb``.
    """
    match = re.search(r"\bMIG\s+(\S+)$", name)
    return match[1] if match else None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
