"""Harness processes on their own: the guard, the pump, what is left of a tree."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness import process
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.terms.clock import Stamp
from tests.lab.processes import alive, below, until

START, FINISH = "Starting running actual test", "Finished running actual test"
MARKERS = Markers([START], [FINISH])
READY = "echo Starting running actual test."
Launch = Callable[..., HarnessProcess]


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump()
    yield pump
    pump.close()


@pytest.fixture
def launch(pump: Pump, tmp_path: Path) -> Iterator[Launch]:
    """Launch a shell script, or any argument list, as a harness."""
    started: list[HarnessProcess] = []

    def launch(*argv: str, grace: float = 10, **variables: str) -> HarnessProcess:
        argv = ("sh", "-c", argv[0]) if len(argv) == 1 else argv
        log = tmp_path / f"{len(started)}.log"
        command = Command(argv, tmp_path, variables)
        harness = HarnessProcess("bert_offline", command, log, MARKERS, grace)
        pump.launch(harness)
        started.append(harness)
        return harness

    yield launch
    pump.stop(started)
    assert not any(harness.survivors for harness in started)


def wait(pump: Pump, condition: Callable[[], bool]) -> None:
    assert pump.wait_for(condition, time.monotonic() + 60)


def pids(harness: HarnessProcess, pump: Pump, count: int) -> list[int]:
    """Return the process ids that *harness* printed, one a line, after ``pid``."""

    def printed() -> list[int]:
        lines = [line.split() for line in harness.tail(100)]
        return [int(words[1]) for words in lines if words[:1] == ["pid"]]

    wait(pump, lambda: harness.started is not None)
    assert len(printed()) == count
    return printed()


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
def test_the_exit_code_is_passed_on(
    launch: Launch, pump: Pump, script: str, code: int
) -> None:
    harness = launch(script)
    wait(pump, lambda: harness.exited is not None)
    assert harness.exit_code == code


def test_a_program_that_is_not_there_exits_with_127(launch: Launch, pump: Pump) -> None:
    harness = launch("no-such-program", "x")
    wait(pump, lambda: harness.exited is not None)
    assert harness.exit_code == 127
    assert "no-such-program: No such file or directory" in harness.tail(1)[0]


def test_markers_and_all_bytes_are_seen(launch: Launch, pump: Pump) -> None:
    script = f"printf 'a\\377\\n'; {READY}; echo Finished running actual test."
    harness = launch(script)
    wait(pump, lambda: harness.exited is not None)
    assert harness.log.read_bytes() == (
        b"a\xff\nStarting running actual test.\nFinished running actual test.\n"
    )
    assert harness.launched is not None
    assert harness.started is not None
    assert harness.finished is not None
    assert harness.exited is not None
    assert harness.launched.monotonic < harness.started.monotonic
    assert harness.started.monotonic <= harness.finished.monotonic
    assert harness.finished.monotonic <= harness.exited.monotonic
    assert harness.tail(3)[0] == "a\\xff"


@pytest.mark.parametrize("end", ["", "\\r", " ", "\\033[0m", "\\033]8;;\\007\\r"])
def test_a_marker_is_seen_while_its_line_has_no_end(
    launch: Launch, pump: Pump, end: str
) -> None:
    harness = launch(f"printf '\\033[1m{START}.{end}'; sleep 300")
    wait(pump, lambda: harness.started is not None)
    assert harness.running
    assert harness.finished is None


def test_markers_at_the_very_end_of_the_output_are_seen(
    launch: Launch, pump: Pump
) -> None:
    harness = launch(f"{READY}; printf '{FINISH}.'")
    wait(pump, lambda: harness.exited is not None)
    assert harness.started is not None
    assert harness.finished is not None
    assert harness.exited is not None
    assert harness.finished.monotonic <= harness.exited.monotonic


def test_several_markers_without_an_end_are_each_seen(
    launch: Launch, pump: Pump
) -> None:
    harnesses = [launch(f"printf '{START}'; sleep 300") for _ in range(3)]
    chatty = launch("yes")
    wait(pump, lambda: all(harness.started for harness in harnesses))
    assert chatty.started is None


def test_a_sentence_that_goes_on_is_no_marker(launch: Launch, pump: Pump) -> None:
    harness = launch(f"printf '{START}.'; printf ' Or so.'; printf '{FINISH} it'")
    wait(pump, lambda: harness.exited is not None)
    assert harness.started is None
    assert harness.finished is None


def test_output_is_bounded_in_memory_and_whole_on_disk(
    launch: Launch, pump: Pump
) -> None:
    harness = launch(f"yes 0123456789 | head -c 20000000; {READY}")
    wait(pump, lambda: harness.exited is not None)
    assert harness.log.stat().st_size == 20_000_000 + len(START) + 2
    assert len("\n".join(harness.tail(10**9))) <= process.TAIL_BYTES


@pytest.mark.slow
def test_a_marker_is_found_among_200_mb(launch: Launch, pump: Pump) -> None:
    noise = "yes Finished running actual test | head -c 100000000"
    half = "printf '\\377\\376 [I] Starting running '"
    rest = "printf 'actual test.\\r\\n'"
    harness = launch(f"{noise}; {half}; sleep 0.1; {rest}; {noise}; echo {START}")
    wait(pump, lambda: harness.started is not None)
    assert harness.started is not None
    found = harness.started
    wait(pump, lambda: harness.exited is not None)
    assert harness.started is found
    assert harness.log.stat().st_size > 200_000_000
    harness.log.unlink()


def test_the_harness_has_a_terminal_of_its_own_and_no_input(
    launch: Launch, pump: Pump
) -> None:
    script = "test -t 1 && test -t 2 && ! test -t 0 && cat && stty size <&1"
    harness = launch(f"{script}; ps -o sid= -p $$")
    wait(pump, lambda: harness.exited is not None)
    size, session = harness.tail(2)
    assert size == "24 400"
    assert int(session) == harness.pid != os.getsid(0)


def test_signals_are_at_their_defaults(launch: Launch, pump: Pump) -> None:
    harness = launch("grep -E 'Sig(Blk|Ign)' /proc/self/status")
    wait(pump, lambda: harness.exited is not None)
    masks = [line.split()[1] for line in harness.tail(2)]
    # From 32 on they are the C library's and real-time signals.
    assert [int(mask, 16) & 0x7FFFFFFF for mask in masks] == [0, 0]


STUBBORN = "trap '' TERM HUP INT"
TREES = {
    "child": f"sleep 300 & echo pid $!; {READY}; wait",
    "grandchild": f"sh -c 'sleep 300 & echo pid $!; {READY}; wait; true'; true",
    "own session": f"setsid sleep 300 & echo pid $!; {READY}; wait",
    "daemon": f"(setsid sh -c 'echo pid $$; {READY}; exec sleep 300' &); sleep 300",
    # Its make has ended, and the guard is giving it the grace when it is told to stop.
    "deaf daemon alone": (
        f"trap '' TERM; (setsid sh -c 'echo pid $$; {READY}; exec sleep 300' &)"
    ),
    "leader gone": f"sleep 300 & echo pid $!; {READY}; exec sleep 300",
    "silent": f"sleep 300 >/dev/null 2>&1 & echo pid $!; {READY}; wait",
    "make": None,
}


def tree(name: str, folder: Path) -> str:
    script = TREES[name]
    if script is not None:
        return script
    recipe = f"@sleep 300 & echo pid $$!; {READY}; wait; true"
    (folder / "Makefile").write_text(f"run:\n\t{recipe}\n")
    return "make run"


@pytest.mark.parametrize("name", TREES)
def test_stop_leaves_nothing_running(
    launch: Launch,
    pump: Pump,
    tmp_path: Path,
    name: str,
) -> None:
    harness = launch(tree(name, tmp_path), grace=1)
    (pid,) = pids(harness, pump, 1)
    assert alive(pid)
    pump.stop([harness])
    assert not alive(pid)
    assert harness.exited is not None


def test_what_ignores_sigterm_is_killed_after_the_grace(
    launch: Launch, pump: Pump
) -> None:
    script = f"{STUBBORN}; sleep 300 & echo pid $!; {READY}; wait; sleep 300"
    harness = launch(script, grace=0.5)
    (pid,) = pids(harness, pump, 1)
    pump.stop([harness])
    assert not alive(pid)


def test_a_harness_may_use_the_grace(launch: Launch, pump: Pump) -> None:
    trap = "trap 'echo freed; exit 0' TERM"
    harness = launch(f"{trap}; {READY}; sleep 300 & wait")
    wait(pump, lambda: harness.started is not None)
    pump.stop([harness])
    assert "freed" in harness.tail(2)


def test_what_outlives_its_make_is_ended_with_it(launch: Launch, pump: Pump) -> None:
    harness = launch(f"(setsid sleep 300 & echo pid $!); {READY}; exit 3")
    (pid,) = pids(harness, pump, 1)
    wait(pump, lambda: harness.exited is not None)
    assert harness.exit_code == 3
    assert not alive(pid)


KILLED = """
import sys, time
from pathlib import Path
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from tests.lab.processes import alive

