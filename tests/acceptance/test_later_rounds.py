"""Harnesses of v5.1 and later: no --config_ver, Makefiles in src, verdicts in JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pytest_mighetero.run.evidence.metadata import accuracy_summary
from pytest_mighetero.run.judge import accuracy_verdicts, judge_accuracy
from tests.lab.driver import FAKE, Lab, Report

SUITE = """
extends = "fake.toml"

[harness]
config_ver = ""
actions = ["run_harness", "run_audit_test01", "run_audit_test06", "run_audit_test09"]

[targets."1g.10gb".default]
dlrm = { server = 0.8 }
"""
CHECKED = """\
First token check pass: Skipped
EOS check pass: True
Sample length check pass: True
TEST06 verification complete
"""


@pytest.fixture
def lab(lab: Lab) -> Lab:
    shutil.copy(FAKE / "fake.toml", lab.folder)
    (lab.folder / "site.toml").write_text(SUITE)
    lab.suite = str(lab.folder / "site.toml")
    lab.fake(dlrm={})
    return lab


def alone(lab: Lab, *options: str) -> Report:
    return lab.run("--background-benchmarks=none", *options)


def test_run_args_have_no_config_ver(lab: Lab) -> None:
    report = alone(lab)
    report.result.assert_outcomes(passed=1)
    assert "config_ver" not in report.case.properties["run_args"]
    assert "--scenarios=server" in report.run_args()

    refused = alone(lab, "--config-ver=high_accuracy")
    assert refused.result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "that runs bert_offline has no --config_ver: say its accuracy" in refused.text
    )
    assert "--main-benchmark-runargs=--accuracy_target=0.999" in refused.text


def test_figures_stand_under_default(lab: Lab) -> None:
    said = "--main-benchmark-runargs=--min_query_count=1000"
    report = alone(lab, "--main-profile=1g.10gb", said, "--main-benchmark=dlrm")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "1000 queries at 0.8 QPS, by suite site" in report.text


def test_the_makefile_may_be_in_src(lab: Lab) -> None:
    lab.harness = lab.folder / "closed" / "Org"
    shutil.copytree(FAKE, lab.harness / "src")
    report = alone(lab)
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["harness_dir"] == str(lab.harness / "src")

    shutil.copy(FAKE / "Makefile", lab.harness)
    shutil.copy(FAKE / "harness.py", lab.harness)
    assert alone(lab).junit[0].properties["harness_dir"] == str(lab.harness)


@pytest.mark.parametrize(
    ("test", "verdict", "files", "says"),
    [
        ("test06", CHECKED, {}, None),
        ("test06", CHECKED, {"metadata.json": '{"audit_result": "TEST06_PASS"}'}, None),
        (
            "test06",
            CHECKED.replace("EOS check pass: True", "EOS check pass: False"),
            {},
            "TEST06 did not pass",
        ),
        ("test06", "TEST PASS", {}, "TEST06 did not pass"),
        (
            "test06",
            CHECKED,
            {"metadata.json": '{"audit_result": "TEST06_FAIL_LENGTH"}'},
            "metadata.json has audit_result 'TEST06_FAIL_LENGTH'",
        ),
        (
            "test01",
            "TEST PASS",
            {"metadata.json": '{"audit_result": "TEST01_PASS_EXEMPTED"}'},
            "has audit_result 'TEST01_PASS_EXEMPTED'",
        ),
        ("test01", "TEST PASS", {"metadata.json": "[]"}, "has audit_result 'none'"),
        ("test01", "TEST PASS", {"metadata.json": "{"}, "'that cannot be read'"),
        ("test09", "TEST PASS", {}, "TEST09 left no verify_output_len.txt"),
        ("test09", "TEST PASS", {"verify_output_len.txt": "TEST PASS"}, None),
        ("test09", "", {"verify_output_len.txt": "TEST FAIL"}, "TEST09 did not pass"),
    ],
)
def test_the_verdicts_of_audits(
    lab: Lab, test: str, verdict: str, files: dict[str, str], says: str | None
) -> None:
    lab.fake(dlrm={"verdict": verdict, "files": files})
    report = alone(lab, f"--main-action=run_audit_{test}")
    report.result.assert_outcomes(**{"failed" if says else "passed": 1})
    if says:
        assert says in report.case.problems["failure"]


def test_loadgens_verdict_on_test06_is_none_of_the_audits(lab: Lab) -> None:
    lab.fake(dlrm={"verdict": CHECKED, "validity": "INVALID"})
    alone(lab, "--main-action=run_audit_test06").result.assert_outcomes(passed=1)


@pytest.mark.parametrize("passed", [True, False])
def test_accuracy_in_the_metadata_of_a_run(tmp_path: Path, passed: bool) -> None:
    """As ``scripts/print_harness_result.py`` of v5.1 writes it."""
    figure = {"name": "ROUGE1", "value": 44.43, "threshold": 44.39, "pass": True}
    other = {**figure, "name": "TOKENS_PER_SAMPLE", "upper_limit": 323.9}
    said = {"accuracy": [figure, {**other, "pass": passed}], "accuracy_pass": passed}
    place = tmp_path / "system" / "llama2-70b-99" / "Server"
    place.mkdir(parents=True)
    (place / "metadata.json").write_text(json.dumps(said))
    summary = accuracy_summary(tmp_path)
    assert len(accuracy_verdicts(summary)) == 2
    problems = judge_accuracy(summary)
    assert len(problems) == (0 if passed else 1)
    assert passed or "TOKENS_PER_SAMPLE: Accuracy = 44.43, Threshold" in problems[0]


def test_accuracy_of_several_runs_is_that_of_each(tmp_path: Path) -> None:
    for folder, passed in (("a", False), ("b", True)):
        figure = {"name": "ROUGE1", "value": 40, "threshold": 44, "pass": passed}
        (tmp_path / folder).mkdir()
        text = json.dumps({"accuracy": [figure]})
        (tmp_path / folder / "metadata.json").write_text(text)
    (problem,) = judge_accuracy(accuracy_summary(tmp_path))
    assert problem.endswith("Accuracy test FAILED.")


def test_metadata_without_accuracy_is_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text('{"result_validity": "VALID"}')
    assert accuracy_summary(tmp_path) is None
