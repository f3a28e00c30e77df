"""One try: main, launched and watched beside its backgrounds until its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress

from pytest_mighetero.devices.telemetry import Sample, Telemetry, summary
from pytest_mighetero.errors import HarnessError, StoppedError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import Launch, RunPlan
from pytest_mighetero.plan.seats import source_of
from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.evidence.overlap import OverlapReport
from pytest_mighetero.run.evidence.proof import background_proof
from pytest_mighetero.run.evidence.traces import has_measured, log_failure, overdue
from pytest_mighetero.run.evidence.workload import (
    Break,
    Evidence,
    Measured,
    main_evidence,
    server_of,
)
from pytest_mighetero.run.progress import (
    HarnessState,
    Step,
    Tick,
    end_of,
    label_of,
    state_of,
)
from pytest_mighetero.run.servers import Server
from pytest_mighetero.run.start import process_of
from pytest_mighetero.run.verdict import overlap_of
from pytest_mighetero.run.watch import Watch
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.window import TimedWindow

_MAIN_RUNS = Step("main runs")
_SOON_S = 0.5  # for the guard of a server to end what that has left


class Attempt:
    """The processes of one try, and what they come to.

    Attributes:
        config: the run's settings, with this try's target and duration.
        clock: the run's own.
        backgrounds: what runs beside it; an empty set for main alone.
        when_launched: called as soon as main is, for what can wait until then.
        when_issuing: called once main issues queries.
        measured: what it came to, once main has ended.
        beside: what the backgrounds had left behind at main's end; later, in the end.
        overlap: how the backgrounds lay around main in the end, once that is known.
    """

    def __init__(
        self,
        config: RunSpec,
        plan: RunPlan,
        backgrounds: BackgroundSet,
        pump: Pump,
        tick: Tick,
    ):
        self.config, self.plan, self.backgrounds = config, plan, backgrounds
        self._pump, self._tick, self.clock = pump, tick, pump.clock
        self._steps_before = len(pump.clock.steps)
        self._telemetry: Telemetry | None = None
        meter = source_of(config).meter(plan.gpu, plan.main.device)
        if config.telemetry and meter is not None:
            self._telemetry = Telemetry(meter, pump.clock.now)
        main = plan.main
        self._first_query = FirstQuery(main.log_dir, main.output, main.reader.sign)
        self.main = process_of(config, plan.main)
        self._watch = Watch((self.main,), {}, pump.clock)
        self._issuing: float | None = None
        self.when_launched: Callable[[], None] = lambda: None
        self.when_issuing: Callable[[], None] = lambda: None
        self.measured: Measured | None = None
        self.beside: tuple[Evidence, ...] = ()
        self.overlap: OverlapReport | None = None

    @property
    def workloads(self) -> list[tuple[Launch, HarnessProcess]]:
        """What is launched and its process, main first."""
        beside = self.backgrounds
        both = zip(beside.launches, beside.harnesses, strict=True)
        return [(self.plan.main, self.main), *both]

    @property
    def clock_steps(self) -> str:
        """By how much the wall clock was set during the run, and when; or "".

        A set of backgrounds that is kept up has seen the steps of earlier mains, too.
        """
        return ", ".join(map(str, self._pump.clock.steps))

    @property
    def clock_stepped(self) -> bool:
        """Whether the wall clock was set since this try was planned."""
        return len(self._pump.clock.steps) > self._steps_before

    @property
    def issuing(self) -> list[float | None]:
        """When each workload's first query was seen, by ``time.monotonic()``."""
        return [self._issuing, *self.backgrounds.readiness.issuing]

    @property
    def samples(self) -> Sequence[Sample]:
        """What the GPU said of itself while main ran."""
        return self._telemetry.samples if self._telemetry else ()

    def state(self, seconds: float) -> HarnessState:
        """Return how main is at this moment; it takes so many *seconds*."""
        launch, begun = self.plan.main, self._begun
        state = state_of(self.main, self._issuing)
        device, ends = label_of(launch.device), end_of(begun, seconds)
        return HarnessState("main", launch.name, device, *state, ends, seconds)

    @property
    def _begun(self) -> float | None:
        """When main issued its first query, as far as that can be known."""
        if self.plan.main.tool.sign is None and self.main.started is not None:
            return self.main.started.monotonic
        return self._issuing

    def prepare(self) -> None:
        """Have main's guard ready, so that its launch takes a moment only.

        What is wrong with it is main's own trouble: ``measure`` says it.
        """
        with suppress(HarnessError):
            self._pump.prepare(self.main)

    def stop_main(self) -> None:
        """Stop main, launched or only prepared."""
        self._pump.stop([self.main])

    def measure(self, go_on: Callable[[], bool]) -> Measured:
        """Launch main, wait for its end, and read what has been left behind by then.

        Args:
            go_on: asked once when the overlap breaks: whether main is to run on.

        Raises:
            StoppedError: the overlap broke, and main was stopped: there is no evidence.
            HarnessError: it could not be launched, or ran too long.
        """
        beside = self.backgrounds
        latest = time.monotonic() + self.config.background_timeout
        deadline = min(beside.deadline, latest)
        served = self._server_of(self.plan.main)
        mains = (self.main, *([served.process] if served else []))
        self._watch = Watch(mains, self._loads(), self._pump.clock)
        self._pump.launch(self.main)
        self._tick(_MAIN_RUNS)
        self.when_launched()
        self._watch.look()
        with ExitStack() as sampled:
            if self._telemetry is not None:
                self._telemetry.start()
                sampled.callback(self._telemetry.stop)
            broken = self._until_over(deadline)
            if broken is not None:
                if not go_on():
                    # It may have crashed since it was seen to have finished.
                    last = self.backgrounds.broken(self.main.life) or broken
                    self.stop_main()
                    raise StoppedError(last.problem, about=last.about)
                self._until_over(deadline, alone=True)
        self.measured = measured = self._read(broken)
        self._tick(Step("the test goes on after main"))
        return measured

    def _loads(self) -> dict[HarnessProcess, float]:
        """Return what loads the other devices, with how long each may be idle."""
        beside = self.backgrounds
        both = zip(beside.harnesses, beside.launches, strict=True)
        servers = map(self._server_of, beside.launches)
        return {
            **{harness: launch.tool.idle_limit for harness, launch in both},
            **{each.process: 0.0 for each in servers if each is not None},
        }

    def _server_of(self, launch: Launch) -> Server | None:
        return self.backgrounds.servers.of(launch)

    def _until_over(self, deadline: float, *, alone: bool = False) -> Break | None:
        """Wait for main's end; return how the overlap broke if it did before that.

        Not of main *alone*, whose backgrounds do not matter any more.
        """
        every = [self.main, *([] if alone else self.backgrounds.harnesses)]
        broken: Break | None = None

        def over() -> bool:
            nonlocal broken
            if not self.main.running or any(each.log_problem for each in every):
                return True
            if self.backgrounds.servers.problem is not None:
                return True
            broken = None if alone else self._broken()
            return broken is not None

        self._pump.wait_for(over, deadline, self._look)
        self._watch.look(at_once=True)
        if broken is not None:
            return broken
        if (gone := self._lost_server()) is not None:
            amiss = self.backgrounds.servers.amiss
            into = time.monotonic() - self.main.life.launched.monotonic
            said = f"A server was lost {into:.1f} s into main: {gone}"
            self.stop_main()
            raise HarnessError(said, about=amiss)
        if lost := [each for each in every if each.log_problem]:
            raise HarnessError(log_failure(lost[0]), about=[lost[0].log])
        if self.main.running:
            by = self.config.said_by["background-benchmark-timeout"]
            said = overdue(self.main, self.config.background_timeout, by)
            raise HarnessError(said, about=[self.main.log])
        return None

    def _lost_server(self) -> str | None:
        """Say which server is gone, or another than it was, or return None.

        A client that fails since its server died may be seen to end before that.
        """
        servers = self.backgrounds.servers
        if self.main.exit_code and servers.processes:
            soon = time.monotonic() + _SOON_S
            self._pump.wait_for(lambda: servers.problem is not None, soon)
        return servers.problem or (None if self.main.running else servers.swapped)

    def _broken(self) -> Break | None:
        # An audit finishes several tests, and what follows a test is not timed.
        if self.plan.main.audit is None and self.main.finished is not None:
            return None
        broken = self.backgrounds.broken(self.main.life)
        if broken and has_measured(self.plan.main):
            return None
        if not broken and self._watch.suspicious and (now := self._window_so_far()):
            broken = self._unloaded(now)
        return broken

    def _window_so_far(self) -> TimedWindow | None:
        """Return main's window up to now; None where it may not have begun."""
        if (begun := self._begun) is None:
            return None
        # As of a background: what there is until now, of a log without an end, too.
        clock = self._pump.clock
        windows = background_proof(self.plan.main, self.main, clock, begun).windows
        if not windows:
            return None
        begin = min(window.begin for window in windows)
        end = max(window.end for window in windows)
        return TimedWindow(begin, end, windows[0].source)

    def _processes(
        self, launch: Launch, harness: HarnessProcess
    ) -> Iterator[tuple[str, HarnessProcess]]:
        """Yield the processes of a workload, by the names that activity has of them."""
        yield launch.folder.name, harness
        if (server := self._server_of(launch)) is not None:
            yield server_of(launch), server.process

    def _unloaded(self, window: TimedWindow) -> Break | None:
        """Say who did not load its device in *window*, or return None.

        Backgrounds of which one did not are not ready for another main.
        """
        broken = self._watch.unloaded(window)
        self.backgrounds.ready &= broken is None
        return broken

    def _look(self) -> None:
        if self._telemetry is not None:
            self._telemetry.sample()
        self._watch.look()
        if self._first_query.look():
            self._issuing = time.monotonic()
            self.when_issuing()
        self._tick(_MAIN_RUNS)

    def _read(self, broken: Break | None) -> Measured:
        """Read what has been left behind by main's end: nobody else does."""
        config, telemetry = self.config, self._telemetry
        main = main_evidence(self.plan.main, self.main, self._pump.clock)
        if broken is None or not broken.ended:
            broken = self._unloaded(main.window)
        self.beside = beside = self.backgrounds.evidence()
        overlap = overlap_of(main.window, beside, config.end_time_buffer_min)
        seen = summary(telemetry.samples, main.window) if telemetry else {}
        activity = {
            name: self._watch.described(harness, main.window)
            for each, harness in self.workloads
            for name, harness in self._processes(each, harness)
        }
        return Measured(main, beside, overlap, broken, seen, activity)
