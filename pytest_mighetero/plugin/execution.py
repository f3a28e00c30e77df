"""One execution of a run test: some plugins execute the same item again and again.

pytest-rerunfailures and flaky run an item's phases once more when one has failed. What
hangs on the item would be found there by the next execution, which has a case, a
record and a verdict of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plugin.outcome import Failed, is_excused
from pytest_mighetero.plugin.picture import draw_timeline
from pytest_mighetero.records.facts import typed

if TYPE_CHECKING:
    from pytest_mighetero.plugin.handle import Main, Run

EXECUTION: pytest.StashKey[Execution] = pytest.StashKey()


@dataclass
class Execution:
    """What is known of the present execution of an item."""

    # The item's, as they were before its first execution.
    properties: list[tuple[str, object]] = field(default_factory=list)
    sections: list[tuple[str, str, str]] = field(default_factory=list)
    limit: Any = None  # pytest-timeout's settings, where it limits all executions
    following: pytest.Item | None = None
    began: float = 0.0  # on the monotonic clock; 0 for not yet
    made: list[str] = field(default_factory=list)  # phases that have a report
    passed: bool = False  # the test itself
    run: Run | None = None
    main: Main | None = None
    stand_in: str = ""  # the earlier record that makes a run needless

    def forget(self) -> None:
        """Let go of the run: its harnesses, logs and results."""
        self.passed, self.run, self.main, self.stand_in = False, None, None, ""

    def add(self, report: pytest.TestReport) -> None:
        """Take the report of a phase: give it the facts, and the record the phase."""
        self.made.append(str(report.when))
        if report.when == "call":
            self.passed = report.passed
        report.mighetero_began = self.began  # type: ignore[attr-defined]
        report.mighetero = report.mighetero_facts = {}  # type: ignore[attr-defined]
        report.mighetero_record = ""  # type: ignore[attr-defined]
        report.mighetero_stand_in = ""  # type: ignore[attr-defined]
        if self.run is None:
            return
        self.run.display.clear()
        case = self.run.case
        case.phases[str(report.when)] = {
            "outcome": report.outcome,
            "text": report.longreprtext,
            "seconds": report.duration,
        }
        try:
            case.write_record(main_waits=report.when == "setup" and report.passed)
        except HarnessError as error:
            if all(phase["outcome"] != "failed" for phase in case.phases.values()):
                report.outcome, report.longrepr = "failed", str(error)
                vars(report).pop("wasxfail", None)
            else:
                report.sections.append(("mighetero", str(error)))
        else:
            if report.when == "teardown":
                draw_timeline(self.run, report)
        report.mighetero = dict(case.ledger.facts)  # type: ignore[attr-defined]
        report.mighetero_facts = typed(case.ledger.facts)  # type: ignore[attr-defined]
        report.mighetero_record = str(case.record or "")  # type: ignore[attr-defined]
        report.mighetero_stand_in = self.stand_in  # type: ignore[attr-defined]


def execution_of(item: pytest.Item) -> Execution:
    """Return the present execution of *item*."""
    return item.stash.setdefault(EXECUTION, Execution())


def begin(item: pytest.Item) -> None:
    """Have *item* executed as if it never had been."""
    execution = execution_of(item)
    again = execution.began > 0
    if again and execution.run is not None:
        execution.run.case.executed_again = True
        with suppress(HarnessError):  # it says what the run came to as it is
            execution.run.case.write_record()
    execution.forget()
    sections = item._report_sections  # noqa: SLF001 - nothing public has them
    if not again:
        execution.properties, execution.sections = item.user_properties[:], sections[:]
    item.user_properties[:], sections[:] = execution.properties, execution.sections
    execution.began, execution.made = time.monotonic(), []
    if again and execution.limit is not None and not execution.limit.func_only:
        hook = item.config.hook
        hook.pytest_timeout_cancel_timer(item=item)
        hook.pytest_timeout_set_timer(item=item, settings=execution.limit)


@contextmanager
def told(item: pytest.Item) -> Iterator[None]:
    """Raise what main.run() raised where a test says instead that it is excused."""
    __tracebackhide__ = True
    try:
        yield
    except BaseException as raised:
        main = execution_of(item).main
        if main is None or main.failure is None or not is_excused(raised, main.failure):
            raise
        raise main.failure from None


@contextmanager
def judged(item: pytest.Item) -> Iterator[None]:
    """Raise what main.run() raised in a test that swallows it, or never called it."""
    __tracebackhide__ = True
    main = execution_of(item).main
    try:
        with told(item):
            yield
    finally:
        if main is not None:
            main.over = True
    if main is None:  # its fixture main is another's
        return
    if main.failure is not None:
        raise main.failure from None
    if not main.ran:
        raise Failed(
            "The test passed without main.run(): nothing was measured. Call it in "
            "the test, or leave main out."
        )
