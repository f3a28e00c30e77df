"""A run as its test has it: ``main``, and what pytest is told of it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from pytest_mighetero.errors import MigheteroError, RunError, StoppedError
from pytest_mighetero.plan.asked import unknown_flags
from pytest_mighetero.plan.script import script
from pytest_mighetero.plugin.console.display import Display
from pytest_mighetero.plugin.execution import execution_of
from pytest_mighetero.plugin.fixtures import MigheteroWarning
from pytest_mighetero.plugin.outcome import Failed
from pytest_mighetero.plugin.ownership import beside, refusal, stranger
from pytest_mighetero.plugin.presence import session_of, spec_of
from pytest_mighetero.plugin.selection.order import set_of, turns, upcoming
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.backgrounds.keeper import Keeper
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.case import Case
from pytest_mighetero.run.evidence.workload import Measured
from pytest_mighetero.run.placement import Placement
from pytest_mighetero.run.rig import Rig
from pytest_mighetero.run.standing import not_judged
from pytest_mighetero.show.report import block
from pytest_mighetero.spec.given import publishes_facts
from pytest_mighetero.terms.printable import printable


class Run:
    """What the fixtures of a run test have begun."""

    placement: Placement  # once mig_gpu has it
    main: Main  # once that is prepared

    def __init__(self, item: pytest.Function):
        session = session_of(item.config)
        if session.keeper is None:
            session.keeper = Keeper(session.id, session.archive)
        self.item, self._keeper = item, session.keeper
        self.spec = spec_of(item)
        self.display = Display(session.viewer, item.callspec.id)
        self.case = Case(
            self.spec,
            upcoming(self.spec, item),
            item.nodeid,
            alone=not beside(item),
            publish=self._publish,
            watcher=self.display,
            waits=self.display.announce,
            keeper=self._keeper,
        )

    @property
    def passed(self) -> bool:
        """Whether its test has passed."""
        return execution_of(self.item).passed

    @property
    def block(self) -> str:
        """What is known so far, as one short block of text."""
        return block(self.case.ledger.facts)

    def _publish(self, name: str, value: str | None) -> None:
        """Set or drop a junit property; readers disagree on a name given twice."""
        if publishes_facts(self.item.config):
            properties = self.item.user_properties
            properties[:] = [each for each in properties if each[0] != name]
            if value is not None:
                properties.append((name, value))

    def warn(self, text: str) -> None:
        """Say in pytest's summary what did not fail the run."""
        shown = self.spec.secrets.mask(text)
        self.item.warn(MigheteroWarning(printable(f"{self.item.name}: {shown}")))

    @contextmanager
    def in_one_sentence(self) -> Iterator[None]:
        """Report errors by their message: a traceback of ours says nothing more."""
        __tracebackhide__ = True
        try:
            yield
        except MigheteroError as error:
            self.case.problems.append(error)
            text = self.spec.secrets.mask(str(error))
            stopped = isinstance(error, StoppedError)
            verdict = isinstance(error, RunError) and not stopped
            raise Failed(text, verdict=verdict) from None
        except pytest.fail.Exception as timeout:  # pytest-timeout's signal
            what = str(timeout.msg).rstrip(".")
            text = f"{what} while {self.display.doing}; every harness is stopped."
            raise Failed(text) from None
        finally:
            self.display.clear()

    def take(self) -> Placement:
        """Take a GPU that will do; where there is none, skip what nobody named."""
        with self.in_one_sentence():
            found = self.case.candidates()
        if found.problem and self.case.pair.benchmark in self.spec.asked:
            pytest.fail(printable(f"{found.problem}."), pytrace=False)
        elif found.problem:
            pytest.skip(printable(found.problem))
        with self.in_one_sentence():
            known = self.case.known(found.gpus)
            lost = not_judged(self.spec, known) if known is not None else ""
        if known is not None:
            folder = self.spec.kept(known.folder)
            said_by = self.spec.said_by["mig-resume"]
            said = f"{said_by}: {folder} has it, a good run"
            if lost:
                said += f"; {lost}"
                self.warn(said)
            execution_of(self.item).stand_in = str(folder / known.path.name)
            pytest.skip(printable(said))
        with self.in_one_sentence():
            return self.case.take(found.gpus)

    def script(self) -> str:
        """Return what would be started, for a dry run."""
        with self.in_one_sentence():
            return printable(script(self.spec, self.case.plan(self.placement)))

    def prepare(self) -> Main:
        """Return what the test gets; warn of what it may not have meant."""
        with self.in_one_sentence():
            self.main = Main(self, *self.case.prepare(self.placement))
            execution_of(self.item).main = self.main
            self.case.write_record()
            with suppress(Exception):  # no run is worth less for what is shown of it
                self._look_ahead()
        for flag, nearest in unknown_flags(self.spec.main_runargs).items():
            near = f" (nearest: --{nearest})" if nearest else ""
            self.warn(
                f"--{flag} is no known flag of a harness's RUN_ARGS{near}; v1.1 and "
                f"later drop what they do not know without a word"
            )
        if found := stranger(self.item, "background"):
            self.warn(f"main runs alone: background is {found} here")
        return self.main

    def _look_ahead(self) -> None:
        """Find out what this run and those after it take, where anybody watches."""
        if self.display.watched:
            ahead = turns(self.item)
            gpu, outlook = self.placement.gpu, session_of(self.item.config).outlook
            self.display.expected = outlook.expected(ahead[0], gpu)
            self.display.following = outlook.all_of(ahead[1:], gpu)

    def shares_backgrounds(self) -> bool:
        """Tell whether the test that follows asks for the same backgrounds."""
        following = execution_of(self.item).following
        mine = set_of(self.spec, self.item)
        return following is not None and set_of(self.spec, following) == mine

    def close(self, *, wanted: bool) -> None:
        """End what ran for this test; the backgrounds, too, unless still *wanted*."""
        if main := execution_of(self.item).main:
            main.over = True
        session = self.item.session
        with self.in_one_sentence():
            try:
                self.case.close()
            finally:
                ends = session.shouldfail or session.shouldstop or not wanted
                if self._keeper.kept is not None and ends:
                    self.case.end_kept()
        took = self.display.took
        if self.display.watched and took is not None and self.passed:
            outlook = session_of(self.item.config).outlook
            outlook.took(turns(self.item)[0], self.placement.gpu, took)
        self.item.add_report_section("teardown", "stdout", self.block)


