"""MIG devices as NVML reports them, through NVIDIA's own ``pynvml``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_mighetero.devices.gpu import TRY_CPU, Gpu, MigDevice
from pytest_mighetero.devices.telemetry import Reading
from pytest_mighetero.devices.visibility import visible_only
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.device_kind import DeviceKind

_LIST_THEM = (
    "In a container without it, list the devices: --mig-devices=MIG-..., as "
    "nvidia-smi -L prints them on the host."
)
_OFF = "MIG is off: sudo nvidia-smi -i {index} -mig 1"
_PENDING = "MIG is pending: sudo nvidia-smi -i {index} --gpu-reset, or reboot"
_LOST = "lost: it fell off the bus, see dmesg, and reboot"
_UNSUPPORTED = "it has no MIG"
# nvml.h: nvmlClocksEventReason*, called nvmlClocksThrottleReason* before R535.
_THROTTLING = {
    0x04: "software power cap",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}


class NvmlDevices:
    """Every GPU that this process can see, with its MIG devices."""

    kind = DeviceKind("CUDA_VISIBLE_DEVICES", knows_gpus=True, mig=True)

    def gpus(self) -> tuple[Gpu, ...]:
        """Ask NVML; it is opened for the question and closed after it.

        While NVML is open nobody can change the MIG geometry, so nobody keeps it open.
        ``CUDA_VISIBLE_DEVICES`` and ``NVIDIA_VISIBLE_DEVICES`` bound what is returned.

        Raises:
            DeviceError: NVML is missing, or answers with an error.
        """
        with _nvml() as nvml:
            driver = _text(nvml.nvmlSystemGetDriverVersion())
            count = nvml.nvmlDeviceGetCount()
            gpus = tuple(_gpu(nvml, index, driver) for index in range(count))
        return visible_only(gpus, os.environ)

    @contextmanager
    def meter(
        self, gpu: Gpu, device: MigDevice
    ) -> Iterator[Callable[[], Reading] | None]:
        """Open what reads power, temperature, clocks, memory and throttling."""
        import pynvml

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            yield None
            return

        def ask(what: str, *of: Any) -> Any:
            try:
                return getattr(pynvml, f"nvmlDeviceGet{what}")(*of)
            except pynvml.NVMLError:
                return None

        def read() -> Reading:
            power, memory = ask("PowerUsage", whole), ask("MemoryInfo", main)
            values = {
                "power_w": power and power / 1000,
                "temperature_c": ask("Temperature", whole, pynvml.NVML_TEMPERATURE_GPU),
                "sm_clock_mhz": ask("ClockInfo", whole, pynvml.NVML_CLOCK_SM),
                "memory_clock_mhz": ask("ClockInfo", whole, pynvml.NVML_CLOCK_MEM),
                "memory_used_mb": memory and memory.used / 1e6,
            }
            known = {name: float(v) for name, v in values.items() if v is not None}
            if (bits := ask("CurrentClocksEventReasons", whole)) is None:
                bits = ask("CurrentClocksThrottleReasons", whole)
            if bits is None:
                return Reading(known, None)
            low = {why: bool(bits & bit) for bit, why in _THROTTLING.items()}
            return Reading(known, low)

        whole, main = (ask("HandleByUUID", each.uuid) for each in (gpu, device))
        try:
            yield read
        finally:  # while it is open nobody can change the MIG geometry
            pynvml.nvmlShutdown()


@contextmanager
def _nvml() -> Iterator[Any]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise DeviceError(
            f"NVML cannot be used ({error}): {_advice(pynvml, error)} {TRY_CPU}"
        ) from None
    try:
        yield pynvml
    except pynvml.NVMLError as error:
        raise DeviceError(
            f"NVML answered with an error ({error}): {_advice(pynvml, error)}"
        ) from None
    finally:
        pynvml.nvmlShutdown()


def _advice(nvml: Any, error: Any) -> str:
    """Say what to do about an error of NVML's."""
    advice = {
        nvml.NVML_ERROR_LIBRARY_NOT_FOUND: "libnvidia-ml.so.1 comes with the NVIDIA "
        f"driver, which is needed to find MIG devices. {_LIST_THEM}",
        nvml.NVML_ERROR_DRIVER_NOT_LOADED: "load the NVIDIA driver (sudo modprobe "
        f"nvidia), which is needed to find MIG devices. {_LIST_THEM}",
        nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "the loaded driver and "
        "libnvidia-ml.so.1 are of different versions; reboot after the driver's "
        "update, or restart the container.",
        nvml.NVML_ERROR_NO_PERMISSION: "this user may not open the GPU's device files; "
        "look at ls -l /dev/nvidia* /dev/nvidia-caps, or run as a user who may.",
        nvml.NVML_ERROR_GPU_IS_LOST: "a GPU fell off the bus; see dmesg, and reboot.",
    }
    return advice.get(error.value, f"see nvidia-smi and dmesg. {_LIST_THEM}")


