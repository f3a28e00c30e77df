"""Choosing a GPU, and the simulated instances."""

from __future__ import annotations

import pytest

from pytest_mighetero.devices import Gpu, MigDevice, choose_gpu
from pytest_mighetero.devices.cpu import simulated_devices
from pytest_mighetero.devices.nvml import profile_in
from pytest_mighetero.errors import DeviceError


def gpu(index: int, count: int) -> Gpu:
    return Gpu(
        "NVIDIA A100",
        tuple(MigDevice(f"MIG-{index}-{i}", "1g.10gb") for i in range(count)),
        index=index,
        uuid=f"GPU-{index:08}",
        pci_bus_id=f"00000000:{index:02X}:00.0",
    )


GPUS = (gpu(0, 4), gpu(1, 7), gpu(2, 0))


def test_the_gpu_with_most_devices() -> None:
    assert choose_gpu(GPUS, 7).index == 1


@pytest.mark.parametrize(
    "name", ["0", "GPU-00000000", "0000:00:00.0", "00000000:00:00.0"]
)
def test_the_gpu_that_is_named(name: str) -> None:
    assert choose_gpu(GPUS, 2, name).index == 0


@pytest.mark.parametrize(
    ("gpus", "needed", "called", "message"),
    [
        ((), 7, None, "7 MIG devices are needed.*found 0: no GPU"),
        (GPUS, 8, None, r"8 MIG.*\(one for main, 7 for the backgrounds\), found 7"),
        (GPUS, 5, "0", "found 4: GPU 0: NVIDIA A100 .4 x 1g.10gb"),
        (GPUS, 1, "9", "no GPU is called 9: GPU 0"),
    ],
)
def test_too_few(
    gpus: tuple[Gpu, ...], needed: int, called: str | None, message: str
) -> None:
    with pytest.raises(DeviceError, match=message):
        choose_gpu(gpus, needed, called)


@pytest.mark.parametrize(
    ("cores", "uuids"),
    [
        ([0], [f"cpu-simulated-{i}-core-0" for i in range(7)]),
        (
            [2, 5],
            [
                "cpu-simulated-0-core-2",
                "cpu-simulated-1-core-5",
                "cpu-simulated-2-core-2",
                "cpu-simulated-3-core-5",
                "cpu-simulated-4-core-2",
                "cpu-simulated-5-core-5",
                "cpu-simulated-6-core-2",
            ],
        ),
        (list(range(64)), [f"cpu-simulated-{i}-core-{i}" for i in range(7)]),
    ],
)
def test_simulated_instances(cores: list[int], uuids: list[str]) -> None:
    devices = simulated_devices(cores)
    assert [device.uuid for device in devices] == uuids
    assert {device.profile for device in devices} == {"cpu (simulated)"}


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", "1g.10gb"),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb+me", "1g.10gb+me"),
        ("A100-SXM4-40GB MIG 1c.3g.20gb", "1c.3g.20gb"),
        ("NVIDIA H100 80GB HBM3", None),
    ],
)
def test_profile_names(name: str, profile: str | None) -> None:
    assert profile_in(name) == profile
