"""Records become pytest's reports again, and pytest writes its junit XML of them."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Literal

import pytest

from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.records.phase import AGAIN, Phase
from pytest_mighetero.records.record import Harness, Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.show import report
from pytest_mighetero.show.joined import JoinedSuites
from pytest_mighetero.terms.printable import printable_line

When = Literal["setup", "call", "teardown"]
_PHASES: tuple[When, ...] = ("setup", "call", "teardown")

_AT_ONCE = 250  # records, of which pytest and its XML take 70 kB each

# pytest alone: no ini file, no conftest, no other plugin, nothing printed.
_ARGUMENTS = (
    *("-c", os.devnull, "--rootdir=.", "--noconftest", "--capture=no"),
    *(
        word
        for name in ("terminal", "cacheprovider", "faulthandler", "warnings")
        for word in ("-p", f"no:{name}")
    ),
    *("-o", "junit_family=xunit1", "-o", "junit_logging=system-out"),
)
_ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}


def write_junit(records: Iterable[Record | RecordError], file: IO[bytes]) -> None:
    """Write the junit XML of *records*, those that are damaged as errors.

    pytest keeps every test of a junit file until the end: it gets some at a time.

    Raises:
        MigheteroError: pytest could not write it.
    """
    left = iter(records)
    with tempfile.TemporaryFile() as cases:
        suites = JoinedSuites(cases)
        suites.add(_junit_xml(islice(left, _AT_ONCE)))
        while some := list(islice(left, _AT_ONCE)):
            suites.add(_junit_xml(some))
        suites.write(file)


def _junit_xml(records: Iterable[Record | RecordError]) -> bytes:
    reports = [each for record in records for each in _reports(record)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.xml")
        said = io.StringIO()
        with (
            _alone(),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            pytest.main([*_ARGUMENTS, f"--junitxml={path}"], [_Replay(reports)])
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise MigheteroError(
                f"pytest {pytest.__version__} wrote no junit file; it said: "
                f"{said.getvalue() or 'nothing'}"
            ) from None


def _reports(record: Record | RecordError) -> Iterator[pytest.TestReport]:
    if isinstance(record, RecordError):
        return _reports_of_damaged(record)
    try:
        return iter([*reports_of(record)])
    except RecursionError:
        deep = RecordError(record.path, "is nested too deeply")
        return _reports_of_damaged(deep)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep from pytest what the environment says to it."""
    before = {name: os.environ.get(name) for name in (*_ALONE, "PYTEST_PLUGINS")}
    os.environ.update(_ALONE)
    os.environ.pop("PYTEST_PLUGINS", None)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _Replay:
    """A plugin that has pytest report instead of collecting and running."""

    def __init__(self, reports: Sequence[pytest.TestReport]):
        self._reports = reports

    def pytest_collection(self, session: pytest.Session) -> object:
        """Collect nothing, and say that this is all."""
        session.items = []
        return True

    def pytest_runtestloop(self, session: pytest.Session) -> object:
        """Report every phase, and say that this is all."""
        for each in self._reports:
            session.config.hook.pytest_runtest_logreport(report=each)
        return True


class _Text(str):
    """The text of a failure, with its message where pytest looks for that."""

    __slots__ = ("reprcrash",)
    reprcrash: object

    @classmethod
    def of(cls, text: str) -> _Text:
        """Return *text* as the failure that it is the text of."""
        said = cls(text)
        said.reprcrash = SimpleNamespace(message=message_in(text))
        return said


def message_in(text: str) -> str:
    """Return the message of a failure; its text does not have the exception's name.

    A failure of ours is its message alone. One with a traceback ends with the lines
    that are marked with an E.
    """
    blocks = re.findall(r"(?:^E  .*\n?)+", text, re.MULTILINE)
    if not blocks:
        return f"Failed: {text}"
    lines = blocks[-1].splitlines()
    indent = len(lines[0]) - len(lines[0][1:].lstrip())
    return "\n".join(line[indent:] for line in lines)


def reports_of(record: Record) -> Iterator[pytest.TestReport]:
    """Yield the reports of a run's phases, in their order."""
    phases = dict(record.phases)
    if not record.ended:
        phases["teardown" if phases else "setup"] = Phase("failed", _cut_off(record))
        phases.setdefault("teardown", Phase("passed"))
    if record.executed_again:
        phases = _not_counted(record)
    outcomes = {when: phase.outcome for when, phase in phases.items()}
    if outcomes == {"setup": "passed", "teardown": "failed"}:
        # pytest would count such a pair as no test at all.
        took = _seconds(phases.values())
        phases = {"teardown": replace(phases["teardown"], seconds=took)}
    for when in _PHASES:
        if when in phases:
            yield _report(record, when, phases[when])


def _not_counted(record: Record) -> dict[str, Phase]:
    """Return the phases of an execution that another one followed: it was skipped."""
    said = (phase.text for phase in record.phases.values())
    test = record.test.partition("::")[0]
    reason = "\n".join([AGAIN, *filter(None, said)])
    text, took = repr((test, 0, reason)), _seconds(record.phases.values())
    return {"setup": Phase("skipped", text, took), "teardown": Phase("passed")}


def _report(record: Record, when: When, phase: Phase) -> pytest.TestReport:
    last = when == "teardown" or phase.outcome == "skipped"
    block = report.block(record.facts) if record.facts else ""
    test = printable_line(record.test)
    return pytest.TestReport(
        nodeid=test,
        location=(test.partition("::")[0], None, ""),
        keywords={},
        outcome=phase.outcome,
        longrepr=_longrepr(record.test, phase),
        when=when,
        sections=[("Captured stdout teardown", block)] if last and block else [],
        duration=phase.seconds or 0.0,
        user_properties=list(record.facts.items()),
    )


def _seconds(phases: Iterable[Phase]) -> float:
    return sum(phase.seconds or 0.0 for phase in phases)


def _longrepr(test: str, phase: Phase) -> Any:
    if phase.outcome == "passed":
        return None
    if phase.outcome == "failed":
        return _Text.of(phase.text)
    try:
        path, line, reason = ast.literal_eval(phase.text)
        return str(path), int(line), str(reason)
    except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError):
        return test.partition("::")[0], 0, phase.text


def _cut_off(record: Record) -> str:
    """Say what is known of a run whose teardown was never reported."""
    known = [f"{when} {phase.outcome}" for when, phase in record.phases.items()]
    known += map(_state, record.harnesses)
    return (
        f"the run did not end: pytest was ended, or it still runs. Known by then: "
        f"{'; '.join(known) or 'nothing'}. All of it: {record.path}"
    )


def _state(harness: Harness) -> str:
    code = harness.exit_code
    ended = "was running" if code is None else f"exited with code {code}"
    return f"{harness.role} {ended if harness.launched else 'was not launched'}"


def _reports_of_damaged(damaged: RecordError) -> Iterator[pytest.TestReport]:
    folder, text = damaged.path.parent, str(damaged)
    both: tuple[tuple[When, Phase], ...]
    both = ("setup", Phase("failed", text)), ("teardown", Phase("passed"))
    for when, phase in both:
        yield pytest.TestReport(
            nodeid=printable_line(f"{folder.parent.name}::{folder.name}"),
            location=(printable_line(str(damaged.path)), None, ""),
            keywords={},
            outcome=phase.outcome,
            longrepr=_longrepr("", phase),
            when=when,
        )