def run_of(request: pytest.FixtureRequest) -> Run:
    """Return what the fixtures of a test have begun; refuse what cannot serve it."""
    item = request.node
    if (problem := refusal(item, str(request.fixturename))) is not None:
        raise Failed(problem)
    execution = execution_of(item)
    if execution.run is None:
        try:
            execution.run = Run(item)
        except pytest.UsageError as error:
            raise Failed(str(error)) from None
    return execution.run


class Main:
    """What the ``main`` fixture gives a test: the measured run, not yet started.

    Attributes:
        benchmark: for example ``dlrm``.
        scenario: for example ``server``.
        ran: whether ``run()`` was called.
        over: whether the test is over: it has nothing to judge any more.
        failure: what ``run()`` raised, for a test that swallows it.
    """

    def __init__(self, run: Run, rig: Rig, attempt: Attempt):
        self._run, self._rig, self._first = run, rig, attempt
        self._measured: tuple[Attempt, Measured] | None = None
        pair = run.case.pair
        self.benchmark, self.scenario = pair.benchmark, pair.scenario
        self.ran = self.over = self._served = False
        self.failure: BaseException | None = None
        self._thread = threading.get_ident()

    def run(self) -> Result | None:
        """Measure main once and fail the test unless result and overlap hold.

        Returns:
            Its tool's result, VALID; None for an audit, whose verdict is in its files.

        Raises:
            pytest.fail.Exception: In one sentence, why it is no good run. It counts
                though the test catches it.
        """
        __tracebackhide__ = True
        if self.over:
            raise Failed(
                f"main.run() was called after {self._run.item.nodeid}, whose main it "
                f"is, was over. Call it in the test, and keep what it returns."
            )
        if self.ran:
            raise Failed(
                "main.run() was called twice in one test. Keep what the first returns."
            )
        try:
            self._check_thread()
            self.ran, run = True, self._run
            with run.in_one_sentence():
                if not self._served:  # nothing is to run beside it
                    self._rig.serve(self._first)
                measured = run.case.measure(self._rig, self._first, run.warn)
                self._measured = measured
            return measured[1].main.result
        except BaseException as failure:
            self.failure = failure
            raise

    def _check_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise Failed(
                "main.run() was called in another thread, which no signal and no "
                "timeout reaches. Call it in the test's own, and do in threads what "
                "is to happen meanwhile."
            )

    def start_backgrounds(self) -> BackgroundSet:
        """Start what is to run beside main, until it is ready."""
        self._served = True
        with self._run.in_one_sentence():
            return self._rig.start(self._first)

    def outlast(self) -> None:
        """Judge what has run beside main, if main was measured and the test passed."""
        run = self._run
        if self._measured is not None and execution_of(run.item).passed:
            with run.in_one_sentence():
                run.case.outlast(self._rig, *self._measured, run.warn)
