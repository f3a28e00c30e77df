"""One execution of a run test: some plugins execute the same item again and again.

pytest-rerunfailures and flaky run an item's phases once more when one has failed. What
hangs on the item would be found there by the next execution, which has a case, a
record and a verdict of its own.
"""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.junitxml import LogXML, bin_xml_escape, xml_key

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plugin.fixtures import CALL_PASSED, CASE, STATE
from pytest_mighetero.plugin.outcome import MAIN

EXECUTION: pytest.StashKey[Execution] = pytest.StashKey()
LOGGED: pytest.StashKey[Logged] = pytest.StashKey()

AGAIN = "This execution did not count: the test was executed again."


@dataclass
class Execution:
    """What is known of the present execution of an item.

    Attributes:
        properties: the item's, as they were before its first execution.
        sections: likewise, its report sections.
        limit: pytest-timeout's settings, where it set a limit to all executions.
        began: when it did, on the monotonic clock; 0 for not yet.
        made: the phases that a report was made of.
    """

    properties: list[tuple[str, object]] = field(default_factory=list)
    sections: list[tuple[str, str, str]] = field(default_factory=list)
    limit: Any = None
    began: float = 0.0
    made: list[str] = field(default_factory=list)


def execution_of(item: pytest.Item) -> Execution:
    """Return the present execution of *item*."""
    return item.stash.setdefault(EXECUTION, Execution())


def begin(item: pytest.Item) -> None:
    """Have *item* executed as if it never had been."""
    execution, again = execution_of(item), execution_of(item).began > 0
    if again and (case := item.stash.get(CASE, None)) is not None:
        case.executed_again = True
        with suppress(HarnessError):  # it says what the run came to as it is
            case.write_record(item.nodeid)
    forget(item)
    sections = item._report_sections  # noqa: SLF001 - nothing public has them
    if not again:
        execution.properties, execution.sections = item.user_properties[:], sections[:]
    item.user_properties[:], sections[:] = execution.properties, execution.sections
    execution.began, execution.made = time.monotonic(), []
    if again and execution.limit is not None and not execution.limit.func_only:
        hook = item.config.hook
        hook.pytest_timeout_cancel_timer(item=item)
        hook.pytest_timeout_set_timer(item=item, settings=execution.limit)


def forget(item: pytest.Item) -> None:
    """Let go of the run of *item*: its harnesses, logs and results."""
    keys: tuple[pytest.StashKey[Any], ...] = (CASE, STATE, MAIN, CALL_PASSED)
    for key in keys:
        if key in item.stash:
            del item.stash[key]


class Logged:
    """A plugin that follows which reports of run tests were made public.

    In the junit file an execution that is followed by another one would be a testcase
    without a verdict, which readers count as passed: it says that it was skipped.

    Attributes:
        last: the id and the phase of the latest report.
    """

    def __init__(self, config: pytest.Config):
        self._xml: LogXML | None = config.stash.get(xml_key, None)
        self._verdicts: dict[tuple[str, object], str] = {}
        self._again: dict[tuple[str, object], pytest.TestReport] = {}
        self.last: tuple[str, str | None] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note *report*, before the junit file closes the testcase."""
        self.last = (report.nodeid, report.when)
        # xdist reports in no phase that a worker is gone.
        crashed = report.when not in {"setup", "call", "teardown"}
        if self._xml is None or not (crashed or hasattr(report, "mighetero")):
            return
        key = (report.nodeid, getattr(report, "node", None))
        if report.when == "setup" and key in self._again:
            self._close(self._xml, key)
        if report.outcome not in {"passed", "failed", "skipped"}:  # rerunfailures'
            self._skip(self._xml, key, report)
        elif report.when == "call" or report.outcome != "passed":
            self._verdicts.setdefault(key, report.outcome)
        if report.when == "teardown":
            if key not in self._verdicts:  # flaky logs no call that it repeats
                self._skip(self._xml, key, report)
            del self._verdicts[key]
            self._again.pop(key, None)

    def _close(self, xml: LogXML, key: tuple[str, object]) -> None:
        """Close the testcase of an execution whose teardown nobody has logged.

        pytest-rerunfailures before 16 logs none: the next execution would be written
        into the same testcase, and would look skipped.
        """
        ended = copy(self._again.pop(key))
        ended.when, ended.outcome, ended.duration = "teardown", "passed", 0.0
        xml.pytest_runtest_logreport(ended)
        del self._verdicts[key]

    def _skip(
        self, xml: LogXML, key: tuple[str, object], report: pytest.TestReport
    ) -> None:
        if self._verdicts.get(key) == "again":
            return
        if self._verdicts.get(key) == "passed":
            xml.stats["passed"] -= 1
        self._verdicts[key], self._again[key] = "again", report
        skipped = ET.Element("skipped", type="pytest.skip", message=AGAIN)
        skipped.text = bin_xml_escape(report.longreprtext)
        xml._opentestcase(report).append(skipped)  # noqa: SLF001 - it gets its name
