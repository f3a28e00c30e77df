"""Tests that other plugins execute again: each execution is a case of its own."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.lab import needs
from tests.lab.driver import Lab, Report

RERUN = ("-p", "rerunfailures", "--reruns=1")
FLAKY = ("-p", "flaky", "--force-flaky", "--max-runs=2")
REPEAT = ("-p", "repeat", "--count=2")

# The second execution fails before main is launched.
NEVER_STARTS = """
def test_it(background, main, request):
    folder = request.config.rootpath
    if not (folder / "seen").exists():
        (folder / "seen").touch()
        main.run()
        assert False, "the first execution"
    assert False, "the second never runs main"
"""
NOT_EVEN_SET_UP = """
import pytest

@pytest.fixture(scope="function")
def first(request):
    folder = request.config.rootpath
    assert not (folder / "seen").exists(), "the second is not set up"
    (folder / "seen").touch()

def test_it(first, background, main):
    main.run()
    assert False, "the first execution"
"""


def once_bad(lab: Lab) -> None:
    """Have the first main die, and the second be VALID."""
    lab.fake(dlrm={"once": str(lab.folder / "died")})


def records(report: Report) -> list[dict[str, Any]]:
    """Return the records by when their mains were launched."""
    return sorted(
        report.records, key=lambda each: float(each["harnesses"][0]["launched"] or 1e99)
    )


@pytest.mark.parametrize("plugin", [RERUN, FLAKY], ids=["rerunfailures", "flaky"])
def test_each_execution_has_its_own_verdict(lab: Lab, plugin: tuple[str, ...]) -> None:
    once_bad(lab)
    report = lab.run_apart(*plugin)
    assert report.result.ret == 0, report.text
    first, second = records(report)
    assert first["phases"]["call"]["outcome"] == "failed"
    assert "validity" not in first["facts"]
    assert [each["outcome"] for each in second["phases"].values()] == ["passed"] * 3
    assert second["facts"]["validity"] == "VALID"
    skipped, passed = report.junit
    assert "executed again" in skipped.problems["skipped"]
    assert "validity" not in skipped.properties
    assert passed.problems == {}
    assert passed.properties["validity"] == "VALID"
    assert passed.properties["log_dir"] != skipped.properties["log_dir"]
    for case in report.junit:
        assert case.system_out.count("mighetero:") == 1


@pytest.mark.parametrize("plugin", [RERUN, FLAKY], ids=["rerunfailures", "flaky"])
def test_the_junit_file_again_has_them_as_the_first_had(
    lab: Lab, plugin: tuple[str, ...]
) -> None:
    once_bad(lab)
    report = lab.run_apart(*plugin)
    first = [(case.problems.keys(), case.properties) for case in report.junit]
    path = str(lab.folder / "report.xml")
    assert main(["junit", str(lab.folder / "results"), "-o", path]) == 0
    assert [(case.problems.keys(), case.properties) for case in report.junit] == first
    skipped, _ = report.junit
    assert "executed again" in skipped.problems["skipped"]
    assert "Main dlrm_server failed" in skipped.problems["skipped"]


def test_a_repetition_is_a_test_of_its_own(lab: Lab) -> None:
    once_bad(lab)
    report = lab.run_apart(*REPEAT)
    report.result.assert_outcomes(passed=1, failed=1)
    failed, passed = report.junit
    assert "validity" not in failed.properties
    assert passed.properties["validity"] == "VALID"
    assert len(report.records) == 2


@pytest.mark.parametrize("plugin", [RERUN, FLAKY], ids=["rerunfailures", "flaky"])
@pytest.mark.parametrize(
    "test", [NEVER_STARTS, NOT_EVEN_SET_UP], ids=["no main", "no setup"]
)
def test_an_execution_without_main_shows_nothing_of_the_earlier_one(
    lab: Lab, plugin: tuple[str, ...], test: str
) -> None:
    lab.pytester.makepyfile(test_run=test)
    report = lab.run_apart(*plugin)
    assert report.result.ret == 1, report.text
    first, second = report.junit
    assert first.properties["validity"] == "VALID"
    assert "executed again" in first.problems["skipped"]
    assert "the second" in "".join(second.problems.values())
    assert not {"validity", "value", "p99_ms", "seconds"} & set(second.properties)
    assert "VALID" not in second.system_out
    _, _, table = report.text.partition("heterogeneous runs ===")
    assert "VALID" not in table
    for record in report.records:
        ran = record["harnesses"][0]["launched"] is not None
        assert (record["facts"].get("validity") == "VALID") == ran


def test_main_that_ran_before_is_asked_for_again(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        def test_it(background, main, request):
            seen = request.config.rootpath / "seen"
            if not seen.exists():
                seen.touch()
                main.run()
                assert False
        """
    )
    report = lab.run_apart(*RERUN)
    report.result.assert_outcomes(failed=1)
    assert "passed without main.run()" in report.text


