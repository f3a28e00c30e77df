"""NVML discovery: the real pynvml, loading a real shared library."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.devices.lease import Lease, myself, take
from tests.devices.machines import header, machine
from tests.lab import needs
from tests.lab.driver import FAKE, Files, Lab

SHOW = """
from pytest_mighetero.devices.sources.nvml import NvmlDevices
for gpu in NvmlDevices().gpus():
    print(gpu)
    for device in gpu.devices:
        print(" ", *list(vars(device).values())[:-1])
"""
A100 = "NVIDIA A100-SXM4-80GB"
RESET = "sudo nvidia-smi -i 1 --gpu-reset"
GPU_7 = "GPU-00000007-d268-c3f3-1b07-005d5ae1dc3f"
Machines = Callable[..., "Machine"]


class Machine:
    """A machine with a driver; the loader finds it in a process of its own."""

    def __init__(self, lab: Lab, library: Path, patch: pytest.MonkeyPatch):
        self.lab, self._library = lab, library
        patch.setenv("LD_LIBRARY_PATH", str(library.parent))

    def extend_suite(self, text: str) -> None:
        """Use a site's own suite, with *text* on top of the tests' one."""
        suite = self.lab.folder / "site.toml"
        suite.write_text(f'extends = "{self.lab.suite}"\n{text}')
        self.lab.suite = str(suite)

    def show(self) -> list[str]:
        """Return what NVML says of GPUs and MIG devices."""
        command = [sys.executable, "-c", SHOW]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).splitlines()

    def run(self, *options: str) -> tuple[str, list[str]]:
        """Return what pytest printed, and the devices harnesses were given."""
        arguments = self.lab.arguments("-k", "dlrm_server", *options, devices=0)
        report = self.lab.apart(*arguments, libraries=[self._library])
        dryrun = [line for line in report.result.outlines if line.startswith("cd ")]
        uuids = [
            line.partition("CUDA_VISIBLE_DEVICES=")[2].split()[0] for line in dryrun
        ]
        return report.text, uuids


@pytest.fixture
def on(
    lab: Lab, library_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Machines:
    """Build the driver of a machine: its name, and what is different on this one."""
    for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)

    def build(name: str, devices: int | None = None, **other: Any) -> Machine:
        described = {**machine(name), **other}
        if devices is not None:
            slots = described["gpus"][0]["devices"].items()
            described["gpus"][0]["devices"] = dict(list(slots)[:devices])
        return Machine(lab, library_of(header(described)), monkeypatch)

    return build


def mig(*numbers: int) -> list[str]:
    return [f"MIG-{number:08d}-0000-5000-8000-000000000000" for number in numbers]


# Discovery.


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "a100-80gb",
            [
                "GPU 0: NVIDIA A100-SXM4-80GB (7 x 1g.10gb)",
                f"  {mig(1)[0]} 1g.10gb 10200547328 0 7 0 14 0.1429",
                f"  {mig(7)[0]} 1g.10gb 10200547328 6 13 0 14 0.1429",
            ],
        ),
        ("a100-40gb", [f"  {mig(1)[0]} 1g.5gb 5100273664 0 7 0 14 0.1429"]),
        (
            "a30",
            [
                "GPU 0: NVIDIA A30 (4 x 1g.6gb)",
                f"  {mig(4)[0]} 1g.6gb 6241124352 3 6 0 14 0.25",
            ],
        ),
        (
            "h100",
            [
                "GPU 0: NVIDIA H100 80GB HBM3 (6 x 1g.10gb, 1 x 1g.10gb+me)",
                f"  {mig(7)[0]} 1g.10gb+me 10468982784 6 13 0 16 0.1212",
            ],
        ),
        (
            "holes",
            [
                "GPU 0: Tesla T4 (it has no MIG)",
                "GPU 1: NVIDIA A100-SXM4-80GB (3 x 1g.10gb)",
                f"  {mig(6)[0]} 1g.10gb 10200547328 5 12 0 14 0.1429",
            ],
        ),
        (
            "mixed",
            [
                "GPU 0: NVIDIA A100-SXM4-80GB (1 x 3g.40gb, 3 x 1g.10gb)",
                f"  {mig(1)[0]} 3g.40gb 42144366592 0 1 0 42 0.4286",
            ],
        ),
        (
            "compute-instances",
            [
                "GPU 0: NVIDIA A100-SXM4-80GB (6 x 1c.3g.40gb)",
                f"  {mig(6)[0]} 1c.3g.40gb 42144366592 5 2 2 14 0.1429",
            ],
        ),
        (
            "pre-r470",
            [f"  MIG-{GPU_7}/13/0 1g.10gb 10200547328 6 13 0 14 0.1429"],
        ),
        (
            "old-entry-points",
            [f"  MIG-{GPU_7}/13/0 1g.10gb 10200547328 6 13 0 None None"],
        ),
        (
            "states",
            [
                f"GPU 0: {A100} (MIG is off: sudo nvidia-smi -i 0 -mig 1)",
                f"GPU 1: {A100} (MIG is pending: {RESET}, or reboot)",
                "GPU 2: a GPU (lost: it fell off the bus, see dmesg, and reboot)",
                "GPU 3: NVIDIA A100-SXM4-80GB (0 MIG devices)",
            ],
        ),
    ],
)
def test_what_nvml_says_of_a_machine(on: Machines, name: str, lines: list[str]) -> None:
    shown = on(name).show()
    assert [line for line in lines if line not in shown] == [], shown


@pytest.mark.parametrize(
    ("init", "says"),
    [
        (9, "NVML cannot be used (Driver Not Loaded): load the NVIDIA driver"),
        (
            4,
            "(Insufficient Permissions): this user may not open the GPU's device files",
        ),
        (18, "version mismatch.): the loaded driver and libnvidia-ml.so.1 are of"),
        (15, "(GPU is lost): a GPU fell off the bus; see dmesg, and reboot."),
        (999, "(Unknown Error): see nvidia-smi and dmesg."),
        (9, "--mig-suite=cpu -k dlrm_server"),
    ],
)
def test_an_error_of_nvml_says_what_to_do(on: Machines, init: int, says: str) -> None:
    text, _ = on("a100-80gb", init=init).run()
    assert says in text
    assert "ERROR at setup" in text
    assert "Traceback" not in text


def test_without_nvml_nothing_falls_back(lab: Lab) -> None:
    report = lab.run(devices=0)
    if "NVML Shared Library Not Found" not in report.text:
        pytest.skip("this machine has NVML")
    report.result.assert_outcomes(errors=1)
    assert "list the devices: --mig-devices" in report.case.problems["error"]
    assert "--mig-suite=cpu -k dlrm_server" in report.case.problems["error"]


# What the caller's own environment leaves.


@pytest.mark.parametrize(
    ("variable", "value", "left"),
    [
        ("CUDA_VISIBLE_DEVICES", "1", [11, 12, 13, 14, 15, 16, 17]),
        ("CUDA_VISIBLE_DEVICES", GPU_7, [11, 12, 13, 14, 15, 16, 17]),
        ("CUDA_VISIBLE_DEVICES", "GPU-00000007", [11, 12, 13, 14, 15, 16, 17]),
        ("CUDA_VISIBLE_DEVICES", ",".join(mig(13, 11, 2)), [2, 11, 13]),
        ("CUDA_VISIBLE_DEVICES", f"MIG-{GPU_7}/9/0", [13]),
        ("CUDA_VISIBLE_DEVICES", f"{mig(11)[0]},nonsense,{mig(12)[0]}", [11]),
        ("CUDA_VISIBLE_DEVICES", "", []),
        ("CUDA_VISIBLE_DEVICES", "-1", []),
        ("NVIDIA_VISIBLE_DEVICES", "all", [*range(1, 5), *range(11, 18)]),
        ("NVIDIA_VISIBLE_DEVICES", "void", []),
        ("NVIDIA_VISIBLE_DEVICES", "0", [1, 2, 3, 4]),
        ("NVIDIA_VISIBLE_DEVICES", "1:0,1:2", [11, 13]),
        ("NVIDIA_VISIBLE_DEVICES", "5,6", [*range(1, 5), *range(11, 18)]),
        ("NVIDIA_VISIBLE_DEVICES", mig(12)[0], [12]),
    ],
)
def test_the_environment_bounds_what_is_found(
    on: Machines,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    left: list[int],
) -> None:
    here = on("two-kinds")
    monkeypatch.setenv(variable, value)
    uuids = [line.split()[0] for line in here.show() if line.startswith("  ")]
    assert uuids == mig(*left)


def test_what_the_environment_hides_is_said(
    on: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = on("a100-80gb")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    text, _ = here.run()
    assert "(7 of 7 MIG devices hidden by CUDA_VISIBLE_DEVICES)" in text


# The GPU of a run.


def test_devices_are_found_past_holes_in_the_index_list(on: Machines) -> None:
    text, uuids = on("holes").run("--dryrun")
    assert uuids == [*mig(3, 6), *mig(1)]  # backgrounds, then main
    assert "on 1g.10gb, MIG-" in text


def test_a_run_on_nvml_devices_says_gpu_profile_and_driver(on: Machines) -> None:
    here = on("a100-80gb")
    text, _ = here.run()
    report = (here.lab.folder / "report.xml").read_text()
    assert 'name="gpu" value="NVIDIA A100-SXM4-80GB"' in report
    assert 'name="device_profile" value="1g.10gb"' in report
    assert 'name="driver" value="550.54.15"' in report
    assert f'name="geometry" value="GPU 0: {A100} (7 x 1g.10gb)"' in report
    assert 'name="device_gi" value="7"' in report
    assert f"mighetero: GPU 0: {A100} (7 x 1g.10gb), driver 550.54.15" in text
    assert f"mighetero: suite fake (the tests' own harness), harness folder {FAKE}" in (
        text
    )


@pytest.mark.parametrize("name", ["1", GPU_7, "0000:07:00.0"])
def test_mig_gpu_by_index_uuid_and_bus_id(on: Machines, name: str) -> None:
    _, uuids = on("two-kinds").run("--dryrun", f"--mig-gpu={name}")
    assert uuids == [*mig(12, 13), *mig(11)]


@pytest.mark.parametrize(
    ("name", "called", "says"),
    [
        ("a100-80gb", "7", "no GPU is called 7: GPU 0: NVIDIA A100-SXM4-80GB (7 x 1g"),
        ("states", "0", "--mig-gpu: GPU 0: NVIDIA A100-SXM4-80GB (MIG is off: sudo"),
        ("states", "2", "--mig-gpu: GPU 2: a GPU (lost: it fell off the bus"),
    ],
)
def test_mig_gpu_that_cannot_be_used(
    on: Machines, name: str, called: str, says: str
) -> None:
    text, _ = on(name).run(f"--mig-gpu={called}")
    assert says in text


@pytest.mark.parametrize(
    ("name", "devices", "message"),
    [
        ("a100-80gb", 1, "2 MIG devices are needed on one GPU (one for main, one"),
        ("a100-80gb", 1, "found 1: GPU 0: NVIDIA A100-SXM4-80GB (1 x 1g.10gb)"),
        ("a100-80gb", 0, "found 0: GPU 0: NVIDIA A100-SXM4-80GB (0 MIG devices)"),
        ("states", None, "found 0: GPU 0: NVIDIA A100-SXM4-80GB (MIG is off: sudo"),
    ],
)
def test_without_enough_devices(
    on: Machines, name: str, devices: int | None, message: str
) -> None:
    here = on(name, devices)
    text, _ = here.run()
    assert message in text
    assert "ERROR at setup" in text
    assert not list(here.lab.folder.glob("results/*/main"))


def test_backgrounds_without_a_device_are_left_out_and_named(on: Machines) -> None:
    here = on("a100-80gb", 3)
    here.lab.suite = "v2.0"
    text, uuids = here.run("--dryrun", "-W", "error::DeprecationWarning")
    assert uuids == [*mig(2, 3), *mig(1)]
    assert "# background 2 of 2: bert_offline on 1g.10gb" in text
    assert "not every background runs: GPU 0: NVIDIA A100-SXM4-80GB (3 x 1g.10gb)" in (
        text
    )
    assert "has no device left for resnet50, rnnt, ssd-mobilenet, ssd-resnet34" in text


@pytest.mark.parametrize(
    ("devices", "group", "beside"),
    [
        (7, "server", "3d-unet bert dlrm resnet50 rnnt ssd-resnet34"),
        (6, "server", "3d-unet bert resnet50 rnnt ssd-resnet34"),
        (4, "server", "3d-unet bert resnet50"),
        (4, "dlrm,rnnt,bert,resnet50", "bert dlrm resnet50"),
        (7, "all", "3d-unet bert resnet50 rnnt ssd-mobilenet ssd-resnet34"),
        (7, "none", ""),
    ],
)
def test_mains_own_benchmark_makes_room_where_there_is_none(
    on: Machines, devices: int, group: str, beside: str
) -> None:
    here = on("a100-80gb", devices)
    here.lab.suite = "v2.0"
    text, _ = here.run("--dryrun", f"--background-benchmarks={group}")
    words = (line.split() for line in text.splitlines() if "# background" in line)
    names = [line[5].removesuffix("_offline") for line in words]
    assert " ".join(names) == beside


def test_a_mixed_gpu_is_refused_with_its_geometry(on: Machines) -> None:
    text, uuids = on("mixed").run("--dryrun")
    assert "MIG devices of several profiles, and main could sit on any: GPU 0" in text
    assert "(1 x 3g.40gb, 3 x 1g.10gb). Say main's with --main-profile" in text
    assert not uuids


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--main-profile=3g.40gb"], [2, 3, 1]),
        (["--main-profile=1g.10gb"], [3, 4, 2]),
        (["--main-profile=1g.10gb", "--mig-rotate=1"], [4, 1, 3]),
    ],
)
def test_main_profile_and_rotation(
    on: Machines, options: list[str], expected: list[int]
) -> None:
    _, uuids = on("mixed").run("--dryrun", *options)
    assert uuids == mig(*expected)  # backgrounds, then main


def test_the_gpu_with_most_devices_that_main_runs_on(on: Machines) -> None:
    here = on("two-kinds")
    here.extend_suite("[benchmarks.dlrm]\nmemory_gb = 7\n")
    _, uuids = here.run("--dryrun")
    assert uuids == mig(12, 13, 11)
    text, _ = here.run("-rs", "--mig-gpu=0")
    assert "runs dlrm_server on 7 GB and more, and 1g.6gb has 6.2 GB" in text
    assert "1 skipped" in text


def test_a_background_that_does_not_run_on_the_profile(on: Machines) -> None:
    here = on("a100-80gb")
    here.extend_suite(
        '[profiles."1g.10gb"]\ndlrm = ["server"]\nresnet50 = ["offline"]\n'
    )
    text, uuids = here.run("--dryrun")
    assert uuids == mig(2, 1)
    assert "not every background runs: suite site does not run bert_offline on" in text
    text, _ = here.run("--background-benchmarks=bert,resnet50")
    assert "does not run bert_offline on 1g.10gb. Choose other --background" in text
    assert "ERROR at setup" in text


def test_no_background_at_all_is_no_heterogeneous_run(on: Machines) -> None:
    here = on("a100-80gb")
    here.extend_suite('[profiles."1g.10gb"]\ndlrm = ["server"]\n')
    text, uuids = here.run("--dryrun")
    assert "does not run bert_offline on 1g.10gb; suite site does not run resn" in text
    assert "1 error" in text
    assert not uuids


def test_a_pair_that_does_not_run_on_the_profile(on: Machines) -> None:
    here = on("a100-80gb")
    here.extend_suite(
        '[profiles."1g.10gb"]\nbert = ["offline"]\nresnet50 = ["offline"]\n'
    )
    text, _ = here.run("-rs")
    assert "suite site does not run dlrm_server on 1g.10gb" in text
    assert "1 skipped" in text
    text, _ = here.run("--main-benchmark=dlrm")
    assert "1 error" in text


# What the suite's harness knows of them.


PLAIN = r"it reads only profiles such as 1g.10gb (\d+g\.\d+gb). Make such devices"
UNKNOWN = [
    ("a100-80gb", "v1.0", [], f"v1.0 does not know {mig(1)[0]}: it takes MIG-GPU-<"),
    ("pre-r470", "v1.1", [], f"v1.1 does not know MIG-{GPU_7}/7/0: it takes MIG-<"),
    ("compute-instances", "v2.0", [], "profile is 1c.3g.40gb: " + PLAIN),
    ("h100", "v2.0", ["--main-profile=1g.10gb+me"], "is 1g.10gb+me: " + PLAIN),
]


@pytest.mark.parametrize("dryrun", [[], ["--dryrun"]])
@pytest.mark.parametrize(("name", "suite", "options", "says"), UNKNOWN)
def test_a_main_that_the_harness_would_not_find(  # noqa: PLR0917
    on: Machines,
    name: str,
    suite: str,
    options: list[str],
    says: str,
    dryrun: list[str],
) -> None:
    here = on(name)
    here.lab.suite = suite
    text, uuids = here.run(*options, *dryrun)
    assert f"the harness of suite {suite} does not " in text
    assert says in text
    assert "1 error" in text
    assert not uuids
    assert not list(here.lab.folder.glob("results/*/main"))


@pytest.mark.parametrize(
    ("name", "suite"),
    [("a100-80gb", "v1.1"), ("a100-80gb", "v2.0"), ("pre-r470", "v1.0")],
)
def test_devices_that_the_harness_knows(on: Machines, name: str, suite: str) -> None:
    here = on(name)
    here.lab.suite = suite
    text, uuids = here.run("--dryrun")
    assert len(uuids) == 7, text


def test_a_background_sits_where_the_harness_finds_it(on: Machines) -> None:
    here = on("h100")
    here.lab.suite = "v2.0"
    group = "--background-benchmarks=bert,resnet50,rnnt,3d-unet,ssd-resnet34,dlrm"
    text, uuids = here.run("--dryrun", "--main-profile=1g.10gb", group)
    assert uuids == [*mig(2, 3, 4, 5, 6), *mig(1)]
    assert "has no device left for ssd-resnet34; the harness of suite v2.0 does" in text
    assert "whose profile is 1g.10gb+me" in text


def test_no_device_for_a_background_that_the_harness_finds(on: Machines) -> None:
    gpu = machine("h100")["gpus"][0]
    last = dict(list(gpu["devices"].items())[-2:])
    here = on("h100", gpus=[{**gpu, "devices": last}])
    here.lab.suite = "v2.0"
    text, uuids = here.run("--dryrun", "--main-profile=1g.10gb")
    assert "1 error" in text
    assert f"does not find {mig(7)[0]}, whose profile is 1g.10gb+me: " in text
    assert not uuids


def test_a_site_may_have_a_harness_that_knows_more(on: Machines) -> None:
    here = on("h100")
    here.lab.suite = "v2.0"
    here.extend_suite("[harness]\ndevice_profiles = '.*'\n")
    _, uuids = here.run("--dryrun", "--main-profile=1g.10gb+me")
    assert uuids[-1:] == mig(7)


@pytest.mark.parametrize(("name", "suite", "options", "says"), UNKNOWN)
def test_mig_list_says_what_is_not_usable(
    on: Machines, name: str, suite: str, options: list[str], says: str
) -> None:
    here = on(name)
    here.lab.suite = suite
    text, _ = here.run("--mig-list", *options)
    devices = [line for line in text.splitlines() if line.startswith("  MIG-")]
    bad = [line for line in devices if line.endswith("  not usable")]
    assert len(bad) == (1 if name == "h100" else len(devices))
    assert text.count("  not usable: the harness of suite") == 1
    assert says in text


# What there is, without a test.


def test_mig_list(on: Machines) -> None:
    here = on("two-kinds")
    here.extend_suite('[profiles."1g.6gb"]\nbert = ["offline"]\n')
    held = take(here.lab.folder / "leases", [GPU_7], myself("test_it[dlrm_server]"))
    text, _ = here.run("--mig-list")
    assert isinstance(held, Lease)
    held.close()
    lines = [line for line in text.splitlines() if not line.startswith("running:")]
    a30, a100 = (text.index(f"GPU {number}: ") for number in (0, 1))
    assert text[a30:].startswith("GPU 0: NVIDIA A30 (4 x 1g.6gb), GPU-00000003-")
    assert ", 00000000:03:00.0, driver 550.54.15\n  free\n" in text[a30:a100]
    assert (
        f"  {mig(1)[0]}  1g.6gb  6.2 GB  slot 0  GI 3  CI 0  SMs 14  share 0.25"
        in lines
    )
    assert "    bert: offline\n    dlrm: does not run\n" in text[a30:a100]
    assert text[a100:].startswith(f"GPU 1: {A100} (7 x 1g.10gb), {GPU_7}")
    assert "driver 550.54.15\n  used by pid " in text[a100:]
    assert "    dlrm: offline, server" in text[a100:]
    assert "test session starts" not in text


def test_mig_list_where_nvml_cannot_be_asked(on: Machines) -> None:
    text, _ = on("a100-80gb", init=9).run("--mig-list")
    assert "NVML cannot be used (Driver Not Loaded)" in text
    assert "Traceback" not in text


def test_n_auto_starts_a_worker_for_each_gpu(on: Machines) -> None:
    needs.module("xdist")
    here = on("two-kinds")
    long = "--background-benchmark-duration=15s"
    text, _ = here.run("-p", "xdist", "-nauto", "-k", "server", long)
    assert "created: 2/2 workers" in text
    assert "2 passed" in text
    records = [
        json.loads(p.read_text()) for p in here.lab.folder.glob("results/*/*.json")
    ]
    assert {record["facts"]["gpu"] for record in records} == {A100, "NVIDIA A30"}


# What the GPU did meanwhile.


def record_of(here: Machine) -> dict[str, Any]:
    (path,) = here.lab.folder.glob("results/*/record.json")
    record: dict[str, Any] = json.loads(path.read_text())
    return record


LONG = ("--main-benchmark-duration=2500ms", "--background-benchmark-duration=15s")


def test_telemetry_of_mains_window_is_in_the_record(on: Machines) -> None:
    here = on("a100-80gb")
    text, _ = here.run(*LONG)
    assert "1 passed" in text
    record = record_of(here)
    kept = record["course"]["samples"]["power_w"]
    assert {287.0, 288.0} == set(kept["values"])
    launched, exited = (record["harnesses"][0][x] for x in ("launched", "exited"))
    assert launched <= kept["at"][0] < kept["at"][-1] <= exited
    (picture,) = here.lab.folder.glob("results/*/timeline.svg")
    assert "<title>power, W: 287 to 288</title>" in picture.read_text()
    telemetry = record["telemetry"]
    assert telemetry.pop("samples") >= 2
    power = telemetry.pop("power_w")
    assert (power["min"], power["max"]) == (287.0, 288.0)
    assert 287.0 < power["mean"] < 288.0
    same = {"temperature_c": 61.0, "sm_clock_mhz": 1275, "memory_clock_mhz": 1593}
    same["memory_used_mb"] = 5100.273664
    for name, value in same.items():
        assert telemetry.pop(name)["max"] == pytest.approx(value)
    assert telemetry == {"throttled_by": []}


@pytest.mark.parametrize("missing", [[], ["nvmlDeviceGetCurrentClocksEventReasons"]])
def test_a_throttled_gpu_is_warned_of(on: Machines, missing: list[str]) -> None:
    gpus = machine("a100-80gb")["gpus"]
    here = on("a100-80gb", gpus=[{**gpus[0], "reasons": 0x24}], missing=missing)
    text, _ = here.run(*LONG)
    assert "1 passed, 4 deselected, 1 warning" in text
    throttled = "software power cap, software thermal slowdown"
    assert f"the GPU was throttled in main's window by {throttled} (temp" in text
    assert "(temperature up to 61 C, power up to 288 W); such a figure is not" in text
    report = (here.lab.folder / "report.xml").read_text()
    assert f'name="throttled_by" value="{throttled}"' in report


def test_what_a_driver_does_not_offer_is_absent(on: Machines) -> None:
    gpus = [{**machine("a100-80gb")["gpus"][0], "power_mw": 0, "memory_mhz": 0}]
    here = on("a100-80gb", gpus=gpus)
    here.run(*LONG)
    telemetry = record_of(here)["telemetry"]
    assert set(telemetry) == {
        "samples",
        "temperature_c",
        "sm_clock_mhz",
        "memory_used_mb",
        "throttled_by",
    }


def test_telemetry_can_be_left_out(on: Machines) -> None:
    here = on("a100-80gb")
    here.run("--no-mig-telemetry")
    assert record_of(here)["telemetry"] == {}


@pytest.mark.slow
def test_workers_in_one_harness_folder_do_not_mix(
    on: Machines, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As the real one it has one user.conf for main bert and background bert."""
    here = on("two-kinds")
    here.lab.harness = tmp_path_factory.mktemp("closed") / "org"
    shutil.copytree(FAKE, here.lab.harness)
    here.lab.fake(**{"*": {"conf": True, "before": 0.3}})
    runs = ("-p", "xdist", "-n2", "--mig-repeat=20", "--background-benchmarks=edge")
    here.run(*runs, "-k", "dlrm_server or bert_offline")
    records = Files(here.lab.folder).records
    assert len(records) == 40
    for each in records:
        assert {phase["outcome"] for phase in each["phases"].values()} == {"passed"}
    lengths = {
        (each["role"] == "main", each["loadgen"]["settings"]["min_duration_ms"])
        for record in records
        for each in record["harnesses"]
    }
    assert lengths == {(True, 300), (False, 8000)}
    assert len({record["facts"]["gpu"] for record in records}) == 2


