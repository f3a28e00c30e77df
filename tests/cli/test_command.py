"""The command's usage, ``mighetero list`` and ``mighetero show``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import VERBS, main
from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.lease import Lease, myself, take
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.show import inventory as listing
from tests.cli.runs import failed, write_run
from tests.lab import needs
from tests.lab.driver import UUIDS, Lab

Capture = pytest.CaptureFixture[str]
MIGHETERO = Path(sys.executable).with_name("mighetero")


@pytest.mark.parametrize(
    "command",
    [[str(MIGHETERO)], [sys.executable, "-m", "pytest_mighetero.cli"]],
)
def test_the_installed_command(command: list[str]) -> None:
    if not Path(command[0]).exists():
        needs.lacking("the package's commands")
    words = [*command, "list", "--mig-suite=cpu", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["devices"]) == 7
    piped = f"{' '.join(command)} list --mig-suite=cpu | true"
    done = subprocess.run(
        piped, shell=True, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", [each.NAME for each in VERBS])
def test_help_has_examples(verb: str, capsys: Capture) -> None:
    assert main([verb, "--help"]) == 0
    assert f"examples:\n  mighetero {verb} " in capsys.readouterr().out


@pytest.mark.parametrize("verb", [None, *(each.NAME for each in VERBS)])
def test_help_is_as_wide_as_the_terminal(
    verb: str | None, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = [verb] if verb else []
    assert main([*words, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) >= 80] == []
    monkeypatch.setenv("COLUMNS", "50")
    assert main([*words, "--help"]) == 0
    narrow = [x for x in capsys.readouterr().out.splitlines() if x[:1].strip()]
    assert [line for line in narrow if len(line) >= 50] == []


def test_it_breaks_no_path_in_two(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in range(60, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main(["doctor", "--help"]) == 0
        assert "/pytest-mighetero-leases)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required: VERB; see mighetero --help"),
        (["shwo"], "invalid choice: 'shwo'"),
        (["show"], "mighetero show: the following arguments are required: RECORD"),
        (["show", "gone"], "mighetero show: gone: no such file or folder; expected"),
        (["show", "empty"], "empty: no record in it; expected a record.json, a run's"),
        (["show", "half.json"], "half.json is no record of a run: no JSON: "),
        (["show", "list.json"], "list.json is no record of a run; expected a record"),
        (["show", "odd.json"], "odd.json is no record of a run; expected a record"),
        (["junit", "empty"], "mighetero junit: empty: no record in it; expected"),
        (["compare", "gone", "."], "gone: no such file or folder; expected a record"),
        (["compare", "empty", "."], "no run in it; expected a record.json, a run's"),
        (["compare", "half.json", "."], "half.json is no record of a run: no JSON"),
        (["list", "--mig-suite=v9"], "mighetero list: --mig-suite: no suite 'v9': "),
        (["list", "--mig-devices=GPU-1"], "mighetero list: --mig-devices: "),
    ],
)
def test_wrong_use_is_one_line(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "half.json").write_text('{"test": "x", "facts"')
    (tmp_path / "list.json").write_text("[1]")
    odd = {"test": "x", "facts": {}, "phases": {"call": "passed"}}
    (tmp_path / "odd.json").write_text(json.dumps(odd))
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err


# list


@pytest.mark.parametrize(
    ("verb", "name", "ending"),
    [
        ("interference", "heat.csv", ".svg"),
        ("interference", "heat.png", ".svg"),
        ("timeline", "run.png", ".svg"),
        ("trend", "trend.csv", ".svg"),
        ("trace", "run.svg", ".json"),
        ("report", "page.pdf", ".html or .htm"),
        ("junit", "report.json", ".xml"),
    ],
)
def test_no_file_is_named_after_what_is_not_in_it(
    verb: str, name: str, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "results", "-o", name]) == 2
    said = f"expected a name that ends in {ending}, which is what is written, found "
    assert f"{said}{name}" in capsys.readouterr().err


def test_list_without_nvml_still_lists_the_suites(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    class Missing:
        def gpus(self) -> tuple[Gpu, ...]:
            raise DeviceError("NVML cannot be used (not found): list them.")

    monkeypatch.setattr(listing, "source_of", lambda _: Missing())
    assert main(["list", "--mig-suite=v2.0"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("No devices: NVML cannot be used (not found): list them.\n\n")
    assert "suite v2.0: MLPerf Inference v2.0\n  benchmark      scenarios\n" in out
    assert "  dlrm           offline, server\n" in out
    assert main(["list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["devices"], document["gpus"]) == ([], [])
    assert document["problem"].startswith("NVML cannot be used")
    names = {suite["name"] for suite in document["suites"]}
    assert names >= {"cpu", "v1.0", "v1.1", "v2.0"}


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    class Two:
        def gpus(self) -> tuple[Gpu, ...]:
            device = MigDevice(UUIDS[0], "1g.10gb", 10_200_547_328, slot=0)
            on = Gpu("NVIDIA A100", (device,), index=0, uuid="GPU-0", driver="550")
            return on, Gpu(
                "NVIDIA A30", (), index=1, uuid="GPU-1", problem="MIG is off"
            )

    monkeypatch.setattr(listing, "source_of", lambda _: Two())


@pytest.mark.usefixtures("two_gpus")
def test_list(tmp_path: Path, capsys: Capture) -> None:
    held = take(tmp_path, ["GPU-0"], myself("test_it[dlrm_server]"))
    assert isinstance(held, Lease)
    words = ["list", "--mig-suite=v2.0", f"--mig-lease-dir={tmp_path}"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "GPU 0: NVIDIA A100 (1 x 1g.10gb), GPU-0, driver 550\n  used by pid" in out
    assert f"  {UUIDS[0]}  1g.10gb  10.2 GB  slot 0\n  suite v2.0 on 1g.10gb:\n" in out
    assert "GPU 1: NVIDIA A30 (MIG is off), GPU-1\n" in out
    assert main([*words, "--json"]) == 0
    held.close()
    document = json.loads(capsys.readouterr().out)
    (device,) = document["devices"]
    assert (device["gpu"], device["uuid"], device["slot"]) == (0, UUIDS[0], 0)
    used, off = document["gpus"]
    assert "(test_it[dlrm_server])" in used["used_by"]
    assert used["runs"]["1g.10gb"]["dlrm"] == ["offline", "server"]
    assert (off["problem"], off["used_by"], off["runs"]) == ("MIG is off", None, {})


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("gpu", "first"),
    [("1", "GPU 1: NVIDIA A30"), ("7", "No devices: --mig-gpu: no GPU is called 7: ")],
)
def test_list_of_one_gpu(gpu: str, first: str, capsys: Capture) -> None:
    assert main(["list", f"--mig-gpu={gpu}"]) == 0
    assert capsys.readouterr().out.startswith(first)


def test_list_of_devices_and_a_site_suite(lab: Lab, capsys: Capture) -> None:
    devices = f"--mig-devices={UUIDS[0]},{UUIDS[1]}"
    assert main(["list", devices, f"--mig-suite={lab.suite}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("listed by --mig-devices (2 MIG devices)\n  free\n")
    assert "suite fake: the tests' own harness\n" in out


# show

HARNESS = {
    "role": "main",
    "benchmark": "bert",
    "scenario": "server",
    "device": {"uuid": "MIG-1", "profile": "1g.10gb", "memory_bytes": 1},
    "exit_code": 0,
    "stopped": None,
    "output": "main/output.log",
    "loadgen": {"valid": True},
}
REST = {
    "overlap": [
        {
            "name": "dlrm_offline",
            "start_s": 12.3456,
            "end_s": 30.1,
            "covered": 1.0,
            "source": "loadgen",
        }
    ],
    "telemetry": {
        "samples": 3,
        "power_w": {"min": 100.5, "mean": 110.25, "max": 120},
        "throttled_by": [],
    },
    "attempts": [{"problem": "a background ended", "facts": {"seconds": "9"}}],
    "tuning": [{"target_qps": 123.0, "valid": False, "harnesses": [HARNESS]}],
    "harnesses": [
        HARNESS,
        {**HARNESS, "role": "background-1-dlrm", "exit_code": -15, "stopped": 1.0},
    ],
}


HEAD = """\
test_run.py::test_heterogeneous[bert_server]
{folder}
  setup passed in 1.5 s
  call failed
    Main bert_server failed:
    last line
  teardown passed in 1.5 s
