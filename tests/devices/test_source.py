"""Another kind of devices is one file more, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mighetero.devices import sources
from pytest_mighetero.devices.source import device_kinds
from tests.lab.driver import UUIDS, Lab

PARTITIONS = '''
"""The partitions of two AMD GPUs."""

from contextlib import contextmanager

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.telemetry import Reading
from pytest_mighetero.terms.device_kind import DeviceKind


class Partitions:
    kind = DeviceKind("ROCR_VISIBLE_DEVICES", knows_gpus=True)

    def gpus(self):
        return tuple(
            Gpu(
                "AMD Instinct MI300X",
                tuple(MigDevice(f"{index}.{n}", "CPX") for n in range(3)),
                index=index,
                uuid=f"amd-{index}",
            )
            for index in range(2)
        )

    @contextmanager
    def meter(self, gpu, device):
        yield lambda: Reading({"power_w": 700.0}, {"heat": device.uuid == "1.0"})


SOURCE = Partitions()
'''


@pytest.fixture
def partitions(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose suite runs on what one more file of ``sources`` knows."""
    folder = tmp_path / "dropped"
    folder.mkdir()
    (folder / "partitions.py").write_text(PARTITIONS)
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(folder)])
    monkeypatch.delitem(sys.modules, f"{sources.__name__}.partitions", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "of the user")
    suite = lab.folder / "site.toml"
    suite.write_text(f'extends = "{lab.suite}"\ndevices = "partitions"\n')
    lab.suite = str(suite)
    return lab


def test_harnesses_get_its_devices_by_its_variable(partitions: Lab) -> None:
    lengths = "--main-benchmark-duration=2s", "--background-benchmark-duration=5s"
    report = partitions.run("--mig-gpu=1", *lengths, devices=0)
    report.result.assert_outcomes(passed=1)
    launches = [*report.launches(), *report.launches("background")]
    placed = [launch["environ"]["ROCR_VISIBLE_DEVICES"] for launch in launches]
    assert sorted(placed) == ["1.0", "1.1", "1.2"]
    assert {each["environ"]["CUDA_VISIBLE_DEVICES"] for each in launches} == {
        "of the user"
    }
    assert "ROCR_VISIBLE_DEVICES=1.0 make" in report.case.properties["command"]
    telemetry = report.record["telemetry"]
    assert telemetry["power_w"]["max"] == 700
    assert telemetry["throttled_by"] == ["heat"]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (f"--mig-devices={UUIDS[0]}", "takes no MIG UUIDs"),
        ("--mig-gpu=7", "no GPU is called 7: GPU 0: AMD Instinct MI300X (3 x CPX)"),
    ],
)
def test_options_mean_what_it_says_of_itself(
    partitions: Lab, option: str, says: str
) -> None:
    assert says in partitions.run(option, devices=0).text


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("devices = 'rocm'", "expected one of nvml, partitions, cpu, found 'rocm'"),
        (
            "[harness.environment]\nROCR_VISIBLE_DEVICES = '0'",
            "another variable than CUDA_VISIBLE_DEVICES and ROCR_VISIBLE_DEVICES and",
        ),
    ],
)
def test_suites_are_checked_with_it(partitions: Lab, line: str, says: str) -> None:
    Path(partitions.suite).write_text(f'extends = "{partitions.folder}/x.toml"\n{line}')
    assert says in partitions.run(devices=0).text


def test_to_know_of_a_source_needs_no_nvml() -> None:
    script = (
        "import sys; from pytest_mighetero.devices.source import device_kinds; "
        "print(*device_kinds(), 'pynvml' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [*device_kinds(), "False"] == ["nvml", "cpu", "False"]
