"""What a log says while runs last, for whoever waits for it: a CI system, a person."""

from __future__ import annotations

import re

import pytest

from tests.devices.leases import taken
from tests.lab import needs
from tests.lab.driver import Lab, Report

AUTOMATIC = "--background-benchmark-duration=automatic"
BEAT = re.compile(
    r"^mighetero: dlrm_server: main runs since \d\d:\d\d:\d\d \(\d s\), ~\d s left$",
    re.MULTILINE,
)
MODES = [
    (),
    ("-q",),
    ("-qq",),
    ("-v",),
    ("-s",),
    ("--capture=sys",),
    ("--capture=tee-sys",),
    ("-p", "no:capture"),
]


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
def test_a_log_says_what_a_run_is_doing(lab: Lab, mode: tuple[str, ...]) -> None:
    lab.fake(dlrm={"test": 2.5})
    report = lab.run_apart("--mig-heartbeat=500ms", AUTOMATIC, *mode)
    assert report.result.ret == 0
    assert BEAT.search(report.text) or "longer" in report.text
    assert "\x1b" not in report.text


@pytest.mark.parametrize(
    "how",
    [
        ("--mig-heartbeat=0",),
        ("-o", "mig_heartbeat=0"),
        (),
        ("--mig-heartbeat=100ms", "-p", "no:terminal"),
    ],
    ids=" ".join,
)
def test_when_it_does_not(lab: Lab, how: tuple[str, ...]) -> None:
    lab.fake(dlrm={"test": 1})
    report = lab.run_apart(AUTOMATIC, *how)
    assert report.result.ret == 0
    assert "main runs since" not in report.text


def test_it_says_so_while_it_waits_for_a_gpu(lab: Lab) -> None:
    lease = taken(lab.folder / "leases")
    report = lab.run_apart("--mig-heartbeat=200ms", "--mig-lease-timeout=1s")
    lease.close()
    beats = re.findall(
        r"^mighetero: dlrm_server: waits for a GPU: .* since", report.text, re.MULTILINE
    )
    assert 2 <= len(beats) <= 5
    assert report.text.count("\ndlrm_server: waits for a GPU") == 1


def test_it_says_so_while_backgrounds_end(lab: Lab) -> None:
    lab.fake(bert={"test": 3}, dlrm={"test": 0.3})
    options = ("--mig-heartbeat=500ms", "--background-benchmark-duration=3s")
    report = lab.run_apart(*options)
    assert re.search(
        r"^mighetero: dlrm_server: backgrounds finish since .*left$",
        report.text,
        re.MULTILINE,
    )


def test_it_says_so_while_a_harness_is_stopped(lab: Lab) -> None:
    lab.fake(dlrm={"exit": 3}, bert={"test": 300, "ignore": True})
    report = lab.run_apart("--mig-heartbeat=300ms", "--mig-stop-grace=2s")
    assert "mighetero: dlrm_server: what still runs is stopped since" in report.text


def test_the_controller_says_it_for_its_workers(lab: Lab) -> None:
    needs.module("xdist")
    options = ("--main-benchmark-duration=2500ms", AUTOMATIC, "-p", "xdist", "-n2")
    report = lab.run_apart("--mig-heartbeat=500ms", "-q", *options, k="server")
    report.result.assert_outcomes(passed=2)
    beats = re.findall(r"^mighetero: gw.*$", report.text, re.MULTILINE)
    assert any("_server: main runs since" in each for each in beats)
    assert any("_server: waits for a GPU" in each for each in beats)
    assert all(each.endswith(" tests are over") or "~" in each for each in beats)


def test_a_main_that_is_over_takes_no_more_time(lab: Lab) -> None:
    options = ("--mig-heartbeat=1ms", "--main-benchmark-duration=3s", AUTOMATIC)
    report = lab.run_apart(*options)
    after = r"the test goes on after main since \S+ \(\d s\), ~(\d+) s left$"
    assert set(re.findall(after, report.text, re.MULTILINE)) == {"0"}


WORKERS = ("-n2", "-k", "server")


def beats_of(report: Report) -> list[str]:
    return re.findall(r"^mighetero: gw.*$", report.text, re.MULTILINE)


