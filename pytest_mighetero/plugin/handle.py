"""A run as its test has it: ``main``, and what pytest is told of it meanwhile."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.errors import MigheteroError, RunError, StoppedError
from pytest_mighetero.plugin.console.stateline import StateLine
from pytest_mighetero.plugin.fixtures import MigheteroWarning
from pytest_mighetero.plugin.outcome import Failed
from pytest_mighetero.plugin.ownership import beside
from pytest_mighetero.plugin.presence import session_of
from pytest_mighetero.plugin.selection.order import set_of, upcoming
from pytest_mighetero.run.backgrounds.keeper import Keeper
from pytest_mighetero.run.case import Case
from pytest_mighetero.show.report import block
from pytest_mighetero.terms.printable import printable

if TYPE_CHECKING:
    from pytest_mighetero.readers.result import Result
    from pytest_mighetero.run.attempt import Attempt
    from pytest_mighetero.run.backgrounds.set import BackgroundSet
    from pytest_mighetero.run.evidence.workload import Measured
    from pytest_mighetero.run.placement import Placement
    from pytest_mighetero.run.rig import Rig


class Run:
    """What the fixtures of a run test have begun.

    Attributes:
        item: the test.
        case: what is measured, and all that is known of it.
        spec: what was asked of it.
        line: says what it is doing.
        placement: where it takes place, once ``mig_gpu`` has it.
        main: what the test gets, once that is prepared.
    """

    placement: Placement

    def __init__(self, item: pytest.Function):
        session = session_of(item.config)
        if session.keeper is None:
            worker = getattr(item.config, "workerinput", {})
            session.keeper = Keeper(worker.get("testrunuid") or uuid.uuid4().hex)
        self.item, self.spec, self._keeper = item, session.spec, session.keeper
        self.line = StateLine(item.config, item.callspec.id)
        self.case = Case(
            self.spec,
            upcoming(self.spec, item),
            item.nodeid,
            alone=not beside(item),
            publish=self._publish,
            tick=self.line,
            waits=self.line.announce,
            keeper=self._keeper,
        )
        self.main: Main | None = None

    @property
    def block(self) -> str:
        """What is known so far, as one short block of text."""
        return block(self.case.ledger.facts)

    def _publish(self, name: str, value: str | None) -> None:
        """Set or drop a junit property; readers disagree on a name given twice."""
        if self.item.config.getini("mig_junit_properties"):
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
            text = self.spec.secrets.mask(str(error))
            verdict = isinstance(error, RunError) and not isinstance(
                error, StoppedError
            )
            raise Failed(text, verdict=verdict) from None
        except (
            pytest.fail.Exception
        ) as timeout:  # pytest-timeout's, by its signal method
            what = str(timeout.msg).rstrip(".")
            text = f"{what} while {self.line.doing}; every harness is stopped."
            raise Failed(text) from None

    def shares_with(self, following: pytest.Item | None) -> bool:
        """Tell whether the *following* test asks for the same backgrounds."""
        mine = set_of(self.spec, self.item)
        return following is not None and set_of(self.spec, following) == mine

    def let_go(self, *, wanted: bool) -> None:
        """End the backgrounds that are up, unless a test follows that *wanted* them."""
        ends = self.item.session.shouldfail or self.item.session.shouldstop
        if self._keeper.kept is not None and (ends or not wanted):
            self.case.end_kept()


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
        self._run, pair = run, run.case.pair
        self._rig, self._first = rig, attempt
        self._measured: tuple[Attempt, Measured] | None = None
        self.benchmark, self.scenario = pair.benchmark, pair.scenario
        self.ran = self.over = False
        self.failure: BaseException | None = None
        self._thread = threading.get_ident()

    def run(self) -> Result | None:
        """Measure main once and fail the test unless result and overlap hold.

        Returns:
            LoadGen's result, VALID; None for an audit, whose verdict is in its files.
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
            self.ran = True
            with self._run.in_one_sentence():
                measured = self._run.case.measure(
                    self._rig, self._first, self._run.warn
                )
                self._measured = measured
            return measured[1].main.result
        except BaseException as failure:
            self.failure = failure
            raise

    def start_backgrounds(self) -> BackgroundSet:
        """Start what is to run beside main, until it is ready."""
        with self._run.in_one_sentence():
            return self._rig.start(self._first)

    def outlast(self) -> None:
        """Judge what has run beside main, if main was measured."""
        if self._measured is not None:
            with self._run.in_one_sentence():
                self._run.case.outlast(self._rig, *self._measured, self._run.warn)

    def _check_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise Failed(
                "main.run() was called in another thread, which no signal and no "
                "timeout reaches. Call it in the test's own, and do in threads what "
                "is to happen meanwhile."
            )
