"""What Slurm gave a step bounds what a run takes."""

from __future__ import annotations

import pytest

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.visibility import visible_only

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
