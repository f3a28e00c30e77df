"""Ways of reading several harnesses at once: the plugin's own, and what else one does.

Each starts the same children, waits for their markers and runs a main beside them.
"""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pexpect
from children import MARKER, Child

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import Launch, RunPlan
from pytest_mighetero.plan.run_plan import tool_of
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.progress import Step
from pytest_mighetero.run.servers import Servers
from pytest_mighetero.spec.runspec import RunSpec, build_spec
from pytest_mighetero.spec.values import Value
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs

POLL_S = 0.01
SETTINGS = {
    "mig_suite": "cpu",
    "settle_time": "0",
    "start_time_buffer": "10min",
    "background_benchmark_duration": "automatic",
    "background_benchmark_timeout": "1h",
}


class ChildFailedError(Exception):
    """A child did not do what it was started for."""


class Reader(Protocol):
    """A way of reading children.

    Attributes:
        moments: ``time.monotonic()`` of what happened: ``seen``, when the last
            background was seen to be ready; ``ready``, when whoever waited for that
            knew; ``released``, when main's start, or its exec where all else is done,
            was begun.
    """

    moments: dict[str, float]

    def start(self, children: Sequence[Child], main: Child | None = None) -> None:
        """Start *children*; return once every one has been seen to be ready.

        Args:
            children: the backgrounds.
            main: who is going to run beside them; it may be made ready meanwhile.
        """

    def run_main(self, child: Child) -> None:
        """Start main, who was named before if anybody runs, and wait for its end."""

    def stop(self) -> None:
        """End all children."""

    def helpers(self) -> list[int]:
        """Return the processes that run on this way's account."""


def _check(code: int | None) -> None:
    if code:
        raise ChildFailedError(f"a child exited with code {code}")


class Ours:
    """The plugin's own code: ``BackgroundSet`` and ``Attempt`` on one ``Pump``."""

    def __init__(self) -> None:
        self.moments: dict[str, float] = {}
        self._config = _run_config()
        self._pump = Pump()
        self._harnesses: list[HarnessProcess] = []

    def start(self, children: Sequence[Child], main: Child | None = None) -> None:
        """Start *children* as a run's backgrounds, with *main* prepared beside."""
        launches = [_launch(self._config, child) for child in children]
        self._set = BackgroundSet(
            self._config, launches, self._pump, Servers(self._pump, 1)
        )
        self._harnesses = list(self._set.harnesses)
        if main is not None:
            plan = RunPlan(Gpu("none", ()), _launch(self._config, main), ())
            told = self._config, plan, self._set, self._pump
            self._attempt = Attempt(*told, _tick)
            self._harnesses.append(self._attempt.main)
            self._attempt.prepare()
        self._set.start(_tick, lambda _pair: None)
        self.moments["ready"] = time.monotonic()
        self.moments["seen"] = max(each or 0.0 for each in self._set.readiness.issuing)

    def run_main(self, child: Child) -> None:  # noqa: ARG002 - prepared by ``start``
        """Measure it as a run's main."""
        main = self._attempt.main
        self._attempt.measure(lambda: False)
        _check(main.exit_code)
        assert main.launched is not None
        self.moments["released"] = main.launched.monotonic

    def stop(self) -> None:
        """End the backgrounds."""
        self._set.stop()
        self._pump.close()

    def helpers(self) -> list[int]:
        """Return the guards, two processes each."""
        running = [each for each in self._harnesses if each.running]
        return [pid for each in running for pid in (each.pid, each.root) if pid]


def _tick(_: Step) -> None:
    """Say nothing, as the plugin does where no person watches a terminal."""


def _run_config() -> RunSpec:
    here = Path.cwd()

    def given(key: str) -> Value | None:
        raw = SETTINGS.get(key)
        return None if raw is None else Value(raw, f"--{key}", here, explicit=True)

    return build_spec(given, here, here, device_kinds())


def _launch(config: RunSpec, child: Child) -> Launch:
    return Launch(
        pair=Pair("bert", "offline"),
        action="run_harness",
        device=MigDevice("none"),
        min_duration=child.live_s,
        run_args=RunArgs(),
        folder=child.folder,
        command=Command(child.argv, child.program.parent, {}),
        audit_folder=child.folder,
        tool=tool_of(config.suite.harness_of("bert")),
    )