@pytest.mark.parametrize(
    "more",
    [(), ("-q",), ("-v",), ("-s",), ("--dist=loadgroup",), ("--dist=each",)],
    ids=" ".join,
)
def test_a_controller_that_nobody_told_of_runs_says_it(
    lab: Lab, more: tuple[str, ...]
) -> None:
    needs.module("xdist")
    said = {"mig_heartbeat": "500ms", "main_benchmark_duration": "3s"}
    report = lab.apart(*lab.unsaid(*WORKERS, *more, **said))
    tests = 4 if "--dist=each" in more else 2
    report.result.assert_outcomes(passed=tests)
    beats = beats_of(report)
    assert any("_server: main runs since" in each for each in beats)
    assert any(f"0 of {tests} tests are over" in each for each in beats)
    assert "\x1b" not in report.text


def test_tests_of_others_do_not_tell_how_long_runs_take(lab: Lab) -> None:
    needs.module("xdist")
    lab.pytester.makepyfile(test_a="def test_server(): pass")
    said = {"mig_heartbeat": "300ms", "main_benchmark_duration": "2s"}
    report = lab.apart(*lab.unsaid(*WORKERS, **said))
    report.result.assert_outcomes(passed=3)
    assert any("of 3 tests are over" in each for each in beats_of(report))
    assert "for the rest" not in report.text


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n1")], ids=["", "-n1"])
def test_a_run_is_worth_no_less_for_what_is_said_of_it(
    lab: Lab, workers: tuple[str, ...]
) -> None:
    lab.pytester.makeconftest(
        """
        from pytest_mighetero.plugin.console import display

        def sentence(*_):
            raise RuntimeError("a fault of the display")

        display.sentence = sentence
        """
    )
    report = lab.run_apart("--mig-heartbeat=1ms", AUTOMATIC, *workers)
    report.result.assert_outcomes(passed=1)
    assert "fault of the display" not in report.text


def test_not_where_there_is_no_reporter_or_no_heartbeat(lab: Lab) -> None:
    needs.module("xdist")
    for options, beat in (("-p", "no:terminal"), "100ms"), ((), "0"):
        report = lab.apart(*lab.unsaid(*WORKERS, *options, mig_heartbeat=beat))
        assert report.result.ret == 0
        assert len(report.junit) == 2
        assert "mighetero: gw" not in report.text


def test_a_worker_that_dies_is_heard_no_more_but_the_one_in_its_place(lab: Lab) -> None:
    needs.module("xdist")
    lab.pytester.makepyfile(
        test_run="""
        import os, signal, threading, time
        from pathlib import Path

        def die_once_seen():
            while "in flight" not in Path("stdout").read_text():
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)

        def test_it(background, main):
            if os.environ["PYTEST_XDIST_WORKER"] == "gw0":
                threading.Thread(target=die_once_seen, daemon=True).start()
            main.run()
        """
    )
    said = {"mig_heartbeat": "300ms", "main_benchmark_duration": "5s"}
    report = lab.apart(*lab.unsaid("-n1", "-k", "server", **said))
    report.result.assert_outcomes(passed=1, failed=1)
    beats = beats_of(report)
    assert any("1 in flight, 0 of 2 " in each for each in beats)
    assert any(
        re.search(r"gw1 \w+_server: .*1 in flight, 1 of 2 ", each) for each in beats
    )
    assert not any("gw1" in each and "gw0" in each for each in beats)


def test_a_failure_that_ends_the_session(lab: Lab) -> None:
    needs.module("xdist")
    lab.fake(dlrm={"test": 1, "exit": 3})
    options = lab.unsaid(*WORKERS, "--maxfail=1", mig_heartbeat="200ms")
    report = lab.apart(*options)
    assert report.result.ret in (1, 2)
    assert beats_of(report)
    assert "INTERNALERROR" not in report.text


@pytest.mark.parametrize(
    ("of", "name"),
    [("node.config.pluginmanager.getplugin('dsession')", "queue"), ("node", "gateway")],
)
def test_an_xdist_that_has_no_such_thing_shows_nothing_and_loses_nothing(
    lab: Lab, of: str, name: str
) -> None:
    needs.module("xdist")
    options = lab.unsaid(*WORKERS, mig_heartbeat="200ms")
    conftest = lab.folder / "conftest.py"
    hidden = f"""
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_configure_node(node):
    owner = {of}
    kept = vars(owner).pop({name!r})
    yield
    owner.{name} = kept
"""
    conftest.write_text(conftest.read_text() + hidden)
    report = lab.apart(*options)
    report.result.assert_outcomes(passed=2)
    assert not beats_of(report)


def test_it_is_a_time(lab: Lab) -> None:
    report = lab.run_apart("--mig-heartbeat=often")
    assert "--mig-heartbeat" in report.text
    assert "expected a duration like 90s" in report.text
