"""Records become pytest's reports again, and pytest writes its junit XML of them."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Literal

import pytest

from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.record import AGAIN, Harness, Phase, Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.show.report import block
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
    *("-o", "junit_logging=system-out"),
)
FAMILIES = ("xunit1", "xunit2")
_ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}

_SUITE = re.compile(rb"(.*?)<testsuite ([^>]*?)(?:/>|>(.*)</testsuite>)(.*)", re.DOTALL)
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_SUMS = ("errors", "failures", "skipped", "tests", "time")


def write_junit(
    records: Iterable[Record | RecordError],
    file: IO[bytes],
    *,
    family: str = FAMILIES[0],
    properties: bool = True,
) -> None:
    """Write the junit XML of *records*, those that are damaged as errors.

    pytest keeps every test of a junit file until the end: it gets some at a time.

    Raises:
        MigheteroError: pytest could not write it.
    """
    left = iter(records)
    with tempfile.TemporaryFile() as cases:
        suites = _JoinedSuites(cases)
        some = list(islice(left, _AT_ONCE))
        while True:
            reports = [each for record in some for each in _reports(record)]
            if not properties:
                for each in reports:
                    each.user_properties.clear()
            suites.add(_junit_xml(reports, family))
            if not (some := list(islice(left, _AT_ONCE))):
                break
        suites.write(file)


class _JoinedSuites:
    """Takes pytest's junit files one after another, their test cases into a file.

    pytest writes one ``<testsuite>`` under one ``<testsuites>``, its counts first.
    """

    def __init__(self, cases: IO[bytes]):
        self._head, self._tail = b"", b""
        self._attributes: dict[str, str] = {}
        self._sums = dict.fromkeys(_SUMS, 0.0)
        self._cases = cases

    def add(self, xml: bytes) -> None:
        """Take one junit file."""
        found = _SUITE.fullmatch(xml)
        assert found is not None, "pytest writes a testsuite"
        head, said, cases, tail = found.groups(b"")
        attributes = dict(_ATTRIBUTE.findall(said.decode()))
        for name in _SUMS:
            self._sums[name] += float(attributes.get(name, 0))
        self._cases.write(cases)
        if not self._head:
            self._head, self._attributes, self._tail = head, attributes, tail

    def write(self, file: IO[bytes]) -> None:
        """Write what has been taken as one junit file."""
        sums = {name: f"{self._sums[name]:.0f}" for name in _SUMS}
        sums["time"] = f"{self._sums['time']:.3f}"
        attributes = {**self._attributes, **sums}
        said = " ".join(f'{name}="{each}"' for name, each in attributes.items())
        file.write(self._head + f"<testsuite {said}>".encode())
        self._cases.seek(0)
        shutil.copyfileobj(self._cases, file)
        file.write(b"</testsuite>" + self._tail)


def _junit_xml(reports: Sequence[pytest.TestReport], family: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.xml")
        said = io.StringIO()
        with (
            pytest.MonkeyPatch.context() as environment,
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            for name, value in _ALONE.items():
                environment.setenv(name, value)
            environment.delenv("PYTEST_PLUGINS", raising=False)
            words = ["-o", f"junit_family={family}", f"--junitxml={path}"]
            pytest.main([*_ARGUMENTS, *words], [_Replay(reports)])
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise MigheteroError(
                f"pytest {pytest.__version__} wrote no junit file; it said: "
                f"{said.getvalue() or 'nothing'}"
            ) from None


def _reports(record: Record | RecordError) -> list[pytest.TestReport]:
    if not isinstance(record, RecordError):
        try:
            return list(_reports_of(record))
        except RecursionError:
            record = RecordError(record.path, "is nested too deeply")
    folder, file = record.path.parent, str(record.path)
    test, problem = f"{folder.parent.name}::{folder.name}", str(record)
    return [
        _report(test, file, "setup", Phase("failed", problem), {}),
        _report(test, file, "teardown", Phase("passed"), {}),
    ]


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

    __slots__ = ()

    @property
    def reprcrash(self) -> object:
        """What has the message."""
        return SimpleNamespace(message=message_in(self))


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


def _reports_of(record: Record) -> Iterator[pytest.TestReport]:
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
            file = record.test.partition("::")[0]
            yield _report(record.test, file, when, phases[when], record.facts)


def _not_counted(record: Record) -> dict[str, Phase]:
    """Return the phases of an execution that another one followed: it was skipped."""
    said = (phase.text for phase in record.phases.values())
    test = record.test.partition("::")[0]
    reason = "\n".join([AGAIN, *filter(None, said)])
    text, took = repr((test, 0, reason)), _seconds(record.phases.values())
    return {"setup": Phase("skipped", text, took), "teardown": Phase("passed")}


def _report(
    test: str, file: str, when: When, phase: Phase, facts: Facts
) -> pytest.TestReport:
    last = when == "teardown" or phase.outcome == "skipped"
    shown = [("Captured stdout teardown", block(facts))] if last and facts else []
    return pytest.TestReport(
        nodeid=printable_line(test),
        location=(printable_line(file), None, ""),
        keywords={},
        outcome=phase.outcome,
        longrepr=_longrepr(test, phase),
        when=when,
        sections=shown,
        duration=phase.seconds or 0.0,
        user_properties=list(facts.items()),
    )


def _seconds(phases: Iterable[Phase]) -> float:
    return sum(phase.seconds or 0.0 for phase in phases)


def _longrepr(test: str, phase: Phase) -> Any:
    if phase.outcome == "passed":
        return None
    if phase.outcome == "failed":
        return _Text(phase.text)
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
