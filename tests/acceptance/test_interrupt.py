"""What is left when a run is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.lab import Lab, Report
from tests.processes import alive


def in_the_run(folder: Path) -> list[int]:
    """Return the processes that have *folder* in their command line or environment."""
    needle, found = os.fsencode(folder), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (
                    entry / "environ"
                ).read_bytes()
            except OSError:
                continue
            if needle + b"/results" in text and alive(int(entry.name)):
                found.append(int(entry.name))
    return found


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
        self.wait(lambda: any(self.folder.glob("results/*/main/logs/fake_system")))

    @staticmethod
    def wait(condition: object, seconds: float = 30) -> bool:
        limit = time.monotonic() + seconds
        assert callable(condition)
        while not condition() and time.monotonic() < limit:
            time.sleep(0.02)
        return bool(condition())


@pytest.fixture
def running(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return Running(lab)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name
)
def test_an_interrupt_stops_everything_and_writes_junit_and_record(
    running: Running, number: signal.Signals
) -> None:
    assert len(in_the_run(running.folder)) >= 9
    running.pytest.send_signal(number)
    assert running.pytest.wait(40) == pytest.ExitCode.INTERRUPTED
    assert in_the_run(running.folder) == []
    assert (running.folder / "report.xml").is_file()
    assert list(running.folder.glob("results/*/record.json"))


def test_a_killed_pytest_leaves_nothing_running(running: Running) -> None:
    running.pytest.kill()
    running.pytest.wait(40)
    assert running.wait(lambda: not in_the_run(running.folder), 5)


def test_a_run_that_fails_leaves_nothing_running(lab: Lab) -> None:
    lab.fake(dlrm={"exit": 1}, **{"*": {"test": 60, "daemon": True}})
    report: Report = lab.run()
    report.result.assert_outcomes(failed=1)
    assert in_the_run(lab.folder) == []


def test_a_results_folder_that_cannot_be_made(lab: Lab) -> None:
    (lab.folder / "results").write_text("a file")
    report = lab.run()
    report.result.assert_outcomes(errors=1)
    assert "cannot be made" in report.case.problems["error"]
    assert "choose another --results-dir" in report.case.problems["error"]


def test_a_record_that_cannot_be_written_fails_the_test(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        from pathlib import Path

        def test_it(background, main):
            main.run()
            (folder,) = Path("results").iterdir()
            (folder / "record.json.partial").mkdir()
        """
    )
    report = lab.run()
    report.result.assert_outcomes(failed=1, errors=1)
    assert "The record of the run cannot be written" in report.text


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
