"""Real runs: make, the process chain, LoadGen and the models."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.cpu.arguments import BENCHMARKS
from tests.cpu.logs import (
    HARNESS_DIR,
    HETERO,
    PLAIN,
    SHORT,
    detail,
    in_order,
    target_qps,
)
from tests.lab import needs

if TYPE_CHECKING:
    from tests.cpu.logs import Make

np = needs.imported("numpy")
needs.module("mlperf_loadgen")

CORE = min(os.sched_getaffinity(0))


@pytest.mark.loadgen
@pytest.mark.parametrize("benchmark", list(BENCHMARKS))
def test_offline(benchmark: str, make: Make, tmp_path: Path) -> None:
    done = make(f"--benchmarks={benchmark} --scenarios=offline {SHORT}")
    assert done.returncode == 0, done.stderr
    suffix = "-99" if benchmark in ("3d-unet", "bert", "dlrm") else ""
    folder = tmp_path / "logs" / PLAIN / f"{benchmark}{suffix}" / "Offline"
    found = detail(folder)
    assert found["effective_min_duration_ms"] == 300
    assert found["effective_performance_sample_count"] == 512
    # How fast the machine is from one second to the next decides on VALID.
    rate = found["result_samples_per_second"]
    assert isinstance(rate, (int, float))
    assert 0.1 < rate / target_qps(found) < 2
    line = f"result_samples_per_second: {rate}, Result is {found['result_validity']}"
    summary = json.loads((tmp_path / "logs/perf_harness_summary.json").read_text())
    assert summary == {f"{PLAIN}-default-Offline": {f"{benchmark}{suffix}": line}}
    marker = "Starting running actual test."
    assert marker in (done.stderr if benchmark in ("bert", "dlrm") else done.stdout)
    in_order(
        done.stderr,
        f"Running harness for {benchmark} benchmark in Offline scenario...",
        "INFO] Running command: ",
        f"INFO] Result: {line}",
    )
    in_order(
        done.stdout,
        f"benchmark : {benchmark}\n",
        "&&&& RUNNING ",
        "MLPerf Results Summary",
        f"Result is : {found['result_validity']}",
        "= Perf harness results: =",
        f"    {benchmark}{suffix}: {line}",
        "= Accuracy results: =",
        "No accuracy results in PerformanceOnly mode.",
    )


def test_default_harness_prints_in_nvidias_order(make: Make) -> None:
    done = make(f"--benchmarks=resnet50 --scenarios=offline {SHORT}")
    in_order(
        done.stdout,
        "&&&& RUNNING Default_Harness # ",
        "Creating QSL.",
        "Setting up SUT.",
        "Starting warmup. Running for a minimum of 0.1 seconds.",
        "Finished warmup. Ran for ",
        "Calibrated offline_expected_qps : ",
        "Starting running actual test.\n",
        "MLPerf Results Summary",
        "No errors encountered during test.",
        "Finished running actual test.\n",
        "Device CPU (simulated) processed:",
        "&&&& PASSED Default_Harness # ",
        "= Perf harness results: =",
    )


@pytest.mark.loadgen
@pytest.mark.slow
def test_server_is_valid_at_its_default_target(make: Make, tmp_path: Path) -> None:
    done = make(
        "--benchmarks=dlrm --scenarios=server --config_ver=hetero_high_accuracy "
        "--min_duration=8000 --warmup_duration=0.1"
    )
    assert done.returncode == 0, done.stderr
    found = detail(tmp_path / "logs" / HETERO / "dlrm-99.9" / "Server")
    assert found["effective_target_qps"] == 100
    assert found["effective_target_latency_ns"] == 500_000_000
    assert found["early_stopping_met"] is True
    assert found["result_validity"] == "VALID"
    assert "User-item pairs per second: " in done.stdout


@pytest.mark.loadgen
@pytest.mark.slow
@pytest.mark.parametrize(
    ("benchmark", "scenario", "metric"),
    [
        ("rnnt", "SingleStream", "result_90.00_percentile_latency_ns"),
        ("ssd-mobilenet", "MultiStream", "result_99.00_percentile_per_query_latency"),
    ],
)
def test_streams(
    benchmark: str, scenario: str, metric: str, make: Make, tmp_path: Path
) -> None:
    done = make(f"--benchmarks={benchmark} --scenarios={scenario.lower()} {SHORT}")
    assert done.returncode == 0, done.stderr
    found = detail(tmp_path / "logs" / PLAIN / benchmark / scenario)
    assert found["result_validity"] == "VALID"
    assert f"Result: {metric}" in done.stderr


def test_invalid_still_exits_0(make: Make) -> None:
    done = make(
        f"--benchmarks=bert --scenarios=offline --offline_expected_qps=1 {SHORT}"
    )
    assert done.returncode == 0
    assert "Result is : INVALID" in done.stdout
    assert "Result is INVALID" in done.stderr
    assert "Calibrated" not in done.stderr


def test_lists_run_one_after_the_other(make: Make, tmp_path: Path) -> None:
    done = make(f"--benchmarks=dlrm,bert --scenarios=offline {SHORT}")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "logs/perf_harness_summary.json").read_text())
    assert list(summary[f"{PLAIN}-default-Offline"]) == ["dlrm-99", "bert-99"]


def test_runs_on_the_core_of_its_device(make: Make, tmp_path: Path) -> None:
    uuid = f"cpu-simulated-5-core-{CORE}"
    done = make(
        f"--benchmarks=resnet50 --scenarios=offline {SHORT} --verbose",
        CUDA_VISIBLE_DEVICES=uuid,
    )
    assert done.returncode == 0, done.stderr
    assert f"[V] CPU (simulated): {uuid}, may use cores {CORE}\n" in done.stdout
    calibrated = re.search(
        r"offline_expected_qps : ([\d.]+) \(1.1 x ([\d.]+) of the warm-up\)",
        done.stdout,
    )
    assert calibrated is not None
    expected, measured = map(float, calibrated.groups())
    assert expected == pytest.approx(1.1 * measured, abs=0.1)
    found = detail(tmp_path / "logs" / PLAIN / "resnet50" / "Offline")
    assert target_qps(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("value", ["", "MIG-1234", "cpu-simulated-0-core-999"])
def test_unusable_device(value: str, make: Make) -> None:
    done = make(
        f"--benchmarks=resnet50 --scenarios=offline {SHORT}",
        CUDA_VISIBLE_DEVICES=value,
    )
    assert done.returncode == 2
    assert "RuntimeError" in done.stderr
    assert re.search(r"\*\*\* \[.*: run_harness\] Error 1", done.stderr)
    assert "Starting running actual test." not in done.stdout


@pytest.mark.parametrize(
    ("run_args", "message", "error"),
    [
        ("--benchmarks=resnet51", "ValueError: Unknown benchmark: resnet51", 1),
        ("--scenarios=x", "ValueError: Unknown scenario: x", 1),
        ("--min_duratoin=5", "unrecognized arguments: --min_duratoin=5", 2),
        (
            "--benchmarks=dlrm --scenarios=offline --config_ver=x",
            "--config_ver=x does not exist in config file",
            1,
        ),
        (
            "--benchmarks=dlrm --scenarios=multistream",
            "Cannot find any valid configs",
            1,
        ),
    ],
)
def test_refused_run_args(run_args: str, message: str, error: int, make: Make) -> None:
    done = make(run_args)
    assert done.returncode == 2
    assert message in done.stderr
    assert re.search(rf"run_harness\] Error {error}$", done.stderr, re.MULTILINE)


def test_log_names_with_a_date_and_a_suffix(make: Make, tmp_path: Path) -> None:
    done = make(
        "--benchmarks=dlrm --scenarios=offline --test_mode=AccuracyOnly "
        "--warmup_duration=0.1 --logfile_suffix=_x --logfile_prefix_with_datetime"
    )
    assert done.returncode == 0, done.stderr
    assert "Accuracy test PASSED." in done.stdout
    folder = tmp_path / "logs" / PLAIN / "dlrm-99" / "Offline"
    assert len(list(folder.glob("mlperf_log_20*_accuracy_x.json"))) == 1


def test_stale_results_are_printed_as_the_real_one_does(make: Make) -> None:
    assert make(f"--benchmarks=dlrm --scenarios=offline {SHORT}").returncode == 0
    done = make("--benchmarks=dlrm --scenarios=offline --config_ver=x")
    assert done.returncode == 0
    assert "    dlrm-99: result_samples_per_second: " in done.stdout


def test_writes_only_below_log_dir(make: Make, tmp_path: Path) -> None:
    make(f"--benchmarks=dlrm --scenarios=offline {SHORT}")
    assert list((tmp_path / "cwd").iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [
        PLAIN,
        "accuracy_summary.json",
        "measurements",
        "perf_harness_summary.json",
    ]


def test_log_dir_as_a_make_variable_and_without_any(make: Make, tmp_path: Path) -> None:
    run_args = f"--benchmarks=dlrm --scenarios=offline {SHORT}"
    variable = tmp_path / "variable"
    make(run_args, log_dir=None, variables=(f"LOG_DIR={variable}",))
    assert (variable / "perf_harness_summary.json").exists()
    make(run_args, log_dir=None)
    (stamped,) = (tmp_path / "cwd/build/logs").iterdir()
    assert re.fullmatch(r"\d{4}(\.\d\d){2}-\d\d\.\d\d\.\d\d", stamped.name)
    assert (stamped / "perf_harness_summary.json").exists()


def test_accuracy_is_checked_against_the_reference(make: Make, tmp_path: Path) -> None:
    done = make(
        "--benchmarks=resnet50 --scenarios=offline --config_ver=hetero "
        "--test_mode=AccuracyOnly --warmup_duration=0.1"
    )
    assert done.returncode == 0, done.stderr
    verdict = "Accuracy = 100.000, Threshold = 99.000. Accuracy test PASSED."
    in_order(
        done.stdout,
        "Finished running actual test.",
        "accuracy=100.000%, good=512, total=512",
        verdict,
        "Maybe you are running in AccuracyOnly mode.",
        f"    resnet50: {verdict}",
    )
    summary = json.loads((tmp_path / "logs/accuracy_summary.json").read_text())
    assert summary == {f"{HETERO}-hetero-Offline": {"resnet50": verdict}}


def test_accuracy_below_the_threshold_fails(make: Make, tmp_path: Path) -> None:
    """With a copy of the package whose reference has 6 of 512 answers changed."""
    package = tmp_path / "checkout" / "pytest_mighetero"
    package.mkdir(parents=True)
    (package.parent / "pyproject.toml").touch()
    (package / "__init__.py").touch()
    copied = shutil.copytree(HARNESS_DIR, package / "cpu")
    with np.load(copied / "reference.npz") as stored:
        answers = dict(stored)
    answers["dlrm"][:6] += np.float16(0.1)
    np.savez(copied / "reference.npz", **answers)

    done = make(
        "--benchmarks=dlrm --scenarios=offline --test_mode=AccuracyOnly "
        "--warmup_duration=0.1",
        harness_dir=copied,
    )
    assert done.returncode == 2
    verdict = "Accuracy = 98.828, Threshold = 99.000. Accuracy test FAILED."
    assert "good=506, total=512, missing=0, duplicate=0, wrong=6" in done.stdout
    assert f"RuntimeError: dlrm: {verdict}" in done.stderr
    assert verdict in (tmp_path / "logs/accuracy_summary.json").read_text()


def test_main_needs_neither_numpy_nor_loadgen() -> None:
    code = (
        "import sys, pytest_mighetero.cpu.main, pytest_mighetero.cpu.results; "
        "assert not {'numpy', 'mlperf_loadgen'} & set(sys.modules)"
    )
    environ = {**os.environ, "PYTHONPATH": str(HARNESS_DIR.parent.parent)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environ)


def test_a_model_that_fails_ends_the_harness(tmp_path: Path) -> None:
    """It must not leave LoadGen waiting for answers that never come."""
    conf = tmp_path / "user.conf"
    conf.write_text("*.Offline.target_qps = 100\n*.Offline.min_duration = 100\n")
    code = (
        "import sys\n"
        "from pytest_mighetero.cpu import harness, sut\n"
        "def infer(self, indices):\n"
        "    raise MemoryError('broken on purpose')\n"
        "sut.SystemUnderTest.infer = infer\n"
        "harness.main(sys.argv[1:])\n"
    )
    run = partial(subprocess.run, capture_output=True, text=True, timeout=60)
    done = run(
        [
            *(sys.executable, "-c", code, "--model=dlrm", "--scenario=Offline"),
            *(f"--logfile_outdir={tmp_path}", f"--user_conf_path={conf}"),
        ],
        env={**os.environ, "PYTHONPATH": str(HARNESS_DIR.parent.parent)},
        check=False,
    )
    assert done.returncode == 1
    assert "broken on purpose" in done.stderr
    assert "Finished running actual test." not in done.stderr
