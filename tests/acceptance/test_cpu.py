"""The real thing on the CPU suite: make, LoadGen, NumPy models, pinned processes."""

from __future__ import annotations

import json
import os

import pytest

from pytest_mighetero.cpu.configs import CONFIG_FILE
from tests.lab import needs
from tests.lab.driver import Lab, Report

needs.module("mlperf_loadgen")
pytestmark = pytest.mark.slow


@pytest.fixture
def cpu(lab: Lab) -> Lab:
    lab.suite = "cpu"
    return lab


def run(cpu: Lab, *options: str, k: str) -> Report:
    here = ["--junitxml=report.xml", "--mig-lease-dir=leases"]
    arguments = [f"--mig-suite={cpu.suite}", *here, "-k", k, *options]
    return Report(cpu.folder, cpu.pytester.runpytest_inprocess(*arguments))


@pytest.mark.loadgen
def test_dlrm_server_beside_six_backgrounds(cpu: Lab) -> None:
    report = run(cpu, k="dlrm_server")
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["validity"] == "VALID"
    assert float(facts["value"]) == pytest.approx(100, rel=0.2)
    assert facts["unit"] == "samples/s"
    assert facts["target_qps"] == "100"
    assert 0 < float(facts["p99_ms"]) < float(facts["latency_limit_ms"])
    assert float(facts["seconds"]) >= 10
    assert facts["overlap_ok"] == "true"
    assert facts["overlap_source"] == "loadgen"
    assert float(facts["start_margin_s"]) > 0
    assert float(facts["end_margin_s"]) > 2
    assert facts["background_exit_codes"] == (
        "3d-unet=0,bert=0,resnet50=0,rnnt=0,ssd-mobilenet=0,ssd-resnet34=0"
    )
    assert facts["gpu"] == facts["device_profile"] == "cpu (simulated)"
    assert "suite cpu (NumPy models on simulated instances), harness" in report.text
    assert "mighetero: cpu (simulated) (7 MIG devices)" in report.text


@pytest.mark.loadgen
def test_offline_beside_automatic_backgrounds(cpu: Lab) -> None:
    report = run(
        cpu,
        "--background-benchmarks=bert,rnnt",
        "--background-benchmark-duration=automatic",
        "--main-benchmark-duration=1s",
        # Above any machine's rate: the calibrated one moves with who else is busy.
        "--main-benchmark-runargs=--offline_expected_qps=5000",
        k="resnet50_offline",
    )
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["metric"] == "samples per second"
    assert facts["validity"] == "VALID"
    assert facts["background_exit_codes"] == "bert=stopped,rnnt=stopped"
    assert float(facts["end_margin_s"]) >= 2


def test_the_harnesses_are_pinned_to_their_cores(cpu: Lab) -> None:
    cpu.pytester.makepyfile(
        test_run="""
        import os
        from contextlib import suppress
        from pathlib import Path

        def test_pinned(background):
            for harness in background.harnesses:
                uuid = harness.command.variables["CUDA_VISIBLE_DEVICES"]
                cores = []
                for entry in Path("/proc").glob("[0-9]*"):
                    with suppress(OSError):  # it is over
                        if (
                            b"cpu.harness" in (entry / "cmdline").read_bytes()
                            and os.getsid(int(entry.name)) == harness.pid
                        ):
                            cores.append(os.sched_getaffinity(int(entry.name)))
                assert {int(uuid.rpartition("-")[2])} in cores
        """
    )
    report = run(
        cpu,
        "--background-benchmarks=bert,dlrm",
        "--background-benchmark-duration=automatic",
        "--settle-time=0",
        k="resnet50_offline",
    )
    # The test did not run main on purpose: that is an error of its own.
    report.result.assert_outcomes(failed=1)
    assert "nothing was measured" in report.text


def test_accuracy_is_really_checked(cpu: Lab) -> None:
    report = run(
        cpu,
        "--background-benchmarks=none",
        "--main-benchmark-runargs=--test_mode=AccuracyOnly",
        k="bert_offline",
    )
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["mode"] == "AccuracyOnly"
    (log,) = cpu.folder.glob("results/*/main/output.log")
    assert "Accuracy test PASSED." in log.read_text()


