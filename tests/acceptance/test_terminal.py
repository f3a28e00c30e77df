"""Terminals and pipes that go away while a run is watched through them."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.driver import Files, Lab
from tests.lab.processes import in_the_run, until

DONE = ("setup", "call", "teardown")


@dataclass(frozen=True)
class Watched(Files):
    """A pytest run and the far end of what it is watched through."""

    process: subprocess.Popen[bytes]
    end: int

    def read(self) -> None:
        """Take what was printed, as a terminal does."""
        with suppress(BlockingIOError, OSError):
            os.read(self.end, 65536)

    def reach(self, pattern: str, text: str = "") -> None:
        """Wait until there is a file of the run that has *text* in it."""

        def reached() -> bool:
            self.read()
            found = self.folder.glob(f"results/*/{pattern}")
            return any(path.is_dir() or text in path.read_text() for path in found)

        until(reached)

    def leave(self) -> int:
        """Close the far end, and return the exit code."""
        os.close(self.end)
        return self.process.wait(60)


@contextmanager
def started(
    lab: Lab, *options: str, through: str, hangup: bool = False, k: str = "dlrm_server"
) -> Iterator[Watched]:
    """Run pytest in a session of its own, through a terminal or a pipe."""
    end, near = os.openpty() if through == "terminal" else os.pipe()

    def own() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL if hangup else signal.SIG_IGN)
        if through == "terminal":
            fcntl.ioctl(near, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-mpytest", *lab.arguments("-k", k, *options)],
        stdin=subprocess.DEVNULL,
        stdout=near,
        stderr=near,
        cwd=lab.folder,
        start_new_session=True,
        preexec_fn=own,  # noqa: PLW1509
    )
    os.close(near)
    os.set_blocking(end, False)
    try:
        yield Watched(lab.folder, process, end)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


MOMENTS = {
    "setup": "background-1-bert/logs/launch.json",
    "call": "main/logs/fake_system",
}


@pytest.mark.parametrize("through", ["terminal", "pipe"])
@pytest.mark.parametrize("moment", ["setup", "call"])
def test_a_run_goes_on_when_nobody_can_watch_it(
    lab: Lab, through: str, moment: str
) -> None:
    lab.fake(**{"*": {"load": 1, "test": 4}}, dlrm={"test": 1})
    with started(lab, through=through) as run:
        run.reach(MOMENTS[moment])
        assert run.leave() == 0
    assert run.case.problems == {}
    assert run.case.properties["validity"] == "VALID"
    assert run.case.properties["overlap_ok"] == "true"
    assert [each["outcome"] for each in run.record["phases"].values()] == ["passed"] * 3


@pytest.mark.parametrize(
    "options",
    [("-s",), ("-v",), ("-q",), ("-vv", "-s", "-rA"), ("-n1",), ("--durations=0",)],
    ids=" ".join,
)
@pytest.mark.parametrize("through", ["terminal", "pipe"])
def test_whatever_pytest_would_print_of_it(
    lab: Lab, through: str, options: tuple[str, ...]
) -> None:
    lab.fake(dlrm={"test": 1, "exit": 3}, **{"*": {"test": 3}})
    with started(lab, *options, through=through) as run:
        run.reach(MOMENTS["call"])
        assert run.leave() == 1
    assert "it exited with code 2 (make: Error 3)" in run.case.problems["failure"]
    assert run.record["phases"]["call"]["outcome"] == "failed"
    assert list(run.record["phases"]) == list(DONE)


def test_a_terminal_that_goes_during_teardown(lab: Lab) -> None:
    lab.fake(dlrm={"test": 0.3}, bert={"test": 3, "exit": 4})
    with started(lab, "--background-benchmark-duration=3s", through="terminal") as run:
        run.reach("record.json", '"call"')
        assert run.leave() == 1
    assert run.record["phases"]["call"]["outcome"] == "passed"
    assert run.record["phases"]["teardown"]["outcome"] == "failed"
    assert "did not exit with code 0" in run.case.problems["error"]


def test_the_next_tests_are_run_and_reported_too(lab: Lab) -> None:
    lab.fake(dlrm={"test": 1})
    with started(lab, through="terminal", k="dlrm") as run:
        run.reach(MOMENTS["call"])
        assert run.leave() == 0
    assert [case.problems for case in run.junit] == [{}, {}]
    assert len(run.records) == 2


@pytest.mark.parametrize(
    ("moment", "options"),
    [("setup", ()), ("call", ()), ("call", ("-s", "-v")), ("call", ("-n1",))],
)
def test_a_terminal_that_hangs_up_ends_the_run_with_a_report(
    lab: Lab, moment: str, options: tuple[str, ...]
) -> None:
    long = {"load": 300} if moment == "setup" else {}
    lab.fake(**{"*": {"test": 300, "ignore": True, "daemon": True, **long}})
    with started(
        lab, "--mig-stop-grace=300ms", *options, through="terminal", hangup=True
    ) as run:
        run.reach(MOMENTS[moment])
        assert run.leave() == 2
    assert "Interrupted by SIGHUP" in run.case.problems["error"]
    (failed,) = [
        phase for phase in run.record["phases"].values() if phase["outcome"] == "failed"
    ]
    assert "Interrupted by " in failed["text"]
    until(lambda: not in_the_run(run.folder), 5)


def test_a_log_on_a_full_disk(lab: Lab) -> None:
    lab.fake(dlrm={"test": 0.3})
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-mpytest", *lab.arguments("-k", "dlrm_server")],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=lab.folder,
            timeout=60,
            check=False,
        )
    assert process.stderr == b""
    assert process.returncode == 0
    assert Files(lab.folder).case.properties["validity"] == "VALID"


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def unread(lab: Lab) -> Command:
    """Run a command whose standard output nobody reads, or that *where* takes."""

    def run(*words: str, where: Path | None = None) -> tuple[int, str]:
        end, near = os.pipe()
        os.close(end)
        if where is not None:
            near = os.open(where, os.O_WRONLY)
        try:
            done = subprocess.run(
                [sys.executable, *words],
                stdout=near,
                stderr=subprocess.PIPE,
                cwd=lab.folder,
                timeout=60,
                check=False,
            )
        finally:
            os.close(near)
        return done.returncode, done.stderr.decode()

    return run


HELP = [("--help",), ("--version",), ("show", "--help")]
VERBS = [
    ("show", "results"),
    ("compare", "results", "results"),
    ("junit", "results"),
    ("list", "--mig-suite=cpu"),
]


@pytest.mark.parametrize("verb", [*HELP, *VERBS], ids=" ".join)
def test_the_command_ends_quietly_when_nobody_reads_on(
    lab: Lab, unread: Command, verb: tuple[str, ...]
) -> None:
    lab.run()
    assert unread("-mpytest_mighetero.cli", *verb) == (0, "")


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_the_command_says_so_when_its_output_cannot_be_written(
    lab: Lab, unread: Command, verb: tuple[str, ...]
) -> None:
    lab.run()
    code, said = unread("-mpytest_mighetero.cli", *verb, where=Path("/dev/full"))
    assert code == 2
    assert said.count("\n") == 1
    assert "No space left on device" in said


def test_the_list_of_devices_ends_quietly(lab: Lab, unread: Command) -> None:
    code, said = unread("-mpytest", *lab.arguments("--mig-list"))
    assert (code, said) == (1, "")