def test_what_a_bad_teardown_repeats_is_no_pass(lab: Lab) -> None:
    lab.fake(bert={"once": str(lab.folder / "died"), "test": 0.1, "exit": 0})
    lab.pytester.makepyfile(
        test_run="""
        import pytest

        @pytest.fixture
        def bad(request):
            yield
            seen = request.config.rootpath / "seen"
            if not seen.exists():
                seen.touch()
                assert False, "a bad teardown"

        def test_it(bad, main):
            main.run()
        """
    )
    report = lab.run_apart(*RERUN)
    assert report.result.ret == 0
    first, second = report.junit
    assert "a bad teardown" in first.problems["skipped"]
    assert second.problems == {}


def test_what_hung_on_the_item_before_stays_and_what_came_under_way_goes(
    lab: Lab,
) -> None:
    once_bad(lab)
    lab.pytester.makeconftest(
        """
        def pytest_collection_modifyitems(items):
            for item in items:
                item.user_properties.append(("owner", "me"))

        def pytest_runtest_protocol(item):
            item.user_properties.append(("rack", "7"))
        """
    )
    lab.pytester.makepyfile(
        test_run="""
        def test_it(background, main, record_property):
            record_property("beside", str(main.benchmark))
            main.run()
        """
    )
    lab.run_apart(*RERUN, "-rA")
    text = (lab.folder / "report.xml").read_text()
    assert text.count('name="owner"') == 2
    assert text.count('name="rack"') == 2
    assert text.count('name="beside"') == 2


@pytest.mark.parametrize("plugin", [RERUN, FLAKY], ids=["rerunfailures", "flaky"])
def test_reruns_in_workers_of_a_controller_that_nobody_told_of_runs(
    lab: Lab, plugin: tuple[str, ...]
) -> None:
    needs.module("xdist")
    once_bad(lab)
    report = lab.apart(*lab.unsaid(*plugin, "-n1", "-k", "dlrm_server"))
    assert report.result.ret == 0, report.text
    skipped, passed = report.junit
    assert "executed again" in skipped.problems["skipped"]
    assert passed.problems == {}


def test_reruns_in_xdist_workers(lab: Lab) -> None:
    once_bad(lab)
    report = lab.run_apart(*RERUN, "-n1")
    assert report.result.ret == 0, report.text
    skipped, passed = report.junit
    assert "executed again" in skipped.problems["skipped"]
    assert passed.properties["validity"] == "VALID"
    _, _, table = report.text.partition("heterogeneous runs ===")
    assert table.count("VALID") == 1