folder = Path(sys.argv[1])
command = Command(("sh", "-c", sys.argv[2]), folder, {})
harness = HarnessProcess("x", command, folder / "x.log", %r, 10)
pump = Pump()
pump.launch(harness)
pump.wait_for(lambda: harness.started is not None)
print(*[line.split()[1] for line in harness.tail(9) if "pid" in line], flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("name", TREES)
def test_nothing_outlives_a_killed_parent(tmp_path: Path, name: str) -> None:
    script = f"{STUBBORN}; {tree(name, tmp_path)}"
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED % (MARKERS,), tmp_path, script],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    limit = time.monotonic() + 3
    while alive(pid) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not alive(pid)


# Prepared: a guard whose harness only waits for its launch.


@pytest.fixture
def prepare(pump: Pump, tmp_path: Path) -> Iterator[Launch]:
    """Prepare a shell script, or any argument list, in a folder of its own."""
    prepared: list[HarnessProcess] = []

    def prepare(*argv: str) -> HarnessProcess:
        argv = ("sh", "-c", argv[0]) if len(argv) == 1 else argv
        folder = tmp_path / "there"
        folder.mkdir()
        command = Command(argv, folder, {"OWN": "own"})
        log = tmp_path / "prepared.log"
        harness = HarnessProcess("bert_offline", command, log, MARKERS, 10)
        pump.prepare(harness)
        prepared.append(harness)
        until(lambda: len(session(harness)) == 3)  # two of them the guard
        return harness

    yield prepare
    pump.stop(prepared)
    for harness in prepared:
        assert session(harness) == []
        assert harness.survivors == []


