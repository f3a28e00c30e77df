"""A background really loads its device, all of main's window long."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.driver import Lab, Report

HURRY = "--mig-stop-grace=200ms"
LONG = "--background-benchmark-duration=25s"
# Runs in the lab's own folder, in this process.
HEAD = """
import os, signal, threading
from pathlib import Path
from tests.lab.processes import below, until

STOP, CONT = signal.SIGSTOP, signal.SIGCONT
SENT = []

def send(pids, number):
    for pid in pids:
        os.kill(pid, number)

def mains(what, file):
    found = Path("results").glob(f"**/main/{file}")
    return sum(what in path.read_text() for path in found)

def issuing():
    return mains("generated_query_count", "logs/**/mlperf_log_detail.txt")

def later(condition, action):
    def wait():
        until(condition)
        action()
    threading.Thread(target=wait).start()
"""
TREE = "below(background.harnesses[0].pid)"
STOPPED = """
def test_heterogeneous(background, main):
    tree = below(background.harnesses[0].pid)
    later(issuing, lambda: send(tree, STOP))
    main.run()
"""
WORKER_STOPPED = STOPPED.replace(TREE, f"{TREE}[-1:]")
STOPPED_ONCE = """
def test_heterogeneous(background, main):
    tree = below(background.harnesses[0].pid)
    if not SENT:
        SENT.append(tree)
        later(issuing, lambda: send(tree, STOP))
    main.run()
"""
STOPPED_THROUGHOUT = """
def test_heterogeneous(background, main):
    send(below(background.harnesses[0].pid), STOP)
    main.run()
"""
STOPPED_BEFORE_MAIN = """
def test_heterogeneous(background, main):
    tree = below(background.harnesses[0].pid)
    send(tree, STOP)
    later(lambda: mains("running actual", "output.log"), lambda: send(tree, CONT))
    main.run()
"""
STOPPED_AFTER_MAIN = """
def test_heterogeneous(background, main):
    main.run()
    if not SENT:
        SENT.append(1)
        send(below(background.harnesses[0].pid), STOP)
"""
# For as long as it takes to be seen.
MAIN_STOPPED = """
def test_heterogeneous(background, main):
    attempt = main._first
    def stop():
        tree = below(attempt.main.pid)
        send(tree, STOP)
        later(lambda: attempt._watch._activities[attempt.main].suspect,
              lambda: send(tree, CONT))
    later(issuing, stop)
    main.run()
