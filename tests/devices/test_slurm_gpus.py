"""What Slurm gave a step bounds what a run takes."""

from __future__ import annotations

import pytest

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.listed import ListedDevices
from pytest_mighetero.devices.visibility import visible_only
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.device_kind import DeviceKind

TWO = tuple(
    Gpu(f"g{n}", (MigDevice(f"MIG-{n}1"), MigDevice(f"MIG-{n}2")), n, f"GPU-{n}")
    for n in range(2)
)


@pytest.mark.parametrize(
    ("environment", "usable"),
    [
        ({"SLURM_STEP_GPUS": "1"}, ["MIG-11", "MIG-12"]),
        ({"SLURM_JOB_GPUS": "0"}, ["MIG-01", "MIG-02"]),
        ({"SLURM_STEP_GPUS": "1", "SLURM_JOB_GPUS": "0,1"}, ["MIG-11", "MIG-12"]),
        ({"SLURM_STEP_GPUS": "2,3"}, ["MIG-01", "MIG-02", "MIG-11", "MIG-12"]),
        ({"SLURM_STEP_GPUS": "1", "CUDA_VISIBLE_DEVICES": "MIG-02"}, ["MIG-02"]),
    ],
)
def test_slurms_gpus_bound_a_run(
    environment: dict[str, str], usable: list[str]
) -> None:
    found = visible_only(TWO, environment)
    assert [device.uuid for gpu in found for device in gpu.devices] == usable


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ("MIG-11", ["MIG-12"]),
        ("MIG-11, MIG-12", []),
        ("MIG-1", []),  # as CUDA has it, short
        ("MIG-GPU-7/1/0", ["MIG-11", "MIG-12"]),
        ("0,1", []),
        ("", []),
    ],
)
def test_listed_devices_are_those_that_slurm_gave(
    monkeypatch: pytest.MonkeyPatch, given: str, others: list[str]
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "15")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    listed = ListedDevices(DeviceKind("X"), ("MIG-11", "MIG-12"))
    if not others:
        (gpu,) = listed.gpus()
        assert [device.uuid for device in gpu.devices] == ["MIG-11", "MIG-12"]
        return
    with pytest.raises(DeviceError) as caught:
        listed.gpus()
    assert str(caught.value).startswith(
        f"--mig-devices lists {', '.join(others)}, which Slurm did not give job 15 "
        f"(CUDA_VISIBLE_DEVICES={given})."
    )


def test_listed_devices_are_taken_at_their_word_outside_of_slurm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-11")
    (gpu,) = ListedDevices(DeviceKind("X"), ("MIG-12",)).gpus()
    assert [device.uuid for device in gpu.devices] == ["MIG-12"]