def test_a_target_no_core_can_hold_is_invalid(cpu: Lab) -> None:
    report = run(
        cpu,
        "--background-benchmarks=none",
        "--main-benchmark-duration=2s",
        "--main-benchmark-runargs=--server_target_qps=4000",
        k="resnet50_server",
    )
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "the result is INVALID" in failure
    assert "LoadGen recommends" in failure
    assert report.case.properties["validity"] == "INVALID"
    assert report.case.properties["exit_code"] == "0"


@pytest.mark.loadgen
def test_an_audit_passes_by_its_own_verdict_files(cpu: Lab) -> None:
    report = run(
        cpu,
        "--background-benchmarks=none",
        "--main-action=run_audit_test01",
        "--main-benchmark-duration=6s",
        k="resnet50_server-test01",  # Offline's rate moves with whoever else is busy
    )
    report.result.assert_outcomes(passed=1)
    found = cpu.folder.glob("results/*/main/logs/compliance_logs/TEST01/**/verify_*")
    assert {path.name for path in found} == {
        "verify_accuracy.txt",
        "verify_performance.txt",
    }
    facts = report.case.properties
    assert (facts["validity"], facts["unit"]) == ("VALID", "samples/s")


@pytest.mark.loadgen
def test_a_back_off_turns_an_invalid_run_valid(cpu: Lab) -> None:
    report = run(
        cpu,
        "--background-benchmarks=bert",
        "--background-benchmark-duration=automatic",
        "--main-benchmark-duration=3s",
        "--main-benchmark-runargs=--server_target_qps=4000",
        "--target-qps-backoff=40%",
        k="resnet50_server",
    )
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["target_qps_first"] == "4000"
    assert float(facts["target_qps"]) < 2400  # it starts from what was completed
    assert facts["validity"] == "VALID"
    assert facts["overlap_ok"] == "true"
    first = report.record["attempts"][0]["facts"]
    assert (first["validity"], first["target_qps"]) == ("INVALID", "4000")


@pytest.mark.loadgen
def test_a_search_ends_just_below_a_target_that_is_invalid(cpu: Lab) -> None:
    # No reference: on a busy machine six full-length runs may not be enough.
    table = json.loads(CONFIG_FILE.read_text())
    table["benchmarks"]["dlrm"]["Server"]["default"]["server_target_qps"] = 800
    (cpu.folder / "configs.json").write_text(json.dumps(table))
    cpu.isolated()
    report = run(
        cpu,
        "--mig-tune",
        "--mig-tune-resolution=10%",
        "--main-benchmark-duration=3s",
        f"--main-benchmark-runargs=--configs={cpu.folder / 'configs.json'}",
        "-m",
        "isolated",
        k="dlrm_server",
    )
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    found, above = int(facts["tuned_target_qps"]), float(facts["tuned_invalid_above"])
    by_target = {t["target_qps"]: t for t in report.record["tuning"] if t["full"]}
    assert by_target[found]["valid"]
    # LoadGen's own verdict at no more than 1.1 x of it, for latency.
    assert found < above <= max(found * 1.1, found + 1)
    assert not by_target[above]["valid"]
    assert by_target[above]["p99_ms"] > float(facts["latency_limit_ms"])


@pytest.mark.loadgen
def test_three_mains_beside_one_set(cpu: Lab) -> None:
    report = run(
        cpu,
        "--background-scope=session",
        "--background-benchmarks=ssd-mobilenet,ssd-resnet34",
        "--main-benchmark-duration=3s",
        "--main-benchmark-runargs=--server_target_qps=300",
        k="bert_server or dlrm_server or rnnt_server",
    )
    report.result.assert_outcomes(passed=3)
    assert len(list(cpu.folder.glob("results/*-backgrounds*/set-*"))) == 1
    for case in report.junit:
        assert case.properties["validity"] == "VALID"
        assert case.properties["overlap_ok"] == "true"
        assert case.properties["overlap_source"] == "loadgen"
        assert float(case.properties["start_margin_s"]) > 0
        assert float(case.properties["end_margin_s"]) >= 2


def test_a_config_that_is_not_there_runs_nothing_and_fails(cpu: Lab) -> None:
    report = run(
        cpu,
        "--background-benchmarks=none",
        "--config-ver=nonsense",
        k="bert_offline",
    )
    report.result.assert_outcomes(failed=1)
    assert "it exited with code 2" in report.case.problems["failure"]
    assert os.fspath(cpu.folder) in report.case.problems["failure"]
