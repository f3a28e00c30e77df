"""Choosing a GPU, and the simulated instances."""

from __future__ import annotations

import pytest

from pytest_mighetero.devices.choice import Wish, rank_gpus
from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.sources.cpu import simulated_devices
from pytest_mighetero.devices.sources.nvml import profile_in
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
MIXED = Gpu(
    "NVIDIA A100",
    tuple(
        MigDevice(f"MIG-{i}", profile)
        for i, profile in enumerate(("3g.40gb", "1g.10gb", "1g.10gb", "2g.20gb"))
    ),
    index=5,
)


def every(device: MigDevice) -> bool:
    return bool(device.uuid)


def uuids(chosen: Gpu) -> list[str]:
    return [device.uuid for device in chosen.devices]


def test_the_gpu_with_most_devices() -> None:
    assert rank_gpus(GPUS, Wish(every))[0].index == 1


def test_the_gpu_with_most_devices_that_main_runs_on() -> None:
    wish = Wish(lambda device: device.uuid.startswith("MIG-0"))
    assert rank_gpus(GPUS, wish)[0].index == 0


def test_the_first_of_equal_gpus() -> None:
    assert rank_gpus((gpu(3, 7), gpu(4, 7)), Wish(every))[0].index == 3


@pytest.mark.parametrize(
    "name", ["0", "GPU-00000000", "0000:00:00.0", "00000000:00:00.0"]
)
def test_the_gpu_that_is_named(name: str) -> None:
    assert rank_gpus(GPUS, Wish(every, 2, called=name))[0].index == 0


@pytest.mark.parametrize(
    ("gpus", "wish", "message"),
    [
        ((), Wish(every, 2), "2 MIG devices are needed on one GPU .*found 0: no GPU"),
        (
            (gpu(0, 1),),
            Wish(every, 2),
            r"\(one for main, one for a background\), found 1",
        ),
        (GPUS, Wish(every, 5, called="0"), "found 4: GPU 0: NVIDIA A100 .4 x 1g.10gb"),
        (GPUS, Wish(every, called="9"), "no GPU is called 9: GPU 0"),
        (
            (MIXED,),
            Wish(every),
            r"several profiles.*\(1 x 3g.40gb, 2 x 1g.10gb, 1 x 2g.20gb\).*--main-prof",
        ),
        (
            (MIXED,),
            Wish(every, main_profile="7g.80gb"),
            "no MIG device of profile 7g.80gb: GPU 5: NVIDIA A100",
        ),
    ],
)
def test_there_is_none(gpus: tuple[Gpu, ...], wish: Wish, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        rank_gpus(gpus, wish)


@pytest.mark.parametrize(
    ("rotate", "order"), [(0, "0123"), (1, "1230"), (3, "3012"), (5, "1230")]
)
def test_rotation_turns_everybody(rotate: int, order: str) -> None:
    (chosen,) = rank_gpus((gpu(0, 4),), Wish(every, rotate=rotate))
    assert uuids(chosen) == [f"MIG-0-{number}" for number in order]


@pytest.mark.parametrize(
    ("profile", "rotate", "order"),
    [
        ("3g.40gb", 0, "0123"),
        ("3g.40gb", 1, "0123"),
        ("1g.10gb", 0, "1230"),
        ("1g.10gb", 1, "2301"),
        ("2g.20gb", 0, "3012"),
    ],
)
def test_the_main_profile_puts_main_first(
    profile: str, rotate: int, order: str
) -> None:
    (chosen,) = rank_gpus((MIXED,), Wish(every, main_profile=profile, rotate=rotate))
    assert uuids(chosen) == [f"MIG-{number}" for number in order]


@pytest.mark.parametrize(
    ("cores", "expected"),
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
def test_simulated_instances(cores: list[int], expected: list[str]) -> None:
    devices = simulated_devices(cores)
    assert [device.uuid for device in devices] == expected
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