mighetero:
  benchmark         bert
"""
TAIL = """\
harnesses:
  role               benchmark  scenario  device         exit code  log
  main               bert       server    MIG-1 1g.10gb          0  main/output.log
  background-1-dlrm  bert       server    MIG-1 1g.10gb    stopped  main/output.log
overlap:
  background    start margin s  end margin s  covered  source
  dlrm_offline           12.35         30.10   100.0%  loadgen
attempts:
  1.
    problem: a background ended
    facts:
      seconds: 9
tuning:
  1.
    target_qps: 123
    valid: False
    harnesses: 1, see --json
telemetry:
  samples: 3
  throttled_by: none
  figure     min    mean  max
  power_w  100.5  110.25  120
"""


def test_show(tmp_path: Path, capsys: Capture) -> None:
    phases = failed("call", "Main bert_server failed:\nlast line")
    folder = write_run(tmp_path, phases=phases, record=REST)
    assert main(["show", str(folder)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(HEAD.format(folder=folder))
    assert text[text.index("harnesses:") :] == TAIL


def test_show_of_a_results_folder(tmp_path: Path, capsys: Capture) -> None:
    later = write_run(tmp_path, "20260722-101501-dlrm_server", phases={})
    write_run(tmp_path)
    assert main(["show", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert text.index("[bert_server]") < text.index("[dlrm_server]")
    assert "the run did not end: pytest was ended, or it still runs" in text
    damaged = tmp_path / "20260722-101502-rnnt_server" / "record.json"
    damaged.parent.mkdir()
    damaged.write_text("")
    assert main(["show", str(tmp_path), "--json"]) == 1
    out, err = capsys.readouterr()
    record = json.loads((later / "record.json").read_text())
    assert json.loads(out)[1] == record
    assert err.startswith(f"mighetero show: {damaged} is no record of a run: no JSON")
