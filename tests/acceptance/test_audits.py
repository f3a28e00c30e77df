"""Audits: their files stay with their runs, and LoadGen's figures are shown."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.readers.result import Metric, Result
from pytest_mighetero.records.facts import texts
from pytest_mighetero.run.findings import audit_facts
from pytest_mighetero.run.judge import judge_runs
from tests.lab.driver import FAKE, Lab, Report

TEST01 = "--main-action=run_audit_test01"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def closed(lab: Lab, tmp_path: Path) -> Lab:
    """A lab whose audits ignore LOG_DIR, as those of the real harness do."""
    text = (FAKE / "fake.toml").read_text()
    own = 'audit_folder = "build/compliance_logs"'
    theirs = 'audit_folder = "{log_dir}/compliance_logs"'
    assert theirs in text
    suite = tmp_path / "closed.toml"
    suite.write_text(text.replace(theirs, own))
    lab.suite, lab.harness = str(suite), tmp_path / "closed"
    shutil.copytree(FAKE, lab.harness)
    return lab


def audit(closed: Lab, **behaviour: Any) -> Report:
    where = closed.suite.removesuffix(".toml")
    behaviour = {"audits_in": f"{where}/build/compliance_logs", **behaviour}
    closed.fake(dlrm=behaviour)
    return closed.run(TEST01, "--background-benchmarks=none")


def kept(report: Report) -> dict[str, list[bytes]]:
    """Return by name the files that are kept with each run, the oldest run first."""
    found: dict[str, list[bytes]] = {}
    part = "main/compliance_logs/TEST01/fake_system/dlrm/Server"
    for path in sorted(report.folder.glob(f"results/*/{part}/*")):
        found.setdefault(path.name, []).append(path.read_bytes())
    return found


def test_the_next_audit_overwrites_none_of_what_is_kept(closed: Lab) -> None:
    audit(closed, logged={"result_50.00_percentile_latency_ns": 1})
    report = audit(closed, verdict="TEST FAIL: Test score invalid")
    files = kept(report)
    assert files.keys() == {
        "mlperf_log_accuracy.json",
        "mlperf_log_detail.txt",
        "mlperf_log_summary.txt",
        "verify_accuracy.txt",
        "verify_performance.txt",
    }
    assert files["verify_performance.txt"] == [
        b"Verifying.\nTEST PASS\n",
        b"Verifying.\nTEST FAIL: Test score invalid\n",
    ]
    first, second = files["mlperf_log_detail.txt"]
    assert b'"result_50.00_percentile_latency_ns", "value": 1,' in first
    assert b'"result_50.00_percentile_latency_ns", "value": 1,' not in second
    assert str(report.folder / "results") in report.case.problems["failure"]


def test_what_earlier_audits_left_is_not_kept(closed: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "closed/build/compliance_logs/TEST01/fake_system/dlrm/Server"
    folder.mkdir(parents=True)
    for name in ("verify_performance.txt", "verify_accuracy.txt"):
        (folder / name).write_text("TEST PASS\n")
        os.utime(folder / name, (1_600_000_000, 1_600_000_000))
    (folder / "passwords.txt").symlink_to("/etc/passwd")
    report = audit(closed, verdict="")
    report.result.assert_outcomes(failed=1)
    assert all(name.startswith("mlperf_log_") for name in kept(report))
    assert "left no verify_performance.txt" in report.case.problems["failure"]


def test_an_audits_validity_and_figure_are_shown(closed: Lab, capsys: Capture) -> None:
    report = audit(closed)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["validity"] == "VALID"
    assert float(facts["value"]) == pytest.approx(393.025)
    assert (facts["unit"], facts["target_qps"]) == ("samples/s", "400")
    assert report.record["facts"].items() >= facts.items()
    assert report.record["audit"]["TEST01"]["valid"] is True
    report.result.stdout.fnmatch_lines(["dlrm *server-test01 *VALID *400 *393.02*"])
    results = str(report.folder / "results")
    capsys.readouterr()
    assert main(["show", results]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"validity +VALID\n", shown)
    assert re.search(r"value +393.025\n", shown)
    assert main(["compare", results, results]) == 0
    assert "dlrm       server-test01  p99" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("behaviour", "says", "shown"),
    [
        ({"validity": "INVALID"}, "TEST01: the result is INVALID", "INVALID"),
        ({"validity": ""}, "holds no verdict", None),
        (
            {"validity": "INVALID", "verdict": "TEST FAIL: Test score invalid"},
            "TEST01 did not pass",
            "INVALID",
        ),
        ({"verdict": "TEST FAIL: Test score invalid"}, "TEST01 did not pass", "VALID"),
        ({"logged": {"result_validity": "INVALID"}}, "are damaged", "INVALID"),
        ({"errors": 2}, "counted 2", "VALID"),
    ],
)
def test_a_bad_audit_is_never_green(
    closed: Lab, behaviour: dict[str, Any], says: str, shown: str | None
) -> None:
    report = audit(closed, **behaviour)
    report.result.assert_outcomes(failed=1)
    assert says in report.case.problems["failure"]
    assert report.case.properties.get("validity") == shown


def test_an_audit_is_no_measurement_for_runs(closed: Lab) -> None:
    audit(closed).result.assert_outcomes(passed=1)
    report = closed.run("--mig-compare=last", "--mig-save-reference")
    assert "there is no earlier good run like dlrm_server" in report.text
    report = closed.run(TEST01, "--mig-save-reference", "--background-benchmarks=none")
    assert "no reference was saved: no run was good" in report.text


def test_files_that_cannot_be_kept_fail_the_run(closed: Lab) -> None:
    closed.pytester.makeconftest(
        """
        import shutil

        def full(path, to):
            raise OSError(28, "No space left on device")

        shutil.copy2 = full
        """
    )
    where = closed.suite.removesuffix(".toml")
    closed.fake(dlrm={"audits_in": f"{where}/build/compliance_logs"})
    report = closed.run_apart(TEST01, "--background-benchmarks=none")
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "No space left on device; the next audit will overwrite it" in failure


# The parts of TEST04, too short to be VALID in all of NVIDIA's of v1.0 and v2.0.


def part(value: float, *, valid: bool, damage: tuple[str, ...] = ()) -> Result:
    metric = Metric("samples per second", value, "samples/s", higher_is_better=True)
    return Result(Path("logs"), "LoadGen", metric=metric, valid=valid, damage=damage)


def test_the_parts_of_test04_are_shown_and_judged_by_their_verdict_file() -> None:
    parts = {
        "TEST04-B": part(5300.1, valid=True),
        "TEST04-A": part(5108.2, valid=False),
    }
    facts = texts(audit_facts(parts))
    assert facts["value"] == "5108.2"
    assert facts["validity"] == "INVALID"
    assert facts["audit_runs"] == (
        "TEST04-A=5108.2 samples/s INVALID, TEST04-B=5300.1 samples/s VALID"
    )
    assert judge_runs(parts) == []


def test_damage_of_one_part_of_test04_is_damage() -> None:
    parts = {
        "TEST04-A": part(5108.2, valid=True),
        "TEST04-B": part(5300.1, valid=True, damage=("the end is missing",)),
    }
    assert texts(audit_facts(parts))["damage"] == "the end is missing"
    (problem,) = judge_runs(parts)
    assert problem.startswith("TEST04-B: LoadGen's logs in logs are damaged: the end")
