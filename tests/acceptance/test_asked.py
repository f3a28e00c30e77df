"""What was measured is what was asked: LoadGen's settings against the plugin's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.driver import Lab

OTHERS: list[tuple[dict[str, Any], str, str]] = [
    # What LoadGen logs in place of what it was told, and what is said of it.
    ({"effective_scenario": "Offline"}, "asked for scenario server", "Offline"),
    ({"effective_test_mode": "AccuracyOnly"}, "test_mode PerformanceOnly", "Accuracy"),
    ({"effective_test_mode": "SubmissionRun"}, "test_mode PerformanceOnly", "Submiss"),
    ({"effective_min_duration_ms": 299}, "asked for min_duration 300", "299"),
    ({"requested_min_duration_ms": 60000}, "asked for min_duration 300", "60000"),
    ({"requested_min_query_count": 24576}, "asked for min_query_count 7", "24576"),
    ({"requested_server_target_qps": 100}, "asked for server_target_qps 150", "100"),
    ({"effective_target_qps": 149.9}, "asked for server_target_qps 150", "149.9"),
    ({"effective_min_query_count": 270336}, "asked for min_query_count 7", "270336"),
    ({"effective_max_query_count": 3}, "asked for max_query_count 99", "3"),
    ({"effective_qsl_rng_seed": 1}, "asked for qsl_rng_seed 6655344265603136530", "1"),
    ({"effective_target_latency_ns": 6e7}, "server_target_latency_ns 50000000", "6"),
    ({"warns": ["Found Audit Config file (audit.config)."]}, "an audit.config", ""),
]
RUN_ARGS = (
    "--server_target_qps=150 --min_query_count=7 --max_query_count=99 "
    "--qsl_rng_seed=6655344265603136530 --server_target_latency_ns=50000000"
)


def ran_with(logs: dict[str, Any]) -> dict[str, Any]:
    warns = logs.pop("warns", [])
    return {"ran_with": logs, "warns": warns}


@pytest.mark.parametrize(
    ("logs", "asked", "found"), OTHERS, ids=[next(iter(each[0])) for each in OTHERS]
)
def test_a_main_that_ran_with_something_else_fails(
    lab: Lab, logs: dict[str, Any], asked: str, found: str
) -> None:
    lab.fake(dlrm=ran_with(dict(logs)))
    report = lab.run(
        f"--main-benchmark-runargs={RUN_ARGS}", "--background-benchmarks=none"
    )
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert asked in failure
    assert found in failure


def test_a_main_that_ran_with_what_was_asked_passes(lab: Lab) -> None:
    logs = {
        "effective_target_latency_ns": 50000000,
        "requested_qsl_rng_seed": 6655344265603136530,
        "requested_max_query_count": 99,
        "requested_min_query_count": 7,
    }
    lab.fake(dlrm={"ran_with": logs})
    report = lab.run(f"--main-benchmark-runargs={RUN_ARGS}")
    report.result.assert_outcomes(passed=1)


def test_a_flag_of_another_scenario_is_not_asked(lab: Lab) -> None:
    more = "--main-benchmark-runargs=--offline_expected_qps=99"
    lab.fake(dlrm={"ran_with": {"requested_server_target_qps": 400}})
    lab.run(more, "--background-benchmarks=none").result.assert_outcomes(passed=1)


def test_a_rounded_target_is_the_one_that_was_asked_for(lab: Lab) -> None:
    more = "--main-benchmark-runargs=--server_target_qps=36472.83"
    said = {"requested_server_target_qps": 36472.8, "effective_target_qps": 36472.8}
    lab.fake(dlrm={"ran_with": said})
    lab.run(more, "--background-benchmarks=none").result.assert_outcomes(passed=1)


@pytest.mark.parametrize("word", ["--server_target_pqs=97", "--server_target_pqs 97"])
def test_a_dropped_flag_is_found_and_the_nearest_named(lab: Lab, word: str) -> None:
    report = lab.run(f"--main-benchmark-runargs={word}")
    report.result.assert_outcomes(failed=1, warnings=1)
    failure = report.case.problems["failure"]
    assert f"{word}, which is no known flag: --server_target_qps?" in failure
    assert "LoadGen ran with 400" in failure


def test_an_unknown_flag_that_loadgen_does_not_log_is_warned_of(lab: Lab) -> None:
    report = lab.run("--main-benchmark-runargs=--gpu_batch_szie=8")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "--gpu_batch_szie is no known flag" in report.text
    assert "nearest: --gpu_batch_size" in report.text


@pytest.mark.parametrize(
    "logs",
    [
        {"effective_scenario": "Server"},
        {"effective_min_duration_ms": 60},
        {"requested_min_query_count": 24576},
        {"effective_test_mode": "AccuracyOnly"},
        {"warns": ["Found Audit Config file (audit.config)."]},
    ],
    ids=lambda logs: next(iter(logs)),
)
def test_a_background_that_runs_with_something_else_ends_the_setup(
    lab: Lab, logs: dict[str, Any]
) -> None:
    lab.fake(bert=ran_with(dict(logs)))
    report = lab.run("--settle-time=10ms")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert "Background bert_offline" in error
    assert "asked for" in error or "audit.config" in error
    assert not report.launches("main")


def test_a_background_that_runs_with_something_else_fails_in_the_end_without_settling(
    lab: Lab,
) -> None:
    lab.fake(bert={"ran_with": {"effective_min_duration_ms": 60}})
    report = lab.run("--settle-time=0")
    report.result.assert_outcomes(passed=1, errors=1)
    assert "Background bert_offline: asked for" in report.case.problems["error"]


def test_the_record_has_what_was_asked_and_what_ran(lab: Lab) -> None:
    lab.fake(dlrm={"ran_with": {"effective_min_duration_ms": 299}})
    record = lab.run("--background-benchmarks=none").record
    (main,) = record["harnesses"]
    asked = {each["name"]: each["value"] for each in main["asked"]}
    assert asked["scenario"] == "server"
    assert asked["min_duration"] == "300"
    assert main["loadgen"]["settings"]["min_duration_ms"] == 299
    (said,) = main["ran_otherwise"]
    assert "asked for min_duration 300" in said


def test_a_background_is_held_against_what_it_was_asked_for_again_at_its_end(
    lab: Lab,
) -> None:
    lab.pytester.makepyfile(
        test_run="""
        from pathlib import Path

        def test_heterogeneous(background, main):
            (log,) = Path("results").glob("*/background-1-*/**/mlperf_log_detail.txt")
            main.run()
            text = log.read_text().replace('"effective_min_duration_ms", "value": 8000',
                                           '"effective_min_duration_ms", "value": 15')
            log.write_text(text)
        """
    )
    lab.fake(bert={"after": 1, "outlasts": 3})
    report = lab.run()
    report.result.assert_outcomes(passed=1, errors=1)
    assert "asked for min_duration 8000" in report.case.problems["error"]


# Audits.


def test_what_an_audit_changes_by_design_is_named(lab: Lab) -> None:
    logs = {"requested_qsl_rng_seed": 5, "effective_qsl_rng_seed": 5}
    lab.fake(dlrm={"ran_with": logs})
    report = lab.run(
        "--main-action=run_audit_test05", "--main-benchmark-runargs=--qsl_rng_seed=9"
    )
    report.result.assert_outcomes(passed=1)
    named = report.case.properties["audit_overrides"]
    assert named.startswith("asked for qsl_rng_seed 9 (--qsl_rng_seed=9), LoadGen ran")


def test_an_audit_at_another_target_fails(lab: Lab) -> None:
    lab.fake(dlrm={"ran_with": {"requested_server_target_qps": 100}})
    report = lab.run(
        "--main-action=run_audit_test01",
        "--main-benchmark-runargs=--server_target_qps=150",
    )
    report.result.assert_outcomes(failed=1)
    assert "asked for server_target_qps 150" in report.case.problems["failure"]


def test_a_search_stops_where_its_target_does_not_arrive(lab: Lab) -> None:
    lab.fake(dlrm={"ran_with": {"requested_server_target_qps": 390}})
    start = "--main-benchmark-runargs=--server_target_qps=400"
    lab.isolated()
    report = lab.run("--mig-tune", start, "-m", "isolated")
    report.result.assert_outcomes(failed=1)
    assert "asked for server_target_qps 400" in report.case.problems["failure"]
