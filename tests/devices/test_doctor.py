"""``mighetero doctor`` on GPUs: the real pynvml, loading a driver's real library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.devices.lease import Lease, holder_of, myself, take
from tests.devices.machines import header, machine
from tests.lab.driver import FAKE, UUIDS

GPU = "GPU-00000007-d268-c3f3-1b07-005d5ae1dc3f"
SEVEN = "GPU 0: NVIDIA A100-SXM4-80GB (7 x 1g.10gb)"


class Doctor:
    """A machine that ``mighetero doctor`` looks at, in a process of its own."""

    def __init__(self, folder: Path, library_of: Callable[[str], Path]):
        self.folder, self._library_of = folder, library_of
        self.leases = folder / "leases"
        self.environment = {
            k: v for k, v in os.environ.items() if not k.endswith("_VISIBLE_DEVICES")
        }

    def on(self, name: str, **other: Any) -> None:
        library = self._library_of(header({**machine(name), **other}))
        self.environment["LD_LIBRARY_PATH"] = str(library.parent)

    def process(self, *options: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "pytest_mighetero.cli", "doctor"]
        suite = f"--mig-suite={FAKE / 'fake.toml'}"
        here = [f"--mig-harness-dir={FAKE}", f"--mig-lease-dir={self.leases}"]
        return subprocess.run(
            [*words, suite, *here, *options],
            capture_output=True,
            check=False,
            cwd=self.folder,
            env=self.environment,
            text=True,
        )

    def look(self, *options: str) -> Found:
        done = self.process("--json", *options)
        assert not done.stderr
        return Found(done.returncode, json.loads(done.stdout))


class Found:
    def __init__(self, code: int, document: dict[str, Any]):
        self.code, self.pairs = code, document["pairs"]
        assert document["ok"] == (code == 0)
        self._findings = document["findings"]

    def of(self, about: str) -> list[tuple[str, str]]:
        """Return state and sentence of each finding about it."""
        return [
            (each["state"], "; ".join(filter(None, (each["says"], each["do"]))))
            for each in self._findings
            if each["about"] == about
        ]


@pytest.fixture
def doctor(tmp_path: Path, library_of: Callable[[str], Path]) -> Doctor:
    return Doctor(tmp_path, library_of)


def seen_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}


def test_a_machine_on_which_all_is_well_and_stays_as_it_is(doctor: Doctor) -> None:
    doctor.on("a100-80gb")
    (doctor.folder / "conftest.py").write_text("import json\n")
    before = seen_in(doctor.folder)
    found = doctor.look()
    assert found.code == 0
    assert found.of("driver") == [("ok", "550.54.15")]
    [(state, said)] = found.of("NVML")
    assert state == "ok"
    assert said.startswith("shows 1 GPU (nvidia-ml-py ")
    assert found.of("MIG") == [("ok", SEVEN)]
    assert found.of("devices") == [("ok", "7 MIG devices visible, none hidden")]
    assert found.of("leases")[-1] == ("ok", "GPU 0 is free")
    assert set(found.pairs.values()) == {None}
    [(state, said)] = found.of("suite")
    assert state == "ok"
    assert said.startswith("6 of suite fake's 6 pairs run here: bert_offline, ")
    assert seen_in(doctor.folder) == before
    assert not doctor.leases.exists()


def test_each_is_a_line(doctor: Doctor) -> None:
    doctor.on("a100-80gb")
    lines = doctor.process().stdout.splitlines()
    assert len(lines) > 12
    assert {line.split()[0] for line in lines} <= {"ok", "-", "warning", "bad"}
    assert f"ok       MIG            {SEVEN}" in lines


@pytest.mark.parametrize(
    ("gpus", "state"), [((0, 1, 2, 3), "bad"), ((0, 1, 2, 3, 4), "warning")]
)
def test_what_keeps_a_gpu_from_having_devices(
    doctor: Doctor, gpus: tuple[int, ...], state: str
) -> None:
    every = [*machine("states")["gpus"], *machine("a100-80gb")["gpus"]]
    doctor.on("states", gpus=[every[number] for number in gpus])
    found = doctor.look()
    create = "sudo nvidia-smi mig -i 3 -cgi PROFILE,... -C makes some, of the profiles"
    for (was, said), expected in zip(
        found.of("MIG"),
        (
            "MIG is off: sudo nvidia-smi -i 0 -mig 1",
            "MIG is pending: sudo nvidia-smi -i 1 --gpu-reset, or reboot",
            "lost: it fell off the bus, see dmesg",
            f"GPU 3: NVIDIA A100-SXM4-80GB: MIG is on, no devices; {create}",
        ),
        strict=False,
    ):
        assert (was, expected in said) == (state, True), said
    assert found.code == (1 if state == "bad" else 0)
    assert found.of("MIG")[4:] == [("ok", SEVEN.replace("0:", "4:"))] * (len(gpus) - 4)


@pytest.mark.parametrize(
    ("init", "says"),
    [
        (9, "load the NVIDIA driver (sudo modprobe nvidia)"),
        (18, "of different versions; reboot after the driver's update"),
        (4, "may not open the GPU's device files; look at ls -l /dev/nvidia*"),
    ],
)
def test_nvml_that_cannot_be_asked(doctor: Doctor, init: int, says: str) -> None:
    doctor.on("a100-80gb", init=init)
    found = doctor.look()
    [(state, said)] = found.of("NVML")
    assert (found.code, state, says in said) == (1, "bad", True)
    assert set(found.pairs.values()) == {"there are no devices to run on"}
    assert found.of("MIG") == []
    assert found.of("make")[0][0] == "ok"  # all else is looked at


def test_no_gpu_at_all(doctor: Doctor) -> None:
    doctor.on("a100-80gb", gpus=[])
    found = doctor.look()
    assert found.code == 1
    assert found.of("NVML")[0][0] == "bad"
    assert "docker run --gpus" in found.of("NVML")[0][1]


def test_what_the_environment_hides(doctor: Doctor) -> None:
    doctor.on("a100-80gb")
    slots = machine("a100-80gb")["gpus"][0]["devices"]
    uuids = [slots[str(slot)]["uuid"] for slot in range(7)]
    doctor.environment["NVIDIA_VISIBLE_DEVICES"] = ",".join(uuids[:5])
    doctor.environment["CUDA_VISIBLE_DEVICES"] = ",".join(uuids[:3])
    found = doctor.look()
    assert found.code == 0
    (state, runtime), (_, cuda) = found.of("devices")
    assert state == "warning"
    assert runtime == (
        f"GPU 0: 2 of 7 MIG devices hidden by NVIDIA_VISIBLE_DEVICES="
        f"{','.join(uuids[:5])}; unset it, or name in it, too: {uuids[5]}, {uuids[6]}"
    )
    assert cuda.startswith("GPU 0: 2 of 7 MIG devices hidden by CUDA_VISIBLE_DEV")
    assert found.of("MIG") == [("ok", SEVEN.replace("7 x", "3 x"))]

    doctor.environment["CUDA_VISIBLE_DEVICES"] = "\x1b[31m,\n,"
    done = doctor.process()
    assert done.returncode == 1
    lines = [each for each in done.stdout.splitlines() if "hidden by CUDA" in each]
    line = next(each for each in lines if each.split()[1] == "devices")
    assert line.startswith("bad ")
    assert "GPU 0: 5 of 7 MIG devices hidden by CUDA_VISIBLE_DEVICES=" in line
    assert "\\x1b[31m" in line
    assert (
        "GPU 0: NVIDIA A100-SXM4-80GB (7 MIG devices, none of them vis" in done.stdout
    )


def test_who_holds_a_lease_is_named_and_keeps_it(doctor: Doctor) -> None:
    doctor.on("a100-80gb")
    held = take(doctor.leases, [GPU], myself("test_it[dlrm_server]"))
    assert isinstance(held, Lease)
    before = seen_in(doctor.leases)
    found = doctor.look()
    (_, said), (state, holder) = found.of("leases")
    assert (found.code, state) == (0, "warning")
    assert said.startswith(f"in {doctor.leases}")
    assert holder.startswith(f"GPU 0 is used by pid {os.getpid()} of ")
    assert "(test_it[dlrm_server]); a run waits for it, 1h at most" in holder
    assert seen_in(doctor.leases) == before
    assert "test_it" in (holder_of(doctor.leases, [GPU]) or "")
    held.close()
    assert doctor.look().of("leases")[1] == ("ok", "GPU 0 is free")


@pytest.mark.parametrize(
    ("mode", "state", "says"),
    [(0o777, "bad", "everybody may delete what is in it"), (0o1777, "ok", "in /")],
)
def test_a_folder_of_leases_that_no_run_would_use(
    doctor: Doctor, mode: int, state: str, says: str
) -> None:
    doctor.on("a100-80gb")
    doctor.leases.mkdir()
    doctor.leases.chmod(mode)
    was, said = doctor.look().of("leases")[0]
    assert says in said
    assert was == state or "this container's own" in said


def test_a_gpu_that_is_throttled(doctor: Doctor) -> None:
    gpu = {**machine("a100-80gb")["gpus"][0], "power_mw": 390000, "temperature": 91}
    gpu |= {"sm_mhz": 1095, "memory_mhz": 1593, "reasons": 0x20 | 0x04}
    doctor.on("a100-80gb", gpus=[gpu])
    [(state, said)] = doctor.look().of("GPU clocks")
    assert state == "warning"
    assert "GPU 0: throttled by software power cap, software thermal slowdown (" in said
    assert "SMs 1095 MHz, memory 1593 MHz, temperature 91 °C, power 39" in said
    doctor.on("a100-80gb", gpus=[{**gpu, "reasons": 0x1}])
    [(state, said)] = doctor.look().of("GPU clocks")
    assert (state, said.startswith("GPU 0: not throttled (")) == ("ok", True)


def test_geometry_that_lets_no_run_be_or_not_any(doctor: Doctor) -> None:
    gpu = machine("a100-80gb")["gpus"][0]
    one = {**gpu, "devices": {"0": gpu["devices"]["0"]}}
    doctor.on("a100-80gb", gpus=[one])
    found = doctor.look()
    assert found.code == 1
    assert "one device, so that main has no neighbour" in found.of("MIG")[0][1]
    assert "2 MIG devices are needed on one GPU" in found.of("suite")[1][1]
    found = doctor.look("--background-benchmarks=none")
    assert (found.code, set(found.pairs.values())) == (0, {None})
    doctor.on("mixed")
    found = doctor.look()
    assert "several profiles, and main could be on any" in found.of("MIG")[0][1]
    assert found.of("suite")[0][0] == "bad"
    profile = next(iter(machine("mixed")["gpus"][0]["devices"].values()))["profile"]
    assert doctor.look(f"--main-profile={profile}").of("suite")[0][0] == "ok"


def test_which_pairs_fit_the_suites_of_rounds(doctor: Doctor) -> None:
    doctor.on("a30")
    found = doctor.look("--mig-suite=v2.0")
    (_, good), (_, too_long), (state, left_out) = found.of("suite")
    assert (found.code, state) == (0, "warning")
    assert good.startswith("20 of suite v2.0's 21 pairs run here: 3d-unet_singlestream")
    assert "18.3 h" in (found.pairs["3d-unet_offline"] or "")
    assert too_long.startswith("not 3d-unet_offline: ")
    assert "suite v1.1: defaults.background-benchmark-timeout: " in too_long
    assert left_out.startswith(
        "not every background runs beside 3d-unet_singlestream: "
    )
    assert "GPU 0: NVIDIA A30 (4 x 1g.6gb) has no device left for " in left_out
    found = doctor.look("--mig-suite=v1.0")
    assert found.code == 1
    (state, said), (_, why), (left, missing) = found.of("suite")
    assert (state, said) == ("bad", "none of suite v1.0's 12 pairs runs here")
    assert "the harness of suite v1.0 does not know MIG-" in why
    assert (left, "no configuration --config_ver=hetero of" in missing) == (
        "unneeded",
        True,
    )


def test_devices_that_are_listed_need_no_driver(doctor: Doctor) -> None:
    found = doctor.look(f"--mig-devices={','.join(UUIDS[:3])}")
    assert found.code == 0
    listed = "--mig-devices lists the devices, and they are taken at their word"
    for about in ("driver", "NVML", "MIG"):
        assert found.of(about) == [("unneeded", listed)]
    assert found.of("GPU clocks") == []
    assert set(found.pairs.values()) == {None}


def test_a_gpu_of_no_such_name(doctor: Doctor) -> None:
    doctor.on("a100-80gb")
    found = doctor.look("--mig-gpu=3")
    assert found.code == 1
    assert "--mig-gpu: no GPU is called 3: GPU 0" in found.of("NVML")[0][1]
