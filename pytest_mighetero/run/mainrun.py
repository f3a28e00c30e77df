"""Main: launched beside its backgrounds, watched, judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal

from pytest_mighetero.devices.telemetry import Telemetry, summary
from pytest_mighetero.errors import HarnessError, RunError, StoppedError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import RunPlan
from pytest_mighetero.plan.seats import source_of
from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.audit_files import judge_runs, keep_audit
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.evidence import (
    accuracy_summary,
    audit_settings,
    audit_verdicts,
    exit_of,
    log_failure,
    ran_otherwise,
    result_of,
    tail_of,
)
from pytest_mighetero.run.proof import background_proof, main_proof
from pytest_mighetero.run.start import Tick, process_of
from pytest_mighetero.run.verdict import judge, judge_audit
from pytest_mighetero.run.watch import Watch
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.window import TimedWindow
from pytest_mighetero.units import format_duration

_LOG_APPEARS_S = 2.0  # after the marker: StartTest opens its logs first thing


class MainRun:
    """The measured harness of one run.

    Attributes:
        launch: what it is.
        harness: its process.
        when_launched: called as soon as it is, for what can wait until then.
        when_issuing: called once it issues queries.
        result: its result once it is done; None where it left none, and of an audit.
        window: its timed window once it is done.
        unloaded: which backgrounds did not load their device in it; None for none.
        watch: what the processes did meanwhile; None before it is launched.
        doubts: why its log is not of this run.
        otherwise: where it ran with something else than it was asked for.
        audit_overrides: what an audit changed of that by design.
        audit_runs: an audit's own runs, by its parts: ``TEST04-A``, ``TEST04-B``.
    """

    def __init__(self, config: RunSpec, plan: RunPlan, pump: Pump, tick: Tick):
        self._config, self._pump, self._tick = config, pump, tick
        self._telemetry: Telemetry | None = None
        meter = source_of(config).meter(plan.gpu, plan.main.device)
        if config.telemetry and meter is not None:
            self._telemetry = Telemetry(meter, pump.clock.now)
        self.launch = plan.main
        self.harness: HarnessProcess = process_of(config, plan.main)
        self._first_query = FirstQuery(plan.main.log_dir, plan.main.reader.sign)
        self.when_launched: Callable[[], None] = lambda: None
        self.when_issuing: Callable[[], None] | None = None
        self.result: Result | None = None
        self.window: TimedWindow | None = None
        self.unloaded: str | None = None
        self.watch: Watch | None = None
        self.doubts: tuple[str, ...] = ()
        self.otherwise: tuple[str, ...] = ()
        self.audit_overrides: tuple[str, ...] = ()
        self.audit_runs: Mapping[str, Result] = {}
        self._audit_files = plan.main.audit_folder

    def prepare(self) -> None:
        """Have its guard ready, so that the launch takes a moment only.

        What is wrong with it is main's own trouble: ``measure`` says it.
        """
        with suppress(HarnessError):
            self._pump.prepare(self.harness)

    def stop(self) -> None:
        """Stop it, launched or only prepared."""
        self._pump.stop([self.harness])

    def measure(
        self, backgrounds: BackgroundSet | None, go_on: Callable[[], bool]
    ) -> str | None:
        """Launch main, wait for its end and read what it left.

        Args:
            backgrounds: what must run beside it throughout.
            go_on: asked once when the overlap breaks: whether main is to run on.

        Returns:
            How the overlap broke while main ran on, or None.

        Raises:
            StoppedError: the overlap broke, and main was stopped.
            HarnessError: it could not be launched, or ran too long.
        """
        deadline = time.monotonic() + self._config.background_timeout
        if backgrounds is not None:
            deadline = backgrounds.deadline
        beside = backgrounds.harnesses if backgrounds is not None else ()
        idle_limit = self._config.suite.harness.idle_limit
        self.watch = Watch(self.harness, beside, idle_limit, self._pump.clock)
        self._pump.launch(self.harness)
        self.when_launched()
        self.watch.look()
        with self._sampled():
            broken = self._watch(backgrounds, deadline)
            if broken is not None and not go_on():
                self.stop()
                raise StoppedError(broken)
            if broken is not None:
                self._watch(None, deadline)
        self._read()
        self._tick("the test goes on after main")
        if broken is None or self.unloaded is not None:
            broken = self._unloaded(backgrounds, self.window)
        return broken

    def _unloaded(
        self, backgrounds: BackgroundSet | None, window: TimedWindow | None
    ) -> str | None:
        """Note and say who did not load its device in *window*, or return None.

        Backgrounds of which one did not are not ready for another main.
        """
        if backgrounds is None or window is None or self.watch is None:
            return None
        self.unloaded = self.watch.unloaded(window)
        if self.unloaded is not None:
            backgrounds.ready = False
        return self.unloaded

    def _window_so_far(self) -> TimedWindow | None:
        """Return main's window up to now; None where it may not have begun."""
        started = self.harness.started
        if started is None:
            return None
        # As of a background: what there is until now, of a log without an end, too.
        proof = background_proof(self.launch, self.harness, self._pump.clock, None)
        age = time.monotonic() - started.monotonic
        by_marker = any(window.source == "marker" for window in proof.windows)
        if not proof.windows or (by_marker and age < _LOG_APPEARS_S):
            return None
        begin = min(window.begin for window in proof.windows)
        end = max(window.end for window in proof.windows)
        return TimedWindow(begin, end, proof.windows[0].source)

    @contextmanager
    def _sampled(self) -> Iterator[None]:
        if self._telemetry is None:
            yield
            return
        self._telemetry.start()
        try:
            yield
        finally:
            self._telemetry.stop()

    def _look(self) -> None:
        self._tick("main runs")
        if self._telemetry is not None:
            self._telemetry.sample()
        if self.watch is not None:
            self.watch.look()
        if self.when_issuing is not None and self._first_query.look():
            self.when_issuing()
            self.when_issuing = None

    def telemetry(self) -> dict[str, Any]:
        """Return what the GPU did in main's window, as far as NVML was asked."""
        if self._telemetry is None or self.window is None:
            return {}
        return summary(self._telemetry.samples, self.window)

    def stopped(self) -> str | None:
        """Say that main itself was stopped while it was measured, or None."""
        if self.watch is None or self.window is None:
            return None
        return self.watch.main_stopped(self.window)

    def _watch(self, backgrounds: BackgroundSet | None, deadline: float) -> str | None:
        """Wait for main's end; return how the overlap broke if it did before that."""
        harness, seen = self.harness, None

        def look() -> bool:
            nonlocal seen
            seen = self._state(backgrounds)
            return seen is not None

        self._pump.wait_for(look, deadline, self._look)
        assert self.watch is not None
        self.watch.look(at_once=True)
        if seen == "no log":
            others = backgrounds.harnesses if backgrounds is not None else ()
            broken = [each for each in (harness, *others) if each.log_problem]
            raise HarnessError(log_failure(broken[0]))
        if seen == "overlap lost":
            assert backgrounds is not None
            return backgrounds.lost_overlap(harness)
        if seen == "unloaded":
            return self.unloaded
        if seen is None:
            limit = format_duration(self._config.background_timeout)
            raise HarnessError(
                f"Main {harness.name} still ran {limit} after the run's launch "
                f"(--background-benchmark-timeout) and was stopped.\n{tail_of(harness)}"
            )
        return None

    def _state(
        self, backgrounds: BackgroundSet | None
    ) -> Literal["no log", "ended", "overlap lost", "unloaded"] | None:
        harness = self.harness
        if harness.log_problem or (backgrounds and backgrounds.broken_logs()):
            return "no log"
        if not harness.running:
            return "ended"
        # An audit finishes several tests, and what follows a test is not timed.
        measuring = self.launch.audit is not None or harness.finished is None
        if backgrounds is None or not measuring:
            return None
        if backgrounds.ended():
            return "overlap lost"
        assert self.watch is not None
        if self.watch.suspicious and self._unloaded(backgrounds, self._window_so_far()):
            return "unloaded"
        return None

    def _read(self) -> None:
        harness = self.harness
        proof = main_proof(self.launch, harness, self._pump.clock)
        self.doubts, self.window = proof.doubts, proof.windows[0]
        if not proof.doubts and self.launch.audit is None:
            self.result = result_of(self.launch)
        if self.launch.audit is None:
            self.otherwise = tuple(ran_otherwise(self.launch))
        else:
            logged = self._config.suite.harness.loadgen_log
            since = harness.life.launched.wall
            self._audit_files = kept = keep_audit(self.launch, since)
            settings = audit_settings(self.launch, kept, since, logged=logged)
            self.otherwise, self.audit_overrides = settings.problems, settings.meant
            self.audit_runs = settings.runs

    def problems(self) -> list[str]:
        """Return what is wrong with main, the exit code first; nothing when VALID."""
        harness, launch = self.harness, self.launch
        bad_exit = [f"it exited with {exit_of(harness)}"] if harness.exit_code else []
        if launch.audit is not None:
            since = harness.life.launched.wall
            verdicts = audit_verdicts(launch.audit, self._audit_files, since)
            problems = [*judge_audit(launch.audit, verdicts), *self.otherwise]
            return [*bad_exit, *problems, *judge_runs(self.audit_runs)]
        if bad_exit:
            return bad_exit
        if self.doubts:
            tool = launch.reader.tool
            return [f"its {tool} log is of no run of its own: {self.doubts[0]}"]
        if self.result is None:
            nothing = (
                f"it exited with code 0 but left no {launch.reader.tool} result of its "
                f"own under {launch.log_dir}: nothing ran, or more than one test did"
            )
            return [nothing]
        return [*self.otherwise, *judge(self.result, accuracy_summary(launch.log_dir))]

    def judge(self) -> None:
        """Fail unless main is good.

        Raises:
            RunError: with every problem, and the last lines that main printed.
        """
        if problems := self.problems():
            said = ". Also: ".join(problems)
            raise RunError(
                f"Main {self.harness.name} failed: {said}.\n{tail_of(self.harness)}"
            )
