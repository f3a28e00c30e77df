"""A whole run against the fake harness: phases, verdicts, what is left behind."""

from __future__ import annotations

import json

import pytest

from tests.lab import needs
from tests.lab.driver import UUIDS, Lab
from tests.lab.processes import in_the_run


def test_a_good_run_passes_and_says_everything(lab: Lab) -> None:
    report = lab.run()
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["benchmark"] == "dlrm"
    assert facts["scenario"] == "server"
    assert facts["action"] == "run_harness"
    assert facts["suite"] == "fake"
    assert facts["device_uuid"] == UUIDS[0]
    assert facts["backgrounds"] == "bert,resnet50"
    assert facts["background_devices"] == ",".join(UUIDS[1:3])
    assert facts["validity"] == "VALID"
    assert facts["value"] == "393.025"
    assert facts["unit"] == "samples/s"
    assert facts["target_qps"] == "400"
    assert facts["p99_ms"] == "14.243"
    assert facts["latency_limit_ms"] == "500"
    assert facts["overlap_ok"] == "true"
    assert facts["overlap_source"] == "loadgen"
    assert float(facts["start_margin_s"]) > 0
    assert float(facts["end_margin_s"]) >= 0.1
    assert facts["background_exit_codes"] == "bert=0,resnet50=0"
    assert facts["command"].startswith(f"cd {lab.harness} && CUDA_VISIBLE_DEVICES=")
    assert facts["log_dir"].startswith(str(lab.folder / "results"))


def test_the_header_says_suite_devices_and_folder(lab: Lab) -> None:
    lines = lab.run("--collect-only").result.outlines
    suite = "suite fake (the tests' own harness)"
    assert f"mighetero: {suite}, harness folder {lab.harness}" in lines
    assert "mighetero: listed by --mig-devices (3 MIG devices)" in lines


def test_the_same_facts_reach_system_out(lab: Lab) -> None:
    case = lab.run().case
    for name, value in case.properties.items():
        assert any(
            line.split(maxsplit=1) == [name, value]
            for line in case.system_out.splitlines()
        ), name


def test_every_harness_has_a_device_and_a_log_dir_of_its_own(lab: Lab) -> None:
    report = lab.run()
    launches = report.launches("main") + report.launches("background")
    environments = [each["environ"] for each in launches]
    devices = [each["CUDA_VISIBLE_DEVICES"] for each in environments]
    assert sorted(devices) == UUIDS[:3]
    assert devices[0] == UUIDS[0]
    assert len({each["LOG_DIR"] for each in environments}) == 3
    assert report.launches("main")[0]["at"] > report.launches("background")[-1]["at"]


def test_backgrounds_run_offline_with_one_query(lab: Lab) -> None:
    report = lab.run()
    assert report.run_args() == [
        "--benchmarks=dlrm",
        "--scenarios=server",
        "--config_ver=default",
        "--min_duration=300",
    ]
    assert report.run_args("background-1-bert") == [
        "--benchmarks=bert",
        "--scenarios=offline",
        "--config_ver=default",
        "--min_duration=8000",
        "--min_query_count=1",
    ]