def test_each_execution_has_the_whole_time_limit(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        import time

        def test_it(background, main, request):
            while True:
                time.sleep(0.05)
        """
    )
    report = lab.run_apart(*RERUN, "--timeout=3")
    report.result.assert_outcomes(failed=1)
    for case in report.junit:
        assert "Timeout (>3.0s) from pytest-timeout" in "".join(case.problems.values())


def test_kept_backgrounds_serve_the_next_execution(lab: Lab) -> None:
    once_bad(lab)
    report = lab.run_apart(
        *RERUN,
        "--background-scope=session",
        "--background-benchmarks=bert,resnet50",
        "--background-benchmark-duration=automatic",
        k="dlrm",
    )
    assert report.result.ret == 0, report.text
    offline, server = (
        [each for each in report.junit if scenario in each.name]
        for scenario in ("offline", "server")
    )
    last = [offline[-1], server[-1]]
    assert [each.problems for each in last] == [{}, {}]
    assert [each.properties["overlap_ok"] for each in last] == ["true", "true"]
    assert len(offline) + len(server) == 3


@pytest.mark.parametrize("number", [1, 2])
def test_an_interrupted_execution_is_reported_whichever_it_is(
    lab: Lab, number: int
) -> None:
    lab.pytester.makepyfile(
        test_run=f"""
        import os, signal

        def test_it(background, main, request):
            seen = request.config.rootpath / "seen"
            with seen.open("a") as file:
                file.write("x")
            if seen.read_text() == "x" * {number}:
                os.kill(os.getpid(), signal.SIGTERM)
            main.run()
            assert False
        """
    )
    report = lab.run_apart(*RERUN)
    assert report.result.ret == 2, report.text
    assert len(report.junit) == number
    assert "Interrupted by SIGTERM" in report.junit[-1].problems["error"]
    assert "validity" not in report.junit[-1].properties


def test_an_interrupt_between_two_executions_loses_none(lab: Lab) -> None:
    once_bad(lab)
    lab.pytester.makeconftest(
        """
        import os, signal, time

        def sleep(seconds):
            os.kill(os.getpid(), signal.SIGTERM)

        def pytest_runtest_teardown(item):
            import pytest_rerunfailures
            pytest_rerunfailures.time = type("Time", (), {"sleep": sleep})
        """
    )
    report = lab.run_apart(*RERUN, "--reruns-delay=60")
    assert report.result.ret == 2, report.text
    (case,) = report.junit
    assert "Interrupted by SIGTERM" in case.problems["error"]


def test_an_execution_whose_teardown_nobody_logs_has_its_own_testcase(lab: Lab) -> None:
    once_bad(lab)
    lab.pytester.makeconftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):  # as rerunfailures 15 has it
            log = item.ihook.pytest_runtest_logreport
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                if report.failed:
                    report.outcome = "rerun"
                    log(report=report)
                    break
                log(report=report)
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                log(report=report)
            return True
        """
    )
    report = lab.run_apart()
    assert report.result.ret == 0, report.text
    skipped, passed = report.junit
    assert "executed again" in skipped.problems["skipped"]
    assert "exited with code 2" in skipped.problems["skipped"]
    assert "validity" not in skipped.properties
    assert passed.problems == {}
    assert passed.properties["validity"] == "VALID"


def test_an_interrupted_execution_in_a_worker_shows_nothing_of_the_earlier_one(
    lab: Lab,
) -> None:
    once_bad(lab)
    lab.pytester.makeconftest(
        """
        import os, signal
        import pytest

        begun = []

        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logstart(nodeid):
            begun.append(nodeid)
            if len(begun) == 2 and "PYTEST_XDIST_WORKER" not in os.environ:
                os.kill(os.getpid(), signal.SIGTERM)

        @pytest.fixture
        def waits():
            if len(begun) == 2:
                signal.pause()
        """
    )
    lab.pytester.makepyfile(test_run="def test_it(waits, background, main): main.run()")
    report = lab.run_apart(*RERUN, "-n1")
    assert report.result.ret == 2, report.text
    first, second = report.junit
    assert "executed again" in first.problems["skipped"]
    assert "Interrupted by SIGTERM in an xdist worker" in second.problems["error"]
    assert not {"log_dir", "backgrounds", "run_args"} & set(second.properties)


@pytest.mark.parametrize("moment", ["setup", "call"])
def test_an_execution_whose_worker_is_killed_is_no_pass(lab: Lab, moment: str) -> None:
    lab.pytester.makeconftest(
        f"""
        import os, signal
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_runtest_{moment}(item):
            seen = item.config.rootpath / "seen"
            if not seen.exists():
                seen.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    report = lab.run_apart(*RERUN, "-n1")
    assert report.result.ret == 0, report.text
    crashed, passed = report.junit
    assert crashed.name == passed.name == "test_heterogeneous[dlrm_server]"
    assert "executed again" in crashed.problems["skipped"]
    assert "'gw0' crashed" in crashed.problems["skipped"]
    assert passed.properties["validity"] == "VALID"
    assert passed.problems == {}
