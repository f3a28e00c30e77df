"""Disks that fill up, files that cannot be written, processes that cannot be ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.lab.driver import Lab, Report

ROOT = os.geteuid() == 0


def run_by(lab: Lab, *words: str) -> Report:
    """Run pytest as the program that *words* start."""
    arguments = lab.arguments("-k", "dlrm_server", "--mig-stop-grace=300ms")
    command = [*words, sys.executable, "-mpytest", *arguments]
    return Report(lab.folder, lab.pytester.run(*command))


def test_a_results_folder_that_cannot_be_made(lab: Lab) -> None:
    (lab.folder / "results").write_text("a file")
    report = lab.run()
    report.result.assert_outcomes(errors=1)
    assert "cannot be made" in report.case.problems["error"]
    assert "choose another --results-dir" in report.case.problems["error"]


@pytest.mark.parametrize("excused", [False, True])
def test_a_record_that_cannot_be_written_fails_the_test(
    lab: Lab, excused: bool
) -> None:
    lab.pytester.makepyfile(
        test_run=f"""
        from pathlib import Path

        import pytest

        def test_it(background, main):
            main.run()
            (folder,) = Path("results").iterdir()
            (folder / "record.json").unlink()
            (folder / "record.json" / "in the way").mkdir(parents=True)
            if {excused}:
                pytest.xfail("as expected")
        """
    )
    report = lab.run()
    report.result.assert_outcomes(failed=1, errors=1)
    said = "record.json, cannot be written: Is a directory"
    assert said in report.text
    assert [said in case.problems["failure"] for case in report.junit[:1]] == [True]


@pytest.mark.parametrize("phase", ["setup", "call", "teardown"])
def test_the_record_of_a_phase_survives_a_kill_when_it_is_reported(
    lab: Lab, phase: str
) -> None:
    lab.pytester.makeconftest(
        f"""
        import os, signal

        def pytest_runtest_logreport(report):
            if report.when == "{phase}":
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    report = lab.run_apart()
    assert report.result.ret == -signal.SIGKILL
    assert list(report.record["phases"])[-1] == phase


FULL = """
mkdir results && mount -t tmpfs -o size=400k none results || exit 77
"$@"; code=$?
cp -r results kept; exit $code
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare to mount with")
def test_a_disk_that_is_really_full(lab: Lab) -> None:
    lab.fake(bert={"print": 1_000_000})
    report = run_by(lab, "unshare", "--mount", "sh", "-c", FULL, "sh")
    if report.result.ret in (1, 77) and not (lab.folder / "kept").exists():
        pytest.skip("no small file system can be mounted here")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert "output.log cannot be written any more: No space left on device" in error
    assert "It needs a --results-dir with free space" in error
    (record,) = lab.folder.glob("kept/*/record.json")
    assert json.loads(record.read_text())["facts"]["benchmark"] == "dlrm"
    (log,) = lab.folder.glob("kept/*/background-1-bert/output.log")
    assert log.stat().st_size > 100_000


@pytest.mark.skipif(
    not (ROOT and shutil.which("setpriv")), reason="needs root, setpriv"
)
def test_what_cannot_be_killed_is_named(
    lab: Lab, load: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_LOAD", str(load))
    lab.fake(dlrm={"exit": 1}, bert={"test": 60, "tree": "deaf nobody"})
    report = run_by(lab, "setpriv", "--bounding-set=-kill")
    report.result.assert_outcomes(failed=1, errors=1)
    (_, error) = [each for case in report.junit for each in case.problems.values()]
    said = "1 of the run's processes survived SIGKILL and may still use the GPU: pid "
    assert said in error
    pid, command = error.partition(said)[2].split(": ")[:2]
    os.kill(int(pid), signal.SIGKILL)
    assert command.startswith(f"{load} ")
    assert "background-1-bert" in command