"""


def script(lab: Lab, test: str) -> None:
    lab.pytester.makepyfile(test_run=HEAD + test)


def with_idle_limit(lab: Lab, limit: str) -> None:
    path = lab.folder / "idle.toml"
    path.write_text(f'extends = "{lab.suite}"\n[harness]\nidle_limit = "{limit}"\n')
    lab.suite = str(path)


def activity(record: dict[str, Any], role: str) -> dict[str, Any]:
    (found,) = [e["activity"] for e in record["harnesses"] if e["role"] == role]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("test", "how"),
    [(STOPPED, "2 of its 2 processes"), (WORKER_STOPPED, "1 of its 2 processes")],
)
def test_a_background_that_is_stopped_while_main_runs_stops_main(
    lab: Lab, test: str, how: str
) -> None:
    script(lab, test)
    # What works is told by its CPU time, in ticks of 10 ms; make's may be one, too.
    lab.fake(bert={"test": 60, "burn": True}, **{"*": {"test": 60}})
    report = lab.run(LONG, HURRY)
    report.result.assert_outcomes(failed=1)
    assert report.result.duration < 20
    failure = report.case.problems["failure"]
    assert f"background bert_offline was stopped ({how} in state T) for " in failure
    assert "s of main's window" in failure
    assert report.case.properties["overlap_ok"] == "false"


def test_stopped_throughout_a_main_that_is_shorter_than_a_look(lab: Lab) -> None:
    script(lab, STOPPED_THROUGHOUT)
    report = lab.run(LONG, HURRY)
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "was stopped (2 of its 2 processes in state T) for 0.3 s" in failure


def test_lenient_lets_main_finish_and_says_so(lab: Lab) -> None:
    script(lab, STOPPED)
    lab.fake(dlrm={"test": 4})
    report = lab.run("--background-benchmark-duration=7s", HURRY, "--lenient")
    # Ended by the plugin: stopped as it is it would last until its timeout.
    assert report.result.duration < 20
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "background bert_offline was stopped (2 of its 2" in report.text
    assert report.case.properties["overlap_ok"] == "false"
    assert report.case.properties["validity"] == "VALID"
    seen = activity(report.record, "background-1-bert")
    assert 0 < seen["stopped_s"] <= seen["longest_idle_s"] + 1
    assert activity(report.record, "background-2-resnet50")["stopped_s"] == 0


def test_a_retry_has_backgrounds_of_its_own(lab: Lab) -> None:
    script(lab, STOPPED_ONCE)
    lab.fake(dlrm={"test": 4})
    report = lab.run("--background-benchmark-duration=7s", HURRY, "--overlap-retries=1")
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["overlap_ok"] == "true"
    assert "bert_offline was stopped" in facts["attempt_1"]
    # They were long enough.
    assert facts["background_duration_s"] == "7.000"


def test_stopped_only_before_mains_first_query(lab: Lab) -> None:
    script(lab, STOPPED_BEFORE_MAIN)
    lab.fake(dlrm={"before": 2.5, "load": 1.5, "test": 2})
    report = lab.run("--background-benchmark-duration=15s")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_ok"] == "true"
    assert activity(report.record, "background-1-bert")["stopped_s"] == 0


def test_a_main_that_is_stopped_itself_is_a_warning(lab: Lab) -> None:
    script(lab, MAIN_STOPPED)
    lab.fake(dlrm={"test": 4})
    report = lab.run("--background-benchmark-duration=15s")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "main dlrm_server was itself stopped for " in report.text
    assert activity(report.record, "main")["stopped_s"] > 0


def test_a_background_without_cpu_time(lab: Lab) -> None:
    with_idle_limit(lab, "1s")
    lab.fake(bert={"burn": True}, dlrm={"test": 60})
    report = lab.run(LONG)
    report.result.assert_outcomes(failed=1)
    assert report.result.duration < 20
    failure = report.case.problems["failure"]
    assert "background resnet50_offline used no CPU time for " in failure
    assert "(more than the 1s of the suite's harness.idle_limit)" in failure
    assert "bert" not in failure


def test_one_that_works_in_short_bursts_is_not_accused(lab: Lab) -> None:
    with_idle_limit(lab, "1s")
    lab.fake(dlrm={"test": 4}, **{"*": {"burn": True}})
    report = lab.run("--background-benchmark-duration=7s")
    report.result.assert_outcomes(passed=1)
    for role in ("background-1-bert", "background-2-resnet50"):
        seen = activity(report.record, role)
        assert seen["cpu_s"] > 0
        assert seen["longest_idle_s"] < 1.5


def test_a_limit_of_0_is_none(lab: Lab) -> None:
    with_idle_limit(lab, "0")
    lab.fake(dlrm={"test": 3})
    report = lab.run("--background-benchmark-duration=automatic")
    report.result.assert_outcomes(passed=1)
    assert activity(report.record, "background-1-bert")["longest_idle_s"] > 1


def test_a_limit_that_is_no_time(lab: Lab) -> None:
    with_idle_limit(lab, "soon")
    report = lab.run()
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "harness.idle_limit: expected a time such as" in report.text


def session(lab: Lab, *options: str) -> Report:
    shared = ("--background-scope=session", "--background-benchmarks=bert,resnet50")
    return lab.run(*shared, LONG, HURRY, *options, k="dlrm")


def sets(report: Report) -> int:
    return len([*report.folder.glob("results/*-backgrounds/set-*")])


def test_a_set_that_was_stopped_serves_no_other_main(lab: Lab) -> None:
    script(lab, STOPPED_ONCE)
    lab.fake(dlrm={"test": 3})
    report = session(lab)
    report.result.assert_outcomes(failed=1, passed=1)
    first, second = report.junit
    assert "bert_offline was stopped" in first.problems["failure"]
    assert second.properties["overlap_ok"] == "true"
    assert sets(report) == 2


def test_a_set_that_is_stopped_between_two_mains_is_replaced(lab: Lab) -> None:
    script(lab, STOPPED_AFTER_MAIN)
    report = session(lab)
    report.result.assert_outcomes(passed=2)
    assert sets(report) == 2
