"""Back-off: an INVALID main again, with a target that may hold."""

from __future__ import annotations

import pytest

from tests.lab.driver import Lab, Report

SEVEN = "--target-qps-backoff=7%"


def targets(report: Report, flag: str = "--server_target_qps=") -> list[str]:
    words = [str(word) for launch in report.launches() for word in launch["argv"]]
    return [word.removeprefix(flag) for word in words if word.startswith(flag)]


@pytest.mark.parametrize("beside", ["none", "bert"])
def test_server_is_lowered_until_it_is_valid(lab: Lab, beside: str) -> None:
    lab.fake(dlrm={"capacity": 350})
    report = lab.run(SEVEN, f"--background-benchmarks={beside}")
    report.result.assert_outcomes(passed=1)
    assert len(report.launches()) == 3
    assert targets(report) == ["372", "346"]
    facts = report.case.properties
    assert facts["validity"] == "VALID"
    assert facts["target_qps_first"] == "400"
    assert facts["target_qps"] == "346"
    assert facts["attempts"] == "3"
    assert facts["attempt_1"].startswith("the result is INVALID")
    assert "at target 372" in facts["attempt_2"]


def test_every_attempt_is_in_the_record(lab: Lab) -> None:
    lab.fake(dlrm={"capacity": 380})
    report = lab.run(SEVEN, "--background-benchmarks=bert")
    (attempt,) = report.record["attempts"]
    assert attempt["kind"] == "target"
    assert attempt["facts"]["validity"] == "INVALID"
    assert attempt["facts"]["target_qps"] == "400"
    assert [each["role"] for each in attempt["harnesses"]] == [
        "main",
        "background-1-bert",
    ]
    assert report.record["facts"]["target_qps"] == "372"
    # The second attempt had backgrounds of its own, that covered it.
    assert len(report.launches("background")) == 2
    assert report.case.properties["overlap_ok"] == "true"


def test_not_without_being_asked(lab: Lab) -> None:
    lab.fake(dlrm={"capacity": 380})
    report = lab.run("--background-benchmarks=none")
    report.result.assert_outcomes(failed=1)
    assert len(report.launches()) == 1
    assert "target_qps_first" not in report.case.properties


def test_out_of_tries(lab: Lab) -> None:
    lab.fake(dlrm={"capacity": [100, 10]})
    options = (SEVEN, "--target-qps-backoffs=1", "--background-benchmarks=none")
    report = lab.run(*options)
    report.result.assert_outcomes(failed=1)
    assert targets(report) == ["92.34"]  # 7 % below what was answered
    failure = report.case.problems["failure"]
    assert "at target 92.34" in failure
    assert "Next to try: --server_target_qps=9." in failure
    assert report.case.properties["target_qps_first"] == "400"


def test_offline_is_raised_to_what_was_measured(lab: Lab) -> None:
    lab.fake(dlrm={"rate": 1000})
    report = lab.run(SEVEN, "--background-benchmarks=none", k="dlrm_offline")
    report.result.assert_outcomes(passed=1)
    assert targets(report, "--offline_expected_qps=") == ["1000"]
    assert report.case.properties["target_qps_first"] == "400"


@pytest.mark.parametrize(
    "behaviour", [{"exit": 3}, {"errors": 2}, {"validity": "INVALID"}]
)
def test_what_another_target_does_not_mend(
    lab: Lab, behaviour: dict[str, object]
) -> None:
    lab.fake(dlrm=behaviour)
    report = lab.run(SEVEN, "--background-benchmarks=none")
    report.result.assert_outcomes(failed=1)
    assert len(report.launches()) == 1


def test_a_second_attempt_that_dies_does_not_look_valid(lab: Lab) -> None:
    lab.fake(bert={"into": 0.2}, dlrm={"test": 1, "die": ["start", 3]})
    report = lab.run("--overlap-retries=1", "--background-benchmarks=bert")
    assert "validity" not in report.case.properties


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target-qps-backoff=7"], "expected a percentage such as 7%, found '7'"),
        (["--target-qps-backoff=0%"], "expected a percentage such as 7%"),
        (["--target-qps-backoff=100%"], "expected a percentage such as 7%"),
        ([SEVEN, "--target-qps-backoffs=0"], "expected 1, 2, 3 ..., found '0'"),
        (["--target-qps-backoffs=2"], "Say --target-qps-backoff=7%, too"),
    ],
)
def test_usage(lab: Lab, options: list[str], said: str) -> None:
    report = lab.run(*options)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in report.text
