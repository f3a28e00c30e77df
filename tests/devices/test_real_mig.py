"""On a machine with MIG devices these run by themselves; elsewhere they skip."""

from __future__ import annotations

import json
import re
import sys

import pytest

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.sources.nvml import NvmlDevices
from pytest_mighetero.errors import DeviceError
from tests.lab.driver import Lab


@pytest.fixture
def gpu() -> Gpu:
    try:
        gpus = NvmlDevices().gpus()
    except DeviceError as error:
        pytest.skip(str(error))
    usable = [gpu for gpu in gpus if len({d.profile for d in gpu.devices}) == 1]
    found = max(usable, key=lambda gpu: len(gpu.devices), default=None)
    if found is None or len(found.devices) < 2:
        pytest.skip(f"no GPU with two equal MIG devices: {'; '.join(map(str, gpus))}")
    return found


def test_every_device_is_known_in_full(gpu: Gpu) -> None:
    assert gpu.driver
    assert gpu.uuid
    assert gpu.uuid.startswith("GPU-")
    for device in gpu.devices:
        assert re.fullmatch(
            r"MIG-[0-9a-f-]{36}|MIG-GPU-[0-9a-f-]+/\d+/\d+", device.uuid
        )
        assert re.fullmatch(r"(\d+c\.)?\d+g\.\d+gb(\+\S+)?", device.profile or "")
        assert device.memory_bytes
        assert device.gi is not None
        assert device.ci is not None


def test_a_run_on_it(gpu: Gpu, lab: Lab) -> None:
    arguments = lab.arguments(
        *("-k", "dlrm_server", f"--mig-gpu={gpu.uuid}"),
        *("--main-benchmark-duration=3s", "--background-benchmark-duration=6s"),
        devices=0,
    )
    result = lab.pytester.run(sys.executable, "-mpytest", *arguments)
    result.assert_outcomes(passed=1)
    (path,) = lab.folder.glob("results/*/record.json")
    record = json.loads(path.read_text())
    assert record["facts"]["device_uuid"] == gpu.devices[0].uuid
    telemetry = record["telemetry"]
    assert telemetry["samples"] >= 2
    assert 0 < telemetry["temperature_c"]["max"] < 120
    assert telemetry["sm_clock_mhz"]["max"] > 100


def test_nvidia_smi_and_nvml_agree(gpu: Gpu, lab: Lab) -> None:
    listed = lab.pytester.run("nvidia-smi", "-L")
    text = "\n".join(listed.outlines)
    for device in gpu.devices:
        assert device.uuid in text


def test_the_doctor_sees_it_and_changes_nothing(gpu: Gpu, lab: Lab) -> None:
    words = ("doctor", "--json", f"--mig-suite={lab.suite}", f"--mig-gpu={gpu.uuid}")
    folders = (f"--mig-harness-dir={lab.harness}", "--mig-lease-dir=leases")
    before = lab.pytester.run("nvidia-smi", "-L").outlines
    command = (sys.executable, "-m", "pytest_mighetero.cli", *words, *folders)
    document = json.loads(lab.pytester.run(*command).stdout.str())
    said = {each["about"]: each["says"] for each in document["findings"]}
    assert document["ok"]
    assert (said["driver"], said["MIG"]) == (gpu.driver, str(gpu))
    assert said["GPU clocks"].startswith(f"GPU {gpu.index}: ")
    assert lab.pytester.run("nvidia-smi", "-L").outlines == before
    assert not (lab.folder / "leases").exists()
