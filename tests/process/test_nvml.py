"""NVML discovery: the real pynvml, loading a real shared library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import Compiled
from tests.lab import Lab


@pytest.fixture(scope="session")
def nvml(compiled: Compiled) -> Path:
    """Build the library and return the folder to find it in."""
    return compiled("nvml.c", "libnvidia-ml.so.1", "-shared", "-fPIC").parent


class Machine:
    """A machine with a driver; the loader finds it in a process of its own."""

    def __init__(self, lab: Lab, nvml: Path, patch: pytest.MonkeyPatch):
        self.lab, self._patch = lab, patch
        patch.setenv("LD_LIBRARY_PATH", str(nvml))

    def run(self, geometry: str, *options: str) -> tuple[str, list[str]]:
        """Return what pytest printed, and the devices harnesses were given."""
        self._patch.setenv("FAKE_NVML", geometry)
        arguments = self.lab.arguments("-k", "dlrm_server", *options, devices=0)
        result = self.lab.pytester.run(sys.executable, "-mpytest", *arguments)
        dryrun = [line for line in result.outlines if line.startswith("cd ")]
        uuids = [
            line.partition("CUDA_VISIBLE_DEVICES=")[2].split()[0] for line in dryrun
        ]
        return "\n".join(result.outlines), uuids


@pytest.fixture
def machine(lab: Lab, nvml: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(lab, nvml, monkeypatch)


def mig(*indices: int) -> list[str]:
    return [f"MIG-00000000-0000-0000-0000-00000000000{i}" for i in indices]


def test_devices_are_found_past_holes_in_the_index_list(machine: Machine) -> None:
    text, uuids = machine.run("1.1..11", "--dryrun")
    assert uuids == [*mig(2, 5), *mig(0)]  # backgrounds, then main
    assert "on 1g.10gb, MIG-" in text


def test_a_run_on_nvml_devices_says_gpu_profile_and_driver(machine: Machine) -> None:
    machine.run("111")
    report = (machine.lab.folder / "report.xml").read_text()
    assert 'name="gpu" value="NVIDIA A100-SXM4-80GB"' in report
    assert 'name="device_profile" value="1g.10gb"' in report
    assert 'name="driver" value="550.54.15"' in report


@pytest.mark.parametrize(
    "name", ["1", "GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f", "0000:07:00.0"]
)
def test_mig_gpu_by_index_uuid_and_bus_id(machine: Machine, name: str) -> None:
    _, uuids = machine.run("111", "--dryrun", f"--mig-gpu={name}")
    assert len(uuids) == 3


def test_mig_gpu_that_is_not_there(machine: Machine) -> None:
    text, _ = machine.run("111", "--mig-gpu=0")
    assert "no MIG-enabled GPU is called 0: GPU 1: NVIDIA A100-SXM4-80GB" in text


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ("11", "3 MIG devices are needed on one GPU (one for main, 2 for the"),
        ("11", "found 2: GPU 1: NVIDIA A100-SXM4-80GB (2 x 1g.10gb)"),
        ("", "found 0: GPU 1: NVIDIA A100-SXM4-80GB (0 MIG devices)"),
        ("off", "found 0: no GPU with MIG enabled"),
        ("no driver", "NVML cannot be used (Driver Not Loaded)"),
        ("no driver", "pytest --mig-suite=cpu -k dlrm_server"),
    ],
)
def test_without_enough_devices(machine: Machine, geometry: str, message: str) -> None:
    text, _ = machine.run(geometry)
    assert message in text
    assert "ERROR at setup" in text
    assert not list(machine.lab.folder.glob("results/*/main"))


def test_a_pair_that_does_not_run_on_the_profile(machine: Machine) -> None:
    suite = machine.lab.folder / "site.toml"
    profiles = '[profiles."1g.10gb"]\nbert = ["offline"]\nresnet50 = ["offline"]\n'
    suite.write_text(f'extends = "{machine.lab.suite}"\n{profiles}')
    machine.lab.suite = str(suite)
    text, _ = machine.run("111", "-rs")
    assert "suite site does not run dlrm_server on 1g.10gb" in text
    assert "1 skipped" in text
    text, _ = machine.run("111", "--main-benchmark=dlrm")
    assert "1 error" in text


def test_without_nvml_nothing_falls_back(lab: Lab) -> None:
    report = lab.run(devices=0)
    if "NVML Shared Library Not Found" not in report.text:
        pytest.skip("this machine has NVML")
    report.result.assert_outcomes(errors=1)
    assert "list them: --mig-devices" in report.case.problems["error"]
    assert "pytest --mig-suite=cpu -k dlrm_server" in report.case.problems["error"]