NEEDING = """
import pytest

@pytest.mark.mig_needs({})
def test_needing(background, main):
    main.run()
"""


@pytest.mark.parametrize(
    ("needs", "machine", "uuids"),
    [
        ('gpu="a30"', "two-kinds", mig(1)),
        ('gpu="A100", profile="1g.10gb"', "two-kinds", mig(11)),
        ('profile="3g.40gb"', "mixed", mig(1)),
        ('profile="1g.10gb"', "mixed", mig(2)),
    ],
)
def test_a_test_has_what_it_needs(
    on: Machines, needs: str, machine: str, uuids: list[str]
) -> None:
    here = on(machine)
    here.lab.pytester.makepyfile(test_run=NEEDING.format(needs))
    text, found = here.run("--dryrun")
    assert found[-1:] == uuids, text


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ('gpu="H100"', "a GPU called H100 is needed: GPU 0: NVIDIA A30 (4 x 1g.6gb)."),
        ('profile="7g.80gb"', "there is no MIG device of profile 7g.80gb: GPU 0"),
        ('gpu="A30", model="A30"', "mig_needs: expected gpu="),
        ('"A30"', "mig_needs: expected gpu="),
        ("gpu=30", "mig_needs: expected gpu="),
    ],
)
def test_what_is_needed_and_not_there_fails_a_test(
    on: Machines, needs: str, said: str
) -> None:
    here = on("a30")
    here.lab.pytester.makepyfile(test_run=NEEDING.format(needs))
    text, found = here.run("--dryrun")
    assert found == []
    assert said in text
    assert "Traceback" not in text
