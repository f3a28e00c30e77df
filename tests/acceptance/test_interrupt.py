"""What is left when a run is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pexpect
import pytest

from tests.lab.driver import Lab, Report
from tests.lab.processes import in_the_run, until


class Running:
    """A pytest run in mid-main: everything it starts would run for minutes."""

    def __init__(self, lab: Lab):
        lab.fake(**{"*": {"test": 300, "ignore": True, "daemon": True}})
        self.folder = lab.folder
        self.pytest = subprocess.Popen(
            [sys.executable, "-mpytest", *lab.arguments("-k", "dlrm_server")],
            stdout=subprocess.DEVNULL,
            cwd=lab.folder,
            # A job of a non-interactive shell starts with SIGINT ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        until(lambda: any(self.folder.glob("results/*/main/logs/fake_system")))


@pytest.fixture
def running(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return Running(lab)


def test_a_killed_pytest_leaves_nothing_running(running: Running) -> None:
    running.pytest.kill()
    running.pytest.wait(40)
    until(lambda: not in_the_run(running.folder), 3)


def test_a_run_that_fails_leaves_nothing_running(lab: Lab) -> None:
    lab.fake(dlrm={"exit": 1}, **{"*": {"test": 60, "daemon": True}})
    report: Report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert in_the_run(lab.folder) == []


def test_a_person_sees_what_a_run_is_doing(lab: Lab) -> None:
    lab.fake(dlrm={"test": 3})
    arguments = lab.arguments("-k", "dlrm_server", "--background-benchmark-duration=6s")
    child = pexpect.spawn(
        sys.executable,
        ["-mpytest", *arguments],
        cwd=str(lab.folder),
        dimensions=(24, 100),
        timeout=30,
        encoding="utf-8",
    )
    child.expect(r"dlrm_server: 0 of 2 backgrounds have started \(0 s\)")
    child.expect(r"dlrm_server: main runs \(\d s\)")
    child.expect(r"dlrm_server: backgrounds finish \(\d s\)")
    child.expect("1 passed")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_no_state_line_where_nobody_watches(lab: Lab) -> None:
    assert "backgrounds have started" not in lab.run_apart().text


def test_an_interrupt_after_main_does_not_say_that_it_runs(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        import os, signal

        def test_it(background, main):
            main.run()
            os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    report = lab.run_apart()
    said = "by SIGTERM while the test goes on after main ("
    assert said in report.case.problems["error"]
    assert report.case.properties["validity"] == "VALID"


def test_a_plugin_that_asks_for_fixtures_takes_no_report_away(lab: Lab) -> None:
    """pytest-benchmark does so in its wrapper of the report."""
    lab.pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_makereport(item, call):
            yield
            item.funcargs.get("benchmark")
        """
    )
    lab.pytester.makepyfile(
        test_run="""
        import os, signal, threading, time

        def test_heterogeneous(background, main):
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
            main.run()
        """
    )
    lab.fake(**{"*": {"test": 300}})
    report = lab.run_apart()
    assert report.result.ret == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in report.text
    assert "Interrupted by SIGTERM while" in report.case.problems["error"]
    assert "teardown" in report.record["phases"]


@pytest.mark.parametrize(
    "swallowing",
    [
        "last = type('Last', (), {'__del__': interrupt})(); del last",
        "x = lambda: 0; ref = weakref.ref(x, interrupt); del x",
    ],
    ids=["__del__", "weakref"],
)
def test_an_interrupt_that_python_swallows_comes_all_the_same(
    lab: Lab, swallowing: str
) -> None:
    lab.pytester.makepyfile(
        test_run=f"""
        import os, signal, weakref

        def interrupt(_):
            os.kill(os.getpid(), signal.SIGTERM)

        def test_heterogeneous(background, main):
            {swallowing}
            main.run()
        """
    )
    lab.fake(**{"*": {"test": 300}})
    report = lab.run_apart()
    assert report.result.ret == pytest.ExitCode.INTERRUPTED
    assert "Interrupted by SIGTERM while" in report.case.problems["error"]
