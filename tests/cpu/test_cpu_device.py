from __future__ import annotations

import os

import pytest

from pytest_mighetero.cpu.device import CpuDevice, single_threaded, visible_device


def test_uuid_round_trip() -> None:
    device = CpuDevice(instance=3, core=1)
    assert device.uuid == "cpu-simulated-3-core-1"
    assert visible_device({"CUDA_VISIBLE_DEVICES": device.uuid}) == device


def test_first_of_a_list_counts() -> None:
    value = "cpu-simulated-2-core-0,cpu-simulated-3-core-1"
    assert visible_device({"CUDA_VISIBLE_DEVICES": value}) == CpuDevice(2, 0)


def test_unset_means_no_device() -> None:
    assert visible_device({}) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "cpu-simulated-3",
        "cpu-simulated-3-core-1-2",
        "MIG-feb88891-0321-5fef-9c87-d4af3b54259e",
    ],
)
def test_malformed(value: str) -> None:
    with pytest.raises(RuntimeError, match="names no simulated device"):
        visible_device({"CUDA_VISIBLE_DEVICES": value})


def test_a_core_that_does_not_exist() -> None:
    allowed = os.sched_getaffinity(0)
    with pytest.raises(RuntimeError, match="Cannot pin cpu-simulated-0-core-999"):
        CpuDevice(0, 999).pin()
    assert os.sched_getaffinity(0) == allowed


def test_single_threaded_keeps_the_rest() -> None:
    environ = single_threaded({"HOME": "/h", "OMP_NUM_THREADS": "8"})
    assert environ["HOME"] == "/h"
    assert environ["OMP_NUM_THREADS"] == "1"
    assert environ["OPENBLAS_NUM_THREADS"] == "1"