def test_an_outer_make_does_not_reach_the_harness(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAKEFLAGS", "MFLAGS"):
        monkeypatch.setenv(name, "-n")
    monkeypatch.setenv("MAKELEVEL", "3")
    report = lab.run()
    report.result.assert_outcomes(passed=1)
    assert report.launches()[0]["environ"]["MAKELEVEL"] == "1"


def test_the_record_has_the_run(lab: Lab) -> None:
    record = lab.run().record
    assert record["test"] == "test_run.py::test_heterogeneous[dlrm_server]"
    assert {name: phase["outcome"] for name, phase in record["phases"].items()} == {
        "setup": "passed",
        "call": "passed",
        "teardown": "passed",
    }
    roles = [each["role"] for each in record["harnesses"]]
    assert roles == ["main", "background-1-bert", "background-2-resnet50"]
    main = record["harnesses"][0]
    assert main["loadgen"]["valid"] is True
    assert main["launched"] < main["started"] < main["finished"] < main["exited"]
    assert record["facts"]["validity"] == "VALID"


def test_all_output_is_in_the_harness_log(lab: Lab) -> None:
    lab.fake(bert={"print": 300_000})
    report = lab.run()
    report.result.assert_outcomes(passed=1)
    (log,) = lab.folder.glob("results/*/background-1-bert/output.log")
    text = log.read_bytes()
    assert text.startswith(b"bert begins on MIG-")
    assert text.count(b"x" * 99 + b"\n") == 3000
    assert text.endswith(b"Finished running actual test.\n")


# Setup: the backgrounds never got going.


def test_a_background_that_dies_before_its_marker_ends_the_wait_at_once(
    lab: Lab,
) -> None:
    lab.fake(bert={"die": ["start", 7]}, resnet50={"before": 60})
    report = lab.run()
    report.result.assert_outcomes(errors=1)
    assert report.result.duration < 10
    error = report.case.problems["error"]
    assert "failed on setup" in error
    assert "Background bert_offline exited with code 2 (make: Error 7)" in error
    assert "before its start marker" in error
    assert "dying at start" in error
    assert not report.launches("main")


def test_a_background_without_marker_hits_the_deadline(lab: Lab) -> None:
    lab.fake(resnet50={"marker": "", "log": False, "test": 60})
    report = lab.run("--start-time-buffer=1s")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert "1 of 2 backgrounds printed no start marker" in error
    assert "nor did LoadGen issue a query, within 1s (--start-time-buffer): " in error
    assert "resnet50_offline." in error
    assert "resnet50 begins on" in error
    assert not report.launches("main")


def test_without_any_marker_the_log_is_proof_enough(lab: Lab) -> None:
    """Most of NVIDIA's harnesses of v5.1 print none."""
    lab.fake(**{key: {"marker": ""} for key in ("bert", "resnet50", "dlrm")})
    report = lab.run()
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "loadgen"


def test_a_setup_error_has_the_facts_known_by_then(lab: Lab) -> None:
    lab.fake(bert={"die": ["start", 7]})
    case = lab.run().case
    assert case.properties["benchmark"] == "dlrm"
    assert case.properties["device_uuid"] == UUIDS[0]
    assert "resnet50=stopped" in case.properties["background_exit_codes"]
    assert "device_uuid" in case.system_out


def test_the_triton_marker_counts_too(lab: Lab) -> None:
    lab.fake(bert={"marker": "I0315 06:43:23 12 server.cc] Start running actual test"})
    lab.run().result.assert_outcomes(passed=1)


# Call: main is bad, or the overlap broke while it ran.


def test_a_main_that_fails_shows_makes_error_and_the_last_lines(lab: Lab) -> None:
    lab.fake(dlrm={"die": ["middle", 3]})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "Main dlrm_server failed: it exited with code 2 (make: Error 3)" in failure
    assert "dying at middle" in failure
    assert "output.log" in failure


def test_an_invalid_main_fails_though_make_exits_0(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "the result is INVALID" in report.case.problems["failure"]
    assert report.case.properties["validity"] == "INVALID"
    assert report.case.properties["exit_code"] == "0"


def test_a_latency_miss_says_target_p99_limit_and_the_next_target(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID", "p99": 612.5})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "393.025 samples/s at target 400" in failure
    assert "p99 612.5 ms, limit 500 ms" in failure
    assert "Next to try: --server_target_qps=372" in failure


def test_exit_0_without_a_result_fails(lab: Lab) -> None:
    lab.fake(dlrm={"log": False})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "left no LoadGen result of its own" in report.case.problems["failure"]


def test_a_log_without_verdict_fails(lab: Lab) -> None:
    lab.fake(dlrm={"validity": ""})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "holds no verdict" in report.case.problems["failure"]


def test_loadgen_errors_fail_a_valid_result(lab: Lab) -> None:
    lab.fake(dlrm={"errors": 2})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "LoadGen counted 2 errors" in report.case.problems["failure"]


def test_a_failed_call_only_stops_things_afterwards(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"}, **{"*": {"test": 60}})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert report.result.duration < 15
    assert len(report.junit) == 1
    codes = report.case.properties["background_exit_codes"]
    assert codes == "bert=stopped,resnet50=stopped"


@pytest.mark.parametrize(
    ("behaviour", "how"),
    [
        ({"into": 0.3}, "finished its test"),
        ({"into": 0.3, "die": ["middle", 9]}, "exited with code 2 (make: Error 9)"),
    ],
)
def test_a_background_that_ends_while_main_runs_stops_main(
    lab: Lab, behaviour: dict[str, object], how: str
) -> None:
    lab.fake(bert=behaviour, dlrm={"test": 60})
    report = lab.run("--background-benchmark-duration=20s")
    report.result.assert_outcomes(failed=1)
    assert report.result.duration < 15
    failure = report.case.problems["failure"]
    assert f"The overlap broke: background bert_offline {how}" in failure
    advice = "They ran with 20s; --background-benchmark-duration="
    assert (advice in failure) == ("die" not in behaviour)
    assert report.case.properties["overlap_ok"] == "false"


def test_a_background_may_end_while_main_works_on_after_its_test(lab: Lab) -> None:
    lab.fake(dlrm={"after": 3})
    report = lab.run()
    report.result.assert_outcomes(passed=1)
    assert 0.1 <= float(report.case.properties["end_margin_s"]) < 3


def test_a_crash_that_is_known_when_main_is_done_is_a_failure(lab: Lab) -> None:
    lab.fake(bert={"exit": 3}, dlrm={"after": 3})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "did not exit with code 0: bert_offline: code 2 (make: Error 3)" in failure
    assert "The overlap broke" not in failure


@pytest.mark.parametrize(
    ("marker", "end"),
    [
        ("\x1b[1;32mStarting running actual test.\x1b[0m", "\n"),
        ("99 %\rStarting running actual test.  ", "\r"),
        ("[I] Starting running actual test.", ""),
        ("\x1b[1mStarting running actual test.", "\x1b[0m"),
    ],
)
def test_a_marker_that_is_coloured_or_that_no_line_end_follows(
    lab: Lab, marker: str, end: str
) -> None:
    lab.fake(bert={"marker": marker, "marker_end": end})
    report = lab.run("--background-benchmark-duration=15s")
    report.result.assert_outcomes(passed=1)


def test_main_waits_until_every_background_issues_queries(lab: Lab) -> None:
    lab.fake(bert={"load": 2})
    report = lab.run("--background-benchmark-duration=15s")
    report.result.assert_outcomes(passed=1)
    gap = report.launches()[0]["at"] - report.launches("background")[0]["at"]
    assert gap > 2
    assert float(report.case.properties["start_margin_s"]) > 0


def test_a_background_that_never_issues_hits_the_deadline(lab: Lab) -> None:
    lab.fake(bert={"load": 60})
    report = lab.run("--start-time-buffer=1s", "--background-benchmark-duration=4s")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert "1 of 2 backgrounds printed the start marker but issued no query" in error


def test_main_waits_for_a_log_that_appears_long_after_the_marker(lab: Lab) -> None:
    lab.fake(bert={"late": 3, "load": 1})
    report = lab.run("--background-benchmark-duration=15s")
    report.result.assert_outcomes(passed=1)
    gap = report.launches()[0]["at"] - report.launches("background")[0]["at"]
    assert gap > 4
    assert float(report.case.properties["start_margin_s"]) > 0


def test_a_background_without_a_log_hits_the_deadline(lab: Lab) -> None:
    lab.fake(bert={"late": 60})
    report = lab.run("--start-time-buffer=1s", "--background-benchmark-duration=4s")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    (folder,) = lab.folder.glob("results/*/background-1-bert/logs")
    assert (
        "1 of 2 backgrounds printed the start marker but within 1s "
        "(--start-time-buffer) no LoadGen log appeared: bert_offline "
        f"(nothing in {folder})"
    ) in error
    assert "Raise --start-time-buffer" in error
    assert "live_evidence = false" in error
    assert not report.launches("main")


@pytest.mark.parametrize(
    ("scope", "sets", "seconds"), [("test", 2, 5), ("session", 1, 25)]
)
def test_every_attempt_waits_for_logs_of_its_own(
    lab: Lab, scope: str, sets: int, seconds: int
) -> None:
    lab.fake(bert={"late": 1.5}, dlrm={"capacity": 380})
    duration = f"--background-benchmark-duration={seconds}s"
    backoff = "--target-qps-backoff=7%"
    report = lab.run(f"--background-scope={scope}", duration, backoff)
    report.result.assert_outcomes(passed=1)
    mains, backgrounds = report.launches(), report.launches("background-1-bert")
    assert (len(mains), len(backgrounds)) == (2, sets)
    for main, background in zip(mains, backgrounds, strict=False):
        assert main["at"] - background["at"] > 1.5
    assert float(report.case.properties["start_margin_s"]) > 0


def test_main_is_launched_in_the_environment_of_its_launch(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        def test_heterogeneous(background, main, monkeypatch):
            monkeypatch.setenv("SAID", "by the test")
            main.run()
        """
    )
    report = lab.run()
    report.result.assert_outcomes(passed=1)
    assert report.launches()[0]["environ"]["SAID"] == "by the test"
    assert "SAID" not in report.launches("background")[0]["environ"]


def test_a_main_that_was_only_prepared_leaves_nothing(lab: Lab) -> None:
    lab.fake(bert={"die": ["start", 7]})
    report = lab.run()
    report.result.assert_outcomes(errors=1)
    assert in_the_run(lab.folder) == []
    main = report.record["harnesses"][0]
    assert (main["role"], main["launched"], main["exit_code"]) == ("main", None, None)


def test_a_background_whose_guard_is_killed_is_noticed(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        import os, signal, threading

        def test_heterogeneous(background, main):
            guard = background.harnesses[0].pid
            threading.Timer(1, os.kill, [guard, signal.SIGKILL]).start()
            main.run()
        """
    )
    lab.fake(**{"*": {"test": 60}})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert report.result.duration < 15
    failure = report.case.problems["failure"]
    # make may find the time to say that it was hung up on.
    assert "background bert_offline exited with code 137 (" in failure


@pytest.mark.parametrize(
    ("faults", "options"),
    [
        ({"bert": {"die": ["start", 7]}}, []),
        ({"bert": {"marker": "", "test": 60}}, ["--start-time-buffer=1s"]),
        ({"dlrm": {"validity": "INVALID", "p99": 700}}, []),
        ({"dlrm": {"die": ["middle", 3]}}, []),
        ({"dlrm": {"log": False}}, []),
        ({"bert": {"into": 0.2}, "dlrm": {"test": 60}}, []),
        ({"bert": {"exit": 4}}, []),
        (
            {"bert": {"test": 1.5}},
            ["--end-time-buffer-min=9s", "--background-benchmark-duration=10s"],
        ),
        ({}, ["--mig-devices=MIG-00000000"]),
    ],
)
def test_a_failure_is_a_sentence_and_no_traceback(
    lab: Lab, faults: dict[str, dict[str, object]], options: list[str]
) -> None:
    lab.fake(**faults)
    report = lab.run(*options)
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    (problem,) = report.case.problems.values()
    for text in (report.text, problem):
        assert "Traceback" not in text
        assert "During handling" not in text
        assert ".py:" not in text.replace("test_run.py::", "")


# Teardown: the backgrounds ended badly.


def test_a_background_that_ends_too_soon_after_main_is_an_error(lab: Lab) -> None:
    lab.fake(bert={"test": 1.5}, resnet50={"test": 1.5})
    long = "--background-benchmark-duration=11s"
    report = lab.run("--end-time-buffer-min=10s", long)
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.case.problems["error"]
    assert "failed on teardown" in error
    assert "2 of 2 backgrounds did not outlast main by 10s" in error
    assert "--background-benchmark-duration=" in error
    assert report.case.properties["overlap_ok"] == "false"


def test_a_background_that_exits_badly_is_an_error(lab: Lab) -> None:
    lab.fake(resnet50={"exit": 5, "outlasts": 3})
    report = lab.run()
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.case.problems["error"]
    assert "1 of 2 backgrounds did not exit with code 0" in error
    assert "resnet50_offline: code 2 (make: Error 5)" in error
    assert report.case.properties["background_exit_codes"] == "bert=0,resnet50=2"


def test_without_loadgen_logs_the_markers_decide_and_the_result_says_so(
    lab: Lab,
) -> None:
    suite = lab.folder / "no-logs.toml"
    suite.write_text(f'extends = "{lab.suite}"\n[harness]\nloadgen_log = false\n')
    lab.suite = str(suite)
    lab.fake(bert={"log": False})
    report = lab.run("--background-benchmark-duration=15s")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "marker"
    seconds = float(report.case.properties["seconds"])
    report.result.stdout.fnmatch_lines(
        [f"dlrm *server *VALID * by markers *{seconds:.2f}"]
    )
    overlap = {each["name"]: each for each in report.record["overlap"]}
    assert overlap["bert_offline"]["source"] == "marker"
    assert overlap["resnet50_offline"]["source"] == "loadgen"
    assert overlap["bert_offline"]["covered"] == 1


# What a test must do.


def test_a_test_that_never_runs_main_fails(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run="def test_it(background, main): pass")
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "nothing was measured" in report.case.problems["failure"]


def test_running_main_twice_is_a_failure(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="def test_it(background, main): main.run(); main.run()"
    )
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "called twice" in report.case.problems["failure"]


def test_a_test_may_assert_on_the_result(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        def test_it(background, main):
            assert main.run().metric.value > 1000
        """
    )
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "393.025" in report.case.problems["failure"]


def test_main_alone_runs_without_backgrounds(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run="def test_alone(main): main.run()")
    report = lab.run(devices=1)
    report.result.assert_outcomes(passed=1)
    assert "backgrounds" not in report.case.properties
    assert not report.launches("background")


def test_somebody_elses_main_fixture_is_left_alone(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        import pytest

        @pytest.fixture
        def main():
            return 42

        def test_dlrm_server(main):
            assert main == 42
        """
    )
    lab.run().result.assert_outcomes(passed=1)


# Audits and accuracy.


def test_an_audit_passes_by_its_verdict_files(lab: Lab) -> None:
    report = lab.run("--main-action=run_audit_test01", k="dlrm_server-test01")
    report.result.assert_outcomes(passed=1)
    assert report.launches()[0]["argv"][0] == "run_audit_test01"
    assert report.case.properties["action"] == "run_audit_test01"


@pytest.mark.parametrize("verdict", ["TEST FAIL: Test score invalid", ""])
def test_an_audit_without_pass_fails(lab: Lab, verdict: str) -> None:
    lab.fake(dlrm={"verdict": verdict})
    report = lab.run("--main-action=run_audit_test04")
    report.result.assert_outcomes(failed=1)
    assert "TEST04" in report.case.problems["failure"]


FALLBACK = {
    "verify_accuracy.txt": "num_perf_log_data_mismatch = 3\nTEST FAIL\n",
    "baseline_accuracy.txt": "accuracy=76.460%, good=38230, total=50000\n",
}


@pytest.mark.parametrize(
    ("files", "outcome"),
    [
        (
            {"compliance_accuracy.txt": "accuracy=76.300%, good=38150, total=50000"},
            "passed",
        ),
        (
            {"compliance_accuracy.txt": "accuracy=75.100%, good=37550, total=50000"},
            "failed",
        ),
        ({"compliance_accuracy.txt": "no figure"}, "failed"),
        ({}, "failed"),
        (
            {
                "compliance_accuracy.txt": "accuracy=76.400%",
                "verify_performance.txt": "Verifying performance.\n",
            },
            "failed",
        ),
    ],
)
def test_the_accuracy_part_of_test01_may_pass_by_its_fallback(
    lab: Lab, files: dict[str, str], outcome: str
) -> None:
    lab.fake(dlrm={"files": {**FALLBACK, **files}})
    report = lab.run("--main-action=run_audit_test01", "--background-benchmarks=none")
    report.result.assert_outcomes(**{outcome: 1})


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [("Accuracy test PASSED.", "passed"), ("Accuracy test FAILED.", "failed")],
)
def test_accuracy_is_judged_by_the_harness(
    lab: Lab, verdict: str, outcome: str
) -> None:
    lab.fake(dlrm={"accuracy": f"Accuracy = 76.4, Threshold = 75.7. {verdict}"})
    report = lab.run("--main-benchmark-runargs=--test_mode=AccuracyOnly")
    report.result.assert_outcomes(**{outcome: 1})
    facts = report.case.properties
    assert facts["mode"] == "AccuracyOnly"
    assert (facts["accuracy"], facts["accuracy_threshold"]) == ("76.4", "75.7")
    assert facts["accuracy_test"] == verdict.rsplit(maxsplit=1)[-1].rstrip(".")
    assert report.record["facts"].items() >= facts.items()
    report.result.stdout.fnmatch_lines(
        [
            "*accuracy  threshold  accuracy test *",
            f"*76.4 *75.7  {facts['accuracy_test']}*",
        ]
    )


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ({"accuracy": "Accuracy test PASSED."}, None),
        ({"accuracy": "Accuracy test FAILED."}, "accuracy: Accuracy test FAILED."),
        ({"accuracy": "nothing"}, "left no accuracy verdict in accuracy_summary.json"),
        ({}, "left no accuracy verdict in accuracy_summary.json"),
        ({"accuracy": "Accuracy test PASSED.", "validity": "INVALID"}, "is INVALID"),
    ],
)
def test_a_submission_run_is_judged_by_both(
    lab: Lab, behaviour: dict[str, object], says: str | None
) -> None:
    lab.fake(dlrm={"mode": "SubmissionRun", **behaviour})
    report = lab.run("--main-benchmark-runargs=--test_mode=SubmissionRun")
    report.result.assert_outcomes(**{"failed" if says else "passed": 1})
    if says:
        assert says in report.case.problems["failure"]
    if "Accuracy test" in str(behaviour.get("accuracy")):
        assert report.case.properties["accuracy"] == behaviour["accuracy"]


TOKENS = {
    "requested_use_token_latencies": True,
    "requested_server_ttft_latency": 2_000_000_000,
    "requested_server_tpot_latency": 200_000_000,
    "result_first_token_99.00_percentile_latency_ns": 2_500_000_000,
    "result_time_per_output_token_99.00_percentile_ns": 90_000_000,
    "result_completed_tokens_per_second": 1504.54,
}


def test_a_language_model_is_judged_by_ttft_and_tpot(lab: Lab) -> None:
    lab.fake(dlrm={"logged": TOKENS, "p99": 612.5, "validity": "INVALID"})
    report = lab.run()
    failure = report.case.problems["failure"]
    assert "99th percentile TTFT is 2500 ms, limit 2000 ms. " in failure
    assert "1504.54 tokens/s at target 400" in failure
    assert "p99 TTFT 2500 ms, limit 2000 ms, p99 TPOT 90 ms, limit 200 ms" in failure
    assert "Next to try: --server_target_qps=372" in failure
    facts = report.case.properties
    assert (facts["value"], facts["unit"]) == ("1504.54", "tokens/s")
    latencies = [facts[f"{name}_p99_ms"] for name in ("ttft", "tpot")]
    limits = [facts[f"{name}_limit_ms"] for name in ("ttft", "tpot")]
    assert (latencies, limits) == (["2500", "90"], ["2000", "200"])
    assert not {"p99_ms", "latency_limit_ms"} & set(facts)
    report.result.stdout.fnmatch_lines(
        [
            "*metric *p99 TTFT ms  limit ms  p99 TPOT ms  limit ms *",
            "dlrm *1504.54  tokens/s * 2500.00 * 2000 * 90.00 * 200 *",
        ]
    )


def test_damaged_logs_are_no_measurement(lab: Lab) -> None:
    lab.fake(dlrm={"logged": {"result_completed_samples_per_sec": -1}})
    report = lab.run("--mig-save-reference", "--background-benchmarks=none")
    report.result.assert_outcomes(failed=1)
    says = "gives two different results: result_completed_samples_per_sec"
    assert says in report.case.problems["failure"]
    assert says in report.case.properties["damage"]
    report.result.stdout.fnmatch_lines(["dlrm *VALID, damaged *"])
    report.result.stdout.fnmatch_lines(["*no reference was saved*"])


def test_junit_parses_whatever_bytes_a_harness_prints(lab: Lab) -> None:
    lab.fake(dlrm={"die": ["marker", 1], "marker": "\x1b[2J\x00\udcff\x07 broken"})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert "broken" in report.case.problems["failure"]


def test_properties_can_be_left_out(lab: Lab) -> None:
    lab.ini("mig_junit_properties = false", junit_family="xunit2")
    report = lab.run()
    report.result.assert_outcomes(passed=1)
    assert report.case.properties == {}
    assert "validity" in report.case.system_out
    report.result.stdout.fnmatch_lines(["*dlrm *server *VALID*393.02*samples/s*"])


def test_the_summary_is_a_table_of_all_runs(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    report = lab.run(k="server or bert_offline")
    report.result.assert_outcomes(passed=2, failed=1)
    cases = sorted(report.junit, key=lambda case: case.name)
    # The harness's sleep takes as long as the machine likes.
    offline, server, dlrm = (float(each.properties["seconds"]) for each in cases)
    report.result.stdout.fnmatch_lines(
        [
            "*heterogeneous runs*",
            "benchmark  scenario  valid *target  metric *p99 ms  limit ms *seconds",
            f"bert       offline   VALID *518.39  samples/s *14.24 *{offline:.2f}",
            f"bert       server    VALID *393.02  samples/s *14.24 *{server:.2f}",
            f"dlrm       server    INVALID *393.02  samples/s *14.24 *- *{dlrm:.2f}",
        ]
    )


def test_under_xdist_nothing_is_lost(lab: Lab) -> None:
    needs.module("xdist")
    report = lab.run("-p", "xdist", "-n1", k="server")
    report.result.assert_outcomes(passed=2)
    assert {case.properties["validity"] for case in report.junit} == {"VALID"}
    report.result.stdout.fnmatch_lines(["*heterogeneous runs*", "dlrm *server *VALID*"])
    assert len(list(lab.folder.glob("results/*/record.json"))) == 2


def test_the_record_is_json_with_a_version(lab: Lab) -> None:
    lab.fake(bert={"die": ["start", 7]})
    record = lab.run().record
    assert record["version"] == 1
    assert record["phases"]["setup"]["outcome"] == "failed"
    assert "exited with code 2" in record["phases"]["setup"]["text"]
    assert json.dumps(record)
