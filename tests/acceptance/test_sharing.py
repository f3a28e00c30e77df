"""One set of backgrounds for several mains, kept up from test to test."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.lab.driver import Files, Lab, Report
from tests.lab.processes import in_the_run, until

SHARED = ("--background-scope=session", "--background-benchmarks=bert,resnet50")
LONG = "--background-benchmark-duration=20s"
THREE = "dlrm_server or dlrm_offline or bert_server"


def run(lab: Lab, *options: str, k: str = THREE) -> Report:
    return lab.run(*SHARED, *options, k=k)


def sets(report: Report) -> list[str]:
    """Return the folders of the sets that were started, relative to the results."""
    results = report.folder / "results"
    found = results.glob("*-backgrounds*/set-*")
    return sorted(f"{path.parent.name[-11:]}/{path.name}" for path in found)


def test_three_mains_share_one_start_up(lab: Lab) -> None:
    report = run(lab, LONG)
    report.result.assert_outcomes(passed=3)
    assert sets(report) == ["backgrounds/set-1"]
    launched = lab.folder.glob("results/*-backgrounds/set-1/*/logs/launch.json")
    assert len(list(launched)) == 2
    for case in report.junit:
        facts = case.properties
        assert facts["overlap_ok"] == "true"
        assert facts["overlap_source"] == "loadgen"
        assert float(facts["start_margin_s"]) > 0
        assert float(facts["end_margin_s"]) >= 0.1
        assert facts["background_duration_by"] == "session"
        assert facts["background_exit_codes"] in {
            "bert=running,resnet50=running",
            "bert=stopped,resnet50=stopped",
        }
    starts = [float(case.properties["start_margin_s"]) for case in report.junit]
    assert starts == sorted(starts)
    assert {len(record["overlap"]) for record in report.records} == {2}


def test_nothing_is_left_and_the_lease_is_free(lab: Lab) -> None:
    report = run(lab, LONG, k="dlrm")
    report.result.assert_outcomes(passed=2)
    assert in_the_run(lab.folder) == []
    lab.run("--mig-lease-timeout=0s").result.assert_outcomes(passed=1)


def test_backgrounds_restart_between_mains_and_never_during_one(lab: Lab) -> None:
    # Long enough for one main, not for three.
    report = run(lab, "--background-benchmark-duration=2s", "--settle-time=0")
    report.result.assert_outcomes(passed=3)
    assert len(sets(report)) > 1
    windows = [
        (main["launched"], main["exited"])
        for record in report.records
        for main in record["harnesses"][:1]
    ]
    starts = [
        json.loads(path.read_text())["at"]
        for path in lab.folder.glob("results/*-backgrounds/*/*/logs/launch.json")
    ]
    assert not [1 for begin, end in windows for at in starts if begin < at < end]


def test_a_background_that_dies_fails_the_main_it_hurt(lab: Lab) -> None:
    flag = lab.folder / "died"
    lab.fake(bert={"once": str(flag), "test": 8}, dlrm={"test": 5})
    report = run(lab, "--background-benchmark-duration=8s", k="dlrm")
    report.result.assert_outcomes(failed=1, passed=1)
    first, second = report.junit
    assert "background bert_offline exited with code 2" in first.problems["failure"]
    assert first.properties["overlap_ok"] == "false"
    # The set was built anew for the next main.
    assert second.properties["overlap_ok"] == "true"
    assert len(sets(report)) == 2


def test_mains_of_one_set_run_in_a_row(lab: Lab) -> None:
    # "all" leaves main's own benchmark out: one set for each benchmark.
    report = lab.run(SHARED[0], LONG, "--collect-only", "-q", k="dlrm or bert")
    lines = [line.partition("[")[2] for line in report.result.outlines if "[" in line]
    assert lines == ["bert_offline]", "bert_server]", "dlrm_offline]", "dlrm_server]"]


def test_another_set_or_an_isolated_run_ends_it(lab: Lab) -> None:
    lab.isolated()
    report = lab.run(SHARED[0], LONG, "--mig-isolated", k="server", devices=4)
    report.result.assert_outcomes(passed=4)
    names = [case.name.partition("[")[0] for case in report.junit]
    assert names == ["test_isolated"] * 2 + ["test_heterogeneous"] * 2
    # "all" leaves main's own benchmark out: each main has a set of its own.
    assert len(sets(report)) == 2


def test_the_first_failure_ends_the_set(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    report = run(lab, LONG, "-x", k="dlrm")
    report.result.assert_outcomes(failed=1)
    lab.fake()
    lab.run("--mig-lease-timeout=0s").result.assert_outcomes(passed=1)


def test_backgrounds_that_never_start_are_an_error_of_each_test(lab: Lab) -> None:
    lab.fake(bert={"die": ["start", 4]})
    report = run(lab, LONG, k="dlrm")
    report.result.assert_outcomes(errors=2)
    for case in report.junit:
        assert "exited with code 2 (make: Error 4)" in case.problems["error"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_session_that_is_ended(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    lab.fake(dlrm={"test": 60}, **{"*": {"ignore": True, "daemon": True}})
    options = ("--background-benchmark-duration=25s", "--mig-stop-grace=300ms")
    arguments = lab.arguments(*SHARED, *options)
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments, "-k", "dlrm"],
        stdout=subprocess.DEVNULL,
        cwd=lab.folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        until(lambda: any(lab.folder.glob("results/*dlrm*/main/logs/fake_system")))
        process.send_signal(number)
        process.wait(60)
    until(lambda: not in_the_run(lab.folder), 3)
    if number != signal.SIGKILL:
        (error,) = Files(lab.folder).case.problems.values()
        assert "while main runs" in error


def test_workers_keep_their_sets_to_themselves(lab: Lab) -> None:
    report = lab.run_apart("-n2", *SHARED, "--mig-lease-timeout=60s", LONG, k=THREE)
    report.result.assert_outcomes(passed=3)
    lives = []
    for record in report.records:
        main, *beside = record["harnesses"]
        assert all(each["launched"] < main["launched"] for each in beside)
        lives.append((main["launched"], main["exited"]))
    lives.sort()
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(lives))


def test_a_dry_run_prints_what_each_test_would_start(lab: Lab) -> None:
    report = run(lab, "--dryrun", k="dlrm")
    report.result.assert_outcomes(skipped=2)
    assert report.text.count("# background 1 of 2: bert_offline") == 2
    assert not (lab.folder / "results").exists()


def test_a_scope_that_is_none(lab: Lab) -> None:
    report = lab.run("--background-scope=module")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "unknown 'module': accepted: session, test" in report.text