def _gpu(nvml: Any, index: int, driver: str) -> Gpu:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        problem = _problem(nvml, handle)
        return Gpu(
            name=_text(nvml.nvmlDeviceGetName(handle)),
            devices=() if problem else tuple(_mig_devices(nvml, handle)),
            index=index,
            uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
            pci_bus_id=_text(nvml.nvmlDeviceGetPciInfo(handle).busId),
            driver=driver,
            problem=problem and problem.format(index=index),
        )
    except nvml.NVMLError_GpuIsLost:
        return Gpu("a GPU", (), index=index, driver=driver, problem=_LOST)


def _problem(nvml: Any, handle: Any) -> str | None:
    """Say why a GPU has no MIG devices that a run could use, or None."""
    if (mode := _ask(nvml, "MigMode", handle)) is None:
        return _UNSUPPORTED
    current, pending = mode
    if current == nvml.NVML_DEVICE_MIG_ENABLE:
        return None
    return _PENDING if pending == nvml.NVML_DEVICE_MIG_ENABLE else _OFF


def _mig_devices(nvml: Any, gpu: Any) -> Iterator[MigDevice]:
    all_sms = _most_sms(nvml, gpu)
    for slot in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, slot)
        except nvml.NVMLError_NotFound:
            continue  # the count is a maximum, and there may be holes in it
        yield _mig_device(nvml, handle, slot, all_sms)


def _most_sms(nvml: Any, gpu: Any) -> int | None:
    """Return the SMs of the largest GPU instance that *gpu* can be."""
    sizes = (f"NVML_GPU_INSTANCE_PROFILE_{size}_SLICE" for size in (4, 7, 8))
    profiles = (getattr(nvml, size) for size in sizes)
    infos = (_ask(nvml, "GpuInstanceProfileInfo", gpu, each, 1) for each in profiles)
    return max((info.multiprocessorCount for info in infos if info), default=None)


def _mig_device(nvml: Any, handle: Any, slot: int, all_sms: int | None) -> MigDevice:
    uuid = _text(nvml.nvmlDeviceGetUUID(handle))
    attributes = _ask(nvml, "Attributes", handle)
    sms = attributes and attributes.multiprocessorCount
    legacy = re.fullmatch(r"MIG-GPU-[0-9a-f-]+/(\d+)/(\d+)", uuid)
    ids = ("GpuInstanceId", "ComputeInstanceId")
    gi, ci = (_ask(nvml, each, handle) for each in ids)
    if legacy and gi is None:
        gi, ci = int(legacy[1]), int(legacy[2])
    return MigDevice(
        uuid=uuid,
        profile=profile_in(_text(nvml.nvmlDeviceGetName(handle))),
        memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        slot=slot,
        gi=gi,
        ci=ci,
        multiprocessors=sms,
        sm_share=round(sms / all_sms, 4) if sms and all_sms else None,
    )


def _ask(nvml: Any, what: str, *of: Any) -> Any:
    """Return what NVML says, or None where driver or device do not have it."""
    try:
        return getattr(nvml, f"nvmlDeviceGet{what}")(*of)
    except (
        nvml.NVMLError_NotSupported,
        nvml.NVMLError_FunctionNotFound,
        nvml.NVMLError_InvalidArgument,
    ):
        return None


def profile_in(name: str) -> str | None:
    """Return the profile in a MIG device's name.

    NVML names it after the GPU: ``NVIDIA A100-SXM4-80GB MIG 1g.10gb``.
    """
    match = re.search(r"\bMIG\s+(\S+)$", name)
    return match[1] if match else None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


SOURCE = NvmlDevices()