class Readline:
    """A thread per child calls ``readline`` and fills a queue; main looks at them all.

    Args:
        pause_s: what a thread sleeps after each line: 0.5 in the reference script.
    """

    def __init__(self, pause_s: float):
        self.moments: dict[str, float] = {}
        self._pause_s = pause_s
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, children: Sequence[Child], main: Child | None = None) -> None:  # noqa: ARG002 - nothing to prepare
        """Start *children* and look for their markers in turn."""
        waiting = [self._launch(child) for child in children]
        while waiting:
            waiting = [lines for lines in waiting if not _marker_in(lines)]
            if not waiting:
                self.moments["seen"] = time.monotonic()
            time.sleep(POLL_S)
        self.moments["ready"] = time.monotonic()

    def _launch(self, child: Child) -> queue.Queue[str]:
        child.log_dir.mkdir(parents=True)
        process = subprocess.Popen(
            child.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._processes.append(process)
        lines: queue.Queue[str] = queue.Queue()
        arguments = (process, lines)
        threading.Thread(target=self._read, args=arguments, daemon=True).start()
        return lines

    def _read(self, process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout is not None
        while line := process.stdout.readline():
            lines.put(line)
            if self._pause_s:
                time.sleep(self._pause_s)
        lines.put("")

    def run_main(self, child: Child) -> None:
        """Start *child* in the same way and wait for its exit."""
        self.moments["released"] = time.monotonic()
        self._launch(child)
        _check(self._processes[-1].wait())

    def stop(self) -> None:
        """Kill them."""
        for process in self._processes:
            process.kill()
            process.wait()

    def helpers(self) -> list[int]:
        """Return nothing: there are only threads."""
        return []


def _marker_in(lines: queue.Queue[str]) -> bool:
    """Empty a queue up to the marker; tell whether that was in it."""
    while True:
        try:
            line = lines.get_nowait()
        except queue.Empty:
            return False
        if line.rstrip().endswith(MARKER):
            return True
        if not line:
            raise ChildFailedError("a child ended before its marker")


class Expect:
    """pexpect as its manual shows it: spawn them, then ``expect`` one after another.

    ``expect_exact``, because ``expect`` takes quadratic time on megabytes, and without
    a timeout; everything else is left at its default. Once all markers have been seen
    a thread per child reads on.
    """

    def __init__(self) -> None:
        self.moments: dict[str, float] = {}
        self._spawned: list[pexpect.spawn[Any]] = []

    def _launch(self, child: Child) -> pexpect.spawn[Any]:
        child.log_dir.mkdir(parents=True)
        program, *arguments = child.argv
        spawned = pexpect.spawn(program, arguments)
        self._spawned.append(spawned)
        return spawned

    def start(self, children: Sequence[Child], main: Child | None = None) -> None:  # noqa: ARG002 - nothing to prepare
        """Start *children* and expect their markers."""
        for child in children:
            self._launch(child)
        for spawned in self._spawned:
            spawned.expect_exact(MARKER, timeout=None)
        self.moments["seen"] = time.monotonic()
        for spawned in self._spawned:
            threading.Thread(target=_read_on, args=(spawned,), daemon=True).start()
        self.moments["ready"] = time.monotonic()

    def run_main(self, child: Child) -> None:
        """Start *child* in the same way and wait for its exit."""
        self.moments["released"] = time.monotonic()
        main = self._launch(child)
        _read_on(main)
        _check(main.wait())

    def stop(self) -> None:
        """Kill them."""
        for spawned in self._spawned:
            spawned.kill(9)
            # Else it sleeps 0.1 s when it is deleted.
            spawned.ptyproc.delayafterclose = 0  # type: ignore[attr-defined]

    def helpers(self) -> list[int]:
        """Return nothing: there are only threads."""
        return []


def _read_on(spawned: pexpect.spawn[Any]) -> None:
    spawned.expect(pexpect.EOF, timeout=None)


def reader(way: str) -> Reader:
    """Return a new reader of the *way* so called."""
    if way == "ours":
        return Ours()
    if way == "expect":
        return Expect()
    return Readline(0.5 if way == "readline" else 0.0)
