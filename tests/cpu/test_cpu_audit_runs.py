"""Real audits: make, the process chain, LoadGen and the models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.cpu.configs import Run
from tests.cpu.logs import HETERO, SHORT, detail, in_order

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cpu.logs import Make


pytestmark = pytest.mark.loadgen


def audit_folder(tmp_path: Path, test: str, scenario: str) -> Path:
    return Run("resnet50", scenario, "hetero", {}, HETERO, tmp_path / "logs").audit(
        test
    )


@pytest.mark.slow
def test_audit_test01(make: Make, tmp_path: Path) -> None:
    done = make(
        "--benchmarks=resnet50 --scenarios=server --config_ver=hetero "
        "--min_duration=2500 --server_target_qps=250 --warmup_duration=0.1",
        "run_audit_test01",
    )
    assert done.returncode == 0, done.stderr
    folder = audit_folder(tmp_path, "TEST01", "Server")
    accuracy = (folder / "verify_accuracy.txt").read_text()
    sampled = re.search(r"num_perf_log_entries = (\d+)", accuracy)
    assert sampled is not None
    assert int(sampled[1]) > 100
    assert "num_acc_log_entries = 512\n" in accuracy
    assert accuracy.endswith("TEST PASS\n")
    performance = (folder / "verify_performance.txt").read_text()
    assert performance.startswith("Verifying performance.\nreference score = ")
    assert performance.endswith("TEST PASS\n")
    in_order(
        done.stdout,
        "Accuracy check pass: True",
        "Performance check pass: True",
        "TEST01 verification complete",
    )


@pytest.mark.slow
def test_audit_test04(make: Make, tmp_path: Path) -> None:
    done = make(
        "--benchmarks=resnet50 --scenarios=server --config_ver=hetero "
        "--server_target_qps=250 --warmup_duration=0.1",
        "run_audit_test04",
    )
    assert done.returncode == 0, done.stderr
    folder = audit_folder(tmp_path, "TEST04-A", "Server")
    assert detail(folder)["effective_performance_issue_unique"] is True
    other = detail(audit_folder(tmp_path, "TEST04-B", "Server"))
    assert other["effective_performance_issue_same"] is True
    text = (folder / "verify_performance.txt").read_text()
    assert re.fullmatch(
        r"Verifying performance\.\nTEST04-A score = [\d.]+\n"
        r"TEST04-B score = [\d.]+\nTEST PASS\n",
        text,
    )
    in_order(done.stdout, "TEST04 trial 1", "TEST04 verification complete")


@pytest.mark.slow
def test_audit_test05(make: Make, tmp_path: Path) -> None:
    done = make(
        "--benchmarks=resnet50 --scenarios=server --config_ver=hetero "
        "--min_duration=4000 --server_target_qps=250 --warmup_duration=0.1",
        "run_audit_test05",
    )
    assert done.returncode == 0, done.stderr
    folder = audit_folder(tmp_path, "TEST05", "Server")
    seeds = [
        detail(each)["effective_schedule_rng_seed"]
        for each in (folder, folder / "reference" / "performance")
    ]
    assert seeds[0] == 413914573387865862
    assert seeds[1] != seeds[0]
    assert (folder / "verify_performance.txt").read_text().endswith("TEST PASS\n")
    assert "TEST05 verification complete" in done.stdout


@pytest.mark.slow
def test_audit_fails_when_every_trial_does(make: Make, tmp_path: Path) -> None:
    done = make(
        "--benchmarks=resnet50 --scenarios=offline --config_ver=hetero "
        f"--offline_expected_qps=1 {SHORT}",
        "run_audit_test05",
    )
    assert done.returncode == 2
    assert "TEST05 trial 2" in done.stdout
    assert "complete" not in done.stdout
    assert done.stderr.count("TEST FAIL: Reference results are invalid") == 2
    folder = audit_folder(tmp_path, "TEST05", "Offline")
    text = (folder / "verify_performance.txt").read_text()
    assert text == "Verifying performance.\n"
