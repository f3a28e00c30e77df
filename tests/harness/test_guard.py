"""The guard's two processes: whichever is killed or stopped, the harness ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pytest

from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.guard import SECOND
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from tests.lab.processes import alive, below, until

READY = "echo Starting running actual test."
MARKERS = Markers(["Starting running actual test"], ["Finished running actual test"])

# Leaves its parent, session, environment, folder and files behind, and ends by SIGKILL.
DAEMON = (
    f'(setsid env -i sh -c \'trap "" TERM HUP; cd /; echo pid $$; {READY}; '
    f"exec sleep 300 <&- >&- 2>&-' &); "
)
REAPER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, which outlasts exec
os.execvp("sh", ["sh", "-c", sys.argv[1]])
"""
LONG = f"{DAEMON} sleep 300; true"
TREES = {
    "daemon": LONG,
    "daemon alone": f"{DAEMON} sleep 0.1",  # its make has ended
    "reaper": f"{sys.executable} -c {quote(REAPER)} {quote(LONG)}",
    "deaf": f"trap '' TERM HUP; echo pid $$; {READY}; sleep 300; sleep 300",
}

PYTEST = """
import sys, time
from pathlib import Path
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from tests.harness.test_guard import MARKERS

folder = Path(sys.argv[1])
command = Command(("sh", "-c", sys.argv[2]), folder, {})
harness = HarnessProcess("x", command, folder / "x.log", MARKERS, 30)
pump = Pump()
pump.launch(harness)
pump.wait_for(lambda: harness.started is not None)
(pid,) = [line.split()[1] for line in harness.tail(9) if "pid" in line]
print(harness.pid, harness.root, pid, flush=True)
time.sleep(300)
"""


@dataclass(frozen=True)
class Chain:
    """A process that runs one harness, its guard's two, and what must not survive."""

    parent: subprocess.Popen[str]
    first: int
    second: int
    last: int


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Callable[[str], Chain]]:
    started: list[Chain] = []

    def start(tree: str) -> Chain:
        parent = subprocess.Popen(
            [sys.executable, "-c", PYTEST, tmp_path, TREES[tree]],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert parent.stdout is not None
        first, second, last = map(int, parent.stdout.readline().split())
        started.append(Chain(parent, first, second, last))
        return started[0]

    yield start
    for each in started:
        each.parent.kill()
        each.parent.communicate()
        if alive(each.last):
            os.kill(each.last, signal.SIGKILL)


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("victim", ["first", "second"])
@pytest.mark.parametrize("pytest_too", [False, True], ids=["", "and pytest"])
def test_nothing_outlives_a_killed_guard(
    chain: Callable[[str], Chain], tree: str, victim: str, *, pytest_too: bool
) -> None:
    run = chain(tree)
    assert alive(run.last)
    if pytest_too:
        run.parent.kill()
    os.kill(getattr(run, victim), signal.SIGKILL)
    until(lambda: not any(map(alive, (run.last, run.first, run.second))), 3)


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize(
    "stopped", [["first"], ["second"], ["first", "second", "last"]]
)
def test_nothing_stopped_outlives_a_killed_pytest(
    chain: Callable[[str], Chain], tree: str, stopped: list[str]
) -> None:
    run = chain(tree)
    for name in stopped:
        os.kill(getattr(run, name), signal.SIGSTOP)
    run.parent.kill()
    until(lambda: not any(map(alive, (run.last, run.first, run.second))), 3)


def test_few_ways_to_kill_one_kill_both(chain: Callable[[str], Chain]) -> None:
    run = chain("daemon")
    names = [Path(f"/proc/{p}/comm").read_bytes() for p in (run.first, run.second)]
    assert names[0] != names[1] == SECOND + b"\n"
    os.killpg(run.first, signal.SIGKILL)
    until(lambda: not any(map(alive, (run.last, run.first, run.second))), 3)


# What is stopped ends in its own way within the grace.


@dataclass(frozen=True)
class Stoppable:
    """A harness that says ``freed`` when it may end by itself."""

    pump: Pump
    harness: HarnessProcess

    def stop(self, what: str) -> None:
        first, second = self.harness.pid, self.harness.root
        assert second is not None
        for pid in {"first": [first], "second": [second], "tree": below(second)}.get(
            what, [first, *below(first)]
        ):
            with suppress(ProcessLookupError):  # a sleep that is over
                os.kill(pid, signal.SIGSTOP)


@pytest.fixture
def stoppable(tmp_path: Path) -> Iterator[Stoppable]:
    pump = Pump()
    trap = f"trap 'echo freed; exit 5' TERM; {READY}; while :; do sleep 0.05; done"
    script = (
        f'trap : TERM; setsid sh -c "{trap}"; exit $?'  # in no group of the guard's
    )
    command = Command(("sh", "-c", script), tmp_path, {})
    log = tmp_path / "x.log"
    harness = HarnessProcess("bert_offline", command, log, MARKERS, 300)
    pump.launch(harness)
    assert pump.wait_for(lambda: harness.started is not None, time.monotonic() + 20)
    yield Stoppable(pump, harness)
    pump.stop([harness])
    pump.close()
    assert harness.survivors == []


STOPPED = ["first", "second", "tree", "all"]


@pytest.mark.parametrize("what", STOPPED)
def test_what_is_stopped_ends_by_itself_when_told_to(
    stoppable: Stoppable, what: str
) -> None:
    stoppable.stop(what)
    stoppable.pump.stop([stoppable.harness])
    assert stoppable.harness.tail(1) == ["freed"]
    assert stoppable.harness.exit_code == 5


def test_what_is_stopped_during_the_grace_ends_by_itself(
    tmp_path: Path, stoppable: Stoppable
) -> None:
    script = "trap 'touch told; kill -STOP $$; echo freed; exit 6' TERM"
    command = Command(
        ("sh", "-c", f"{script}; {READY}; while :; do sleep 0.05; done"), tmp_path, {}
    )
    log = tmp_path / "y.log"
    harness = HarnessProcess("bert_server", command, log, MARKERS, 300)
    stoppable.pump.launch(harness)
    limit = time.monotonic() + 20
    assert stoppable.pump.wait_for(lambda: harness.started is not None, limit)
    stoppable.pump.stop([harness])
    assert (tmp_path / "told").exists()
    assert harness.tail(1) == ["freed"]
    assert harness.exit_code == 6


def test_a_stopped_main_is_launched_with_more_than_a_pipe_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pump = Pump()
    command = Command(("sh", "-c", "echo ${#LONG}"), tmp_path, {})
    log = tmp_path / "x.log"
    harness = HarnessProcess("dlrm_server", command, log, MARKERS, 10)
    pump.prepare(harness)
    until(lambda: len(below(harness.pid)) == 2)
    monkeypatch.setenv("LONG", "x" * 100_000)
    monkeypatch.setenv("MORE", "x" * 100_000)
    for pid in [harness.pid, *below(harness.pid)]:
        os.kill(pid, signal.SIGSTOP)
    pump.launch(harness)
    assert pump.wait_for(lambda: harness.exited is not None, time.monotonic() + 20)
    pump.close()
    assert harness.tail(1) == ["100000"]
