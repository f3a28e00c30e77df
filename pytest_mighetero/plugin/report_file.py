"""The HTML page at the end of a session, however that ends."""

from __future__ import annotations

import platform
import shlex
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.presence import session_of
from pytest_mighetero.records.record import Phase, Record
from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.records.run_names import RECORD, names_since
from pytest_mighetero.show.html.document import NEEDS, Ending, is_possible
from pytest_mighetero.show.html.entry import entry_of, test_alone
from pytest_mighetero.show.html.page_file import check_page, write_page
from pytest_mighetero.terms.printable import printable_line
from pytest_mighetero.units import shortened

_MOST = 20_000  # letters of a failure that no record has
_PHASES = {"setup", "call", "teardown"}


def register_report(config: pytest.Config, path: Path, said_by: str) -> None:
    """Have the page written to *path*, in the process that hears of every test.

    Messages name it as *said_by* does.

    Raises:
        pytest.UsageError: it cannot be written there, or not at all.
    """
    if not is_possible():
        raise pytest.UsageError(f"{said_by}: {NEEDS}")
    try:
        check_page(path, said_by=said_by)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    page = ReportFile(config, path, said_by)
    config.pluginmanager.register(page, "mighetero-report-file")


class ReportFile:
    """A plugin that keeps what no record says, and writes the page of both."""

    def __init__(self, config: pytest.Config, path: Path, said_by: str):
        self._config, self._path, self._said_by = config, path, said_by
        self._began = time.time()
        self._heard: dict[str, dict[str, Phase]] = {}  # of what did not pass
        self._problem = ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that tests could not be collected."""
        if report.failed:
            self._note(report.nodeid, "setup", report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what did not pass: there may be no record of it."""
        ours = hasattr(report, "mighetero")
        if report.outcome == "failed" or (ours and report.outcome == "skipped"):
            when = report.when if report.when in _PHASES else "call"  # a worker is gone
            self._note(report.nodeid, str(when), report)

    def _note(
        self, test: str, when: str, report: pytest.TestReport | pytest.CollectReport
    ) -> None:
        text = report.longreprtext
        if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            text = str(report.longrepr[2])
        masked = session_of(self._config).spec.secrets.mask(text)
        phase = Phase(report.outcome, shortened(masked, _MOST))
        self._heard.setdefault(test, {})[when] = phase

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Write the page once xdist's workers have ended, and so have all runs.

        It is before the terminal's last lines.
        """
        try:
            return (yield)
        finally:
            self._write(session)

    def _write(self, session: pytest.Session) -> None:
        code = int(session.exitstatus)
        ours = session_of(self._config)
        secrets = ours.spec.secrets
        matrix = ours.tally.matrix if ours.tally else None
        about = {
            "host": platform.node(),
            "pytest": pytest.__version__,
            "Python": platform.python_version(),
            "run as": shlex.join(map(secrets.mask, sys.argv)),
            "pytest ended with": f"exit code {code}, {_meaning(code)}",
        }
        try:
            write_page(
                self._known(),
                self._path,
                about,
                said_by=self._said_by,
                ending=Ending(code, matrix, ours.spec.tolerance),
            )
        except ConfigError as error:
            self._problem = f"ERROR: {printable_line(str(error))}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            if self._config.pluginmanager.getplugin("terminalreporter") is None:
                print(self._problem, file=sys.stderr)

    def _known(self) -> Iterator[Record | RecordError]:
        """Yield the session's records, then what none of them says."""
        ours = session_of(self._config)
        told: dict[str, bool] = {}  # whether a record says that it is red, by test
        for name in names_since(ours.spec.results_dir, self._began):
            try:
                record = read_record(ours.spec.results_dir / name / RECORD)
            except FileNotFoundError:
                continue
            except RecordError as damaged:
                yield damaged
                continue
            if record.session == ours.id:
                red = told.get(record.test, False) or entry_of(0, record).red
                told[record.test] = red
                yield record
        for test, phases in self._heard.items():
            failed = any(phase.outcome == "failed" for phase in phases.values())
            if test not in told or (failed and not told[test]):
                whole = {**phases, "teardown": phases.get("teardown", Phase("passed"))}
                yield test_alone(test, whole, Path())

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say where the page is, or why there is none."""
        terminalreporter.ensure_newline()
        if self._problem:
            terminalreporter.write_line(self._problem, red=True)
        else:
            terminalreporter.write_line(f"mighetero: report in {self._path}")


def _meaning(code: int) -> str:
    try:
        return pytest.ExitCode(code).name.lower().replace("_", " ")
    except ValueError:
        return "of a plugin"
