"""pytest's junit file: of tests executed again, and on a disk that somebody fills."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Generator, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import LogXML, bin_xml_escape

from pytest_mighetero.records.record import AGAIN
from pytest_mighetero.records.reserve import Reserve

_Key = tuple[str, object]  # a test, and its worker


class JunitFile:
    """A plugin that keeps pytest's junit file true, and room for it on the disk.

    In it an execution that is followed by another one would be a testcase without a
    verdict, which readers count as passed: it says that it was skipped.
    """

    def __init__(self, config: pytest.Config, xml: LogXML):
        self._xml, self._path = xml, Path(xml.logfile)
        self._verdicts: dict[_Key, str] = {}
        self._closed: dict[str, Any] = {}  # the testcase of a run that is over
        self._again: dict[_Key, pytest.TestReport] = {}
        with suppress(OSError):  # as pytest does, when it writes the file
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._reserve = Reserve(self._path.resolve())
        if self._path.is_file() or not self._path.exists():  # no /dev/null, no pipe
            self._reserve.fill()
        config.add_cleanup(self._reserve.free)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note *report*, before the junit file closes the testcase."""
        # xdist reports in no phase that a worker is gone.
        crashed = report.when not in {"setup", "call", "teardown"}
        if not crashed and not hasattr(report, "mighetero"):
            return
        key = (report.nodeid, getattr(report, "node", None))
        if report.when == "setup" and key in self._again:
            self._close(key)
        if report.outcome not in {"passed", "failed", "skipped"}:  # rerunfailures'
            self._skip(key, report)
        elif report.when == "call" or report.outcome != "passed":
            self._verdicts.setdefault(key, report.outcome)
        if report.when == "teardown":
            self._closed[report.nodeid] = self._xml.node_reporter(report)
            if key not in self._verdicts:  # flaky logs no call that it repeats
                self._skip(key, report)
            del self._verdicts[key]
            self._again.pop(key, None)

    def _close(self, key: _Key) -> None:
        """Close the testcase of an execution whose teardown nobody has logged.

        pytest-rerunfailures before 16 logs none: the next execution would be written
        into the same testcase, and would look skipped.
        """
        ended = copy(self._again.pop(key))
        ended.when, ended.outcome, ended.duration = "teardown", "passed", 0.0
        self._xml.pytest_runtest_logreport(ended)
        del self._verdicts[key]

    def write_again(
        self, reports: Sequence[pytest.TestReport], *, fails: bool = False
    ) -> None:
        """Write a test that is closed already as its *reports* are now.

        It takes the place of the earlier one; without a teardown it stays open. Where
        it *fails* it is not skipped as well: readers such as Jenkins' take a testcase
        that is both for one that was skipped.
        """
        xml = self._xml
        xml.node_reporters_ordered.remove(self._closed.pop(reports[0].nodeid))
        for each in reports:
            if each.passed and each.when == "call":
                xml.stats["passed"] -= 1
            elif each.skipped:
                xml.stats["skipped"] -= 1
        for each in reports:
            if fails and each.skipped:
                xml.add_stats("passed")  # as of any other whose teardown alone fails
            else:
                xml.pytest_runtest_logreport(each)

    def _skip(self, key: _Key, report: pytest.TestReport) -> None:
        if self._verdicts.get(key) == "again":
            return
        if self._verdicts.get(key) == "passed":
            self._xml.stats["passed"] -= 1
        self._verdicts[key], self._again[key] = "again", report
        skipped = ET.Element("skipped", type="pytest.skip", message=AGAIN)
        skipped.text = bin_xml_escape(report.longreprtext)
        testcase = self._xml._opentestcase(report)  # noqa: SLF001 - it gets its name
        testcase.append(skipped)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Have the file written; say in one sentence that it could not be."""
        self._reserve.free()
        try:
            return (yield)
        except OSError as error:
            try:
                self._xml.pytest_sessionfinish()
            except OSError as again:
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
                self._say(session.config, again)
                return None
            raise error from None

    def _say(self, config: pytest.Config, error: OSError) -> None:
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(
                f"ERROR: the junit file, {self._path}, cannot be written: "
                f"{error.strerror}; the records below --results-dir have the runs "
                f"(mighetero junit writes such a file of them).",
                red=True,
            )