def session(harness: HarnessProcess) -> list[int]:
    """Return the processes of the guard's session, itself the first."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.getsid(int(entry.name)) == harness.pid:
                found.append(int(entry.name))
    return sorted(filter(alive, found))


def test_a_prepared_harness_runs_nothing_until_it_is_launched(
    prepare: Launch, pump: Pump, tmp_path: Path
) -> None:
    harness = prepare("touch ran; echo Starting running actual test.")
    before = harness.launched
    assert (before, harness.running) == (None, True)
    assert not (tmp_path / "there" / "ran").exists()
    ordered = Stamp()
    pump.launch(harness)
    assert harness.launched is not None
    wait(pump, lambda: harness.exited is not None)
    assert harness.exit_code == 0
    assert (tmp_path / "there" / "ran").exists()
    assert harness.started is not None
    assert ordered.monotonic < harness.launched.monotonic < harness.started.monotonic
    assert ordered.wall < harness.launched.wall < harness.started.wall


def test_folder_and_environment_are_those_of_the_launch(
    prepare: Launch, pump: Pump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARLY", "early")
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\npwd; echo $EARLY,$LATE,$OWN,${#LONG}\n")
    tool.chmod(0o755)
    harness = prepare("tool", "x")
    monkeypatch.delenv("EARLY")
    monkeypatch.setenv("LATE", "l\udcffte=\n")
    monkeypatch.setenv("LONG", "x" * 100_000)  # more than a pipe holds
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    (tmp_path / "there").rmdir()
    (tmp_path / "there").mkdir()
    pump.launch(harness)
    wait(pump, lambda: harness.exited is not None)
    folder, *said = harness.tail(5)
    assert folder == str(tmp_path / "there")
    assert said == [",l\\xffte= ,own,100000"]


def test_a_folder_that_is_gone_is_said_by_the_harness(
    prepare: Launch, pump: Pump, tmp_path: Path
) -> None:
    harness = prepare("true")
    (tmp_path / "there").rmdir()
    pump.launch(harness)
    wait(pump, lambda: harness.exited is not None)
    assert harness.exit_code == 127
    assert harness.tail(1) == [f"{tmp_path}/there: No such file or directory"]


def test_a_prepared_program_that_is_not_there_exits_with_127(
    prepare: Launch, pump: Pump
) -> None:
    harness = prepare("no-such-program", "x")
    pump.launch(harness)
    wait(pump, lambda: harness.exited is not None)
    assert harness.exit_code == 127
    assert harness.tail(1) == ["no-such-program: No such file or directory"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_prepared_guard_that_is_ended_is_noticed(
    prepare: Launch, pump: Pump, number: signal.Signals
) -> None:
    harness = prepare("touch ran")
    os.kill(harness.pid, number)
    wait(pump, lambda: not harness.running)
    until(lambda: not session(harness))
    with pytest.raises(HarnessError, match=r"not be launched: its guard ended with co"):
        pump.launch(harness)
    assert harness.exit_code is None


def test_a_guard_that_ends_at_the_launch_is_noticed(
    prepare: Launch, pump: Pump, tmp_path: Path
) -> None:
    harness = prepare("touch ran")
    for pid in reversed(session(harness)):
        with contextlib.suppress(ProcessLookupError):  # it ends with its second
            os.kill(pid, signal.SIGKILL)
    with pytest.raises(HarnessError, match=r"its guard ended with code 137. Command: "):
        pump.launch(harness)
    until(lambda: not session(harness))  # killed, which takes its turn on a CPU
    assert not (tmp_path / "there" / "ran").exists()


def test_a_stopped_guard_still_launches(prepare: Launch, pump: Pump) -> None:
    harness = prepare(READY)
    os.kill(harness.pid, signal.SIGSTOP)
    pump.launch(harness)
    wait(pump, lambda: harness.started is not None)
    wait(pump, lambda: harness.exited is not None)
    assert harness.exit_code == 0


def test_stop_before_the_launch_leaves_nothing(prepare: Launch, pump: Pump) -> None:
    harness = prepare("sleep 300")
    pump.stop([harness])
    assert session(harness) == []
    assert harness.launched is None
    assert harness.exited is not None


PREPARED = KILLED.replace("pump.launch(harness)", "pump.prepare(harness)").partition(
    "pump.wait_for"
)[0]


def test_nothing_prepared_outlives_a_killed_parent(tmp_path: Path) -> None:
    code = PREPARED % (MARKERS,) + "print(harness.pid, flush=True)\ntime.sleep(300)"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path, "touch ran"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    guard = int(parent.stdout.readline())
    until(lambda: len(below(guard)) == 2)
    pids = [guard, *below(guard)]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not any(map(alive, pids)))
    assert not (tmp_path / "ran").exists()


def test_a_log_that_cannot_be_opened(pump: Pump, tmp_path: Path) -> None:
    command = Command(("true",), tmp_path, {})
    log = tmp_path / "missing" / "x.log"
    harness = HarnessProcess("bert_offline", command, log, MARKERS, 10)
    with pytest.raises(HarnessError, match="bert_offline could not be launched"):
        pump.launch(harness)


def test_a_full_disk_is_remembered_and_stalls_nobody(
    pump: Pump, tmp_path: Path
) -> None:
    command = Command(("sh", "-c", f"yes | head -c 1000000; {READY}"), tmp_path, {})
    harness = HarnessProcess("x", command, Path("/dev/full"), MARKERS, 10)
    pump.launch(harness)
    wait(pump, lambda: harness.exited is not None)
    assert harness.log_error is not None
    assert harness.log_error.strerror == "No space left on device"
    assert harness.started is not None
    assert harness.exit_code == 0


def test_a_reader_that_fails_is_noticed_by_whoever_waits(
    launch: Launch, pump: Pump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: HarnessProcess, _chunk: bytes) -> None:
        raise ValueError("on purpose")

    monkeypatch.setattr(HarnessProcess, "_write", fail)
    launched = tmp_path / "launched"  # it says nothing before
    waits = f"until [ -e {launched} ]; do sleep 0.02; done"
    harness = launch(f"{waits}; {READY}; sleep 300")
    launched.touch()
    with pytest.raises(HarnessError, match=r"reader of the harnesses failed.*purpose"):
        pump.wait_for(lambda: harness.exited is not None)
    with pytest.raises(HarnessError):
        pump.stop([harness])
    monkeypatch.undo()
    harness.reap()
    assert harness.exit_code


def test_seven_at_once_are_all_read_to_the_end(launch: Launch, pump: Pump) -> None:
    harnesses = [launch(f"seq 100000; {READY}; seq 100000") for _ in range(7)]
    wait(pump, lambda: all(h.exited for h in harnesses))
    sizes = {harness.log.stat().st_size for harness in harnesses}
    assert len(sizes) == 1
    assert all(harness.started for harness in harnesses)
