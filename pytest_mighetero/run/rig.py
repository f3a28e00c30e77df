"""What main is measured with, try after try: repetitions and searches use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mighetero.devices.queue import Queue
from pytest_mighetero.errors import HarnessError, RunError
from pytest_mighetero.harness.leftover import sweep
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.durations import BackgroundTime
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.plan.run_plan import plan_run
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.backgrounds.keeper import Neighbours, refuse_survivors
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.evidence.workload import Measured
from pytest_mighetero.run.findings import (
    end_facts,
    main_facts,
    overlap_facts,
    plan_facts,
)
from pytest_mighetero.run.ledger import Ledger
from pytest_mighetero.run.placement import Placement, Tenancy
from pytest_mighetero.run.progress import HarnessState, Progress, Step
from pytest_mighetero.run.recorded import History
from pytest_mighetero.run.tenancy.harness_folder import HarnessFolders
from pytest_mighetero.run.verdict import (
    Verdict,
    Warn,
    at_the_end,
    doubtful,
    on_crash,
    overlap_of,
)
from pytest_mighetero.run.watch import stopped_now
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair

_CLOCK = (
    "LoadGen's stamps were read by what it said when, in favour of neither side; have "
    "it slewed, not stepped, while you measure"
)


@dataclass
class Rig:
    """A place taken, what runs beside main there, and a folder for what comes of it.

    Attributes:
        queue: where it waits for the harness folder.
        when_launched: called as soon as main is launched.
        attempt: the present try, or the one that counts; None before any is planned.
    """

    config: RunSpec
    pair: Pair
    placement: Placement
    neighbours: Neighbours
    history: History
    folder: Path
    ledger: Ledger
    tenancy: Tenancy
    queue: Queue
    when_launched: Callable[[], None]
    attempt: Attempt | None = None
    _entered: list[HarnessFolders] = field(default_factory=list)
    _closed: bool = False
    _label: str = ""
    _main_s: float = 0.0

    def _tick(self, step: Step) -> None:
        self.tenancy.tick(self._progress(step))

    def _tell_of_end(self) -> None:
        """Tell what is stopped; whose the GPU is cannot matter any more."""
        self.tenancy.tell(self._progress(Step("what still runs is stopped")))

    def _progress(self, step: Step) -> Progress:
        buffer = self.config.end_time_buffer_min
        return Progress(step, self._label, buffer, self._states)

    def _states(self) -> list[HarnessState]:
        """Return how the harnesses of the present try are, main first."""
        if (attempt := self.attempt) is None:
            return []
        servers = self.neighbours.servers.states
        main = attempt.state(self._main_s)
        return [main, *attempt.backgrounds.states, *servers]

    def plan(
        self,
        config: RunSpec,
        folder: Path,
        time: BackgroundTime | None = None,
        label: str = "",
    ) -> Attempt:
        """Plan one try of main, beside backgrounds that last for it.

        Args:
            config: the run's settings, those of this try in place.
            folder: where what is started gets its folders.
            time: of the backgrounds; None for what is known of main to decide.
            label: which try it is, for whoever watches.
        """
        if self.attempt is not None:
            self.attempt.stop_main()  # it may be waiting to be launched
        self._leave()
        pairs, gpu = self.placement.backgrounds, self.placement.gpu
        harness_folder = HarnessFolders(config, self.pair, pairs, self.queue)
        self._entered.append(harness_folder)
        beside, by = tuple[Launch, ...](), None
        if self.placement.seated:
            time = time or self.history.beside(config, gpu)
            left = self.history.left(config, gpu)
            beside = self.neighbours.plan(folder, time.seconds, left)
            by = "session" if config.keeps_backgrounds else time.source
        plan = plan_run(config, self.pair, self.neighbours.site, folder, beside)
        self.ledger.learn(**plan_facts(plan, by))
        self.attempt = attempt = Attempt(
            config,
            plan,
            self.neighbours.backgrounds,
            self.neighbours.pump,
            self._tick,
        )
        self._label, self._main_s = label, self.history.expected(config, gpu)

        def launched() -> None:
            harness_folder.main_launched()
            self.when_launched()

        attempt.when_launched = launched
        attempt.when_issuing = harness_folder.main_issues
        return attempt

    def start(self, attempt: Attempt) -> BackgroundSet:
        """Start servers and backgrounds that do not run yet, until all are ready.

        Main is prepared meanwhile.
        """
        self.serve(attempt)
        issues = self._entered[-1].background_issues
        attempt.prepare()
        self.neighbours.start(self._tick, issues)
        for pair in self.placement.backgrounds:  # of a set that was up
            issues(pair)
        return attempt.backgrounds

    def serve(self, attempt: Attempt) -> None:
        """Start the servers that do not run yet, until they are ready."""
        launches = [launch for launch, _ in attempt.workloads]
        self.neighbours.servers.start(launches, self._tick)

    def measure(self, attempt: Attempt, warn: Warn, *, again: bool) -> Measured:
        """Run main to its end, and learn what it has come to.

        Args:
            attempt: a try whose backgrounds are ready.
            warn: told what makes the figure worth less.
            again: whether a broken overlap can be mended by another try.

        Raises:
            RunError: the overlap broke, and main was stopped; or a background crashed.
        """
        lenient, learn = self.config.lenient, self.ledger.learn_of_try

        def go_on() -> bool:
            return lenient or (again and not attempt.backgrounds.crashed())

        try:
            measured = attempt.measure(go_on)
        except RunError:
            learn(overlap_ok=False)
            raise
        finally:
            self._leave()
            learn(**main_facts(attempt))
        for known in (*self._entered[-1].warnings, *doubtful(measured)):
            warn(known)
        if attempt.clock_stepped:
            warn(f"the wall clock was set meanwhile ({attempt.clock_steps}): {_CLOCK}")
        if measured.beside:
            learn(start_margin_s=measured.overlap.start_margin_s)
        crash = on_crash(measured, lenient=lenient)
        if crash.problems and measured.broken is not None:
            learn(overlap_ok=False)
        crash.enforce(warn)
        return measured

    def outlast(self, attempt: Attempt, measured: Measured) -> Verdict:
        """Let the backgrounds outlast main, and judge them."""
        backgrounds = attempt.backgrounds
        given_up = []
        try:
            if measured.unloaded:  # what is still stopped would never end
                given_up = stopped_now(backgrounds.harnesses)
                self.neighbours.pump.stop(given_up)
            main = measured.main.window
            self.neighbours.finish(main)
            attempt.beside = beside = backgrounds.evidence()
            required = self.config.end_time_buffer_min
            attempt.overlap = overlap_of(main, beside, required)
        finally:
            self.ledger.learn_of_try(**end_facts(attempt))
        facts = overlap_facts(attempt.overlap)
        if measured.unloaded:
            facts["overlap_ok"] = False
        self.ledger.learn_of_try(**facts)
        return at_the_end(
            beside,
            attempt.overlap,
            said=measured.broken.ended if measured.broken else frozenset(),
            given_up={each.name for each in given_up},
            lenient=self.config.lenient,
        )

    def end(self, attempt: Attempt) -> None:
        """Stop a try that is not the last one."""
        ending = self._ending(attempt)
        self.neighbours.pump.stop(ending, self._tell_of_end)
        self.ledger.learn_of_try(**end_facts(attempt))
        refuse_survivors(ending)

    def _ending(self, attempt: Attempt) -> list[HarnessProcess]:
        return [attempt.main, *self.neighbours.ending()]

    def _leave(self) -> None:
        for each in self._entered:
            each.close()

    def close(self) -> None:
        """Stop whatever still runs for this test alone, all at once.

        Raises:
            HarnessError: something survived SIGKILL, or the harness folder is spoilt.
        """
        if self._closed:
            return
        self._closed, attempts = True, [self.attempt] if self.attempt else []
        ending = [each for attempt in attempts for each in self._ending(attempt)]
        try:
            try:
                self.neighbours.pump.stop(ending, self._tell_of_end)
            finally:
                ending += self.neighbours.end_servers()
        finally:
            self._leave()
            left = sweep(self.folder)
            self.neighbours.close()
            for attempt in attempts:
                self.ledger.learn(**end_facts(attempt))
        refuse_survivors(ending, *left)
        if spoilt := [said for each in self._entered for said in each.spoilt]:
            raise HarnessError(f"{'. '.join(spoilt)}.")
