"""What the cells of the interference matrix came to, judged when all of them ran."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.plugin.junit_file import JunitFile
from pytest_mighetero.plugin.picture import redraw
from pytest_mighetero.records.comparison.matrix import (
    Cell,
    Matrix,
    Place,
    cell_among,
    cell_facts,
    cell_without,
    limit_of,
    measured,
    place_of,
    with_cells,
)
from pytest_mighetero.records.comparison.repeats import kind_of
from pytest_mighetero.records.comparison.sides import why_not
from pytest_mighetero.records.facts import Facts, texts
from pytest_mighetero.records.record import Outcome, Record
from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.records.stand_in import earlier_alone
from pytest_mighetero.records.writer import write_record
from pytest_mighetero.show.slowdowns import write_files
from pytest_mighetero.spec.given import publishes_facts
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import without_number

Reports = list[pytest.TestReport]


class Tally:
    """A plugin of the session, or of xdist's controller: it hears of every cell.

    A cell is judged where it runs, if the runs alone are known there. The rest is
    judged at the end: repeats, whose medians count, cells whose victim was measured
    alone by another worker, or by an earlier session.

    Attributes:
        matrix: once the session is over; None where no cell was to be run.
        notes: what went wrong with its files, in sentences.
    """

    def __init__(self, config: pytest.Config, spec: RunSpec, session: str):
        self._config, self._spec, self._session = config, spec, session
        self._started: set[str] = set()  # ids of tests, of workers that died, too
        self._chosen: set[str] = set()  # ids of the tests that workers collected
        self._limit = limit_of(spec.max_slowdown)
        self._reports: dict[str, Reports] = {}
        self.matrix: Matrix | None = None
        self.notes: list[str] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note what was begun, whatever becomes of it."""
        self._started.add(nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note what workers are to run: their controller collects nothing."""
        self._chosen.update(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the reports of each run's last execution."""
        if not hasattr(report, "mighetero"):
            return
        if report.when == "setup":
            self._reports[report.nodeid] = []
        self._reports.setdefault(report.nodeid, []).append(report)

    def conclude(self) -> None:
        """Make the matrix of what was run, and fail the cells that nobody has judged.

        pytest and its junit file count them as any test that fails.
        """
        cells: dict[tuple[str, str], list[Reports]] = {}
        alone = []
        for reports in self._reports.values():
            facts = _facts_of(reports)
            if "aggressor" in facts:
                cells.setdefault(place_of(facts), []).append(reports)
            elif (record := _record_of(reports)) and record.text("run") == "isolated":
                alone.append(record)
        found = []
        for place in sorted(cells, key=self._rank):
            judged = []
            for group in _alike(cells[place]):
                judged.append(self._cell(place, group, alone))
                for reports in group:
                    self._tell(reports, judged[-1])
            found.append(max(judged, key=lambda x: (x.failed, x.slowdown or 0.0)))
        runs = [_known_of(each) for group in cells.values() for each in group]
        chosen = self._chosen_cells()
        not_run = tuple(
            f"{victim} beside {aggressor}"
            for victim, aggressor in sorted(chosen - cells.keys(), key=self._rank)
        )
        if found or not_run:
            matrix = with_cells(found, runs, self._limit)
            count = len(chosen | cells.keys())
            self.matrix = replace(matrix, asked=count, not_run=not_run)

    def _chosen_cells(self) -> set[Place]:
        """Return the cells of the tests that were to be run, by their ids."""
        session = self._config.pluginmanager.getplugin("session")
        ids = self._chosen.union(each.nodeid for each in session.items)
        victims, aggressors = (
            "|".join(re.escape(str(each)) for each in pairs)
            for pairs in (self._spec.suite.pairs(), self._spec.aggressors)
        )
        cell = re.compile(rf"\[(?:.*?-)??({victims})-beside-({aggressors})(?:-.*)?\]$")
        found = map(cell.search, ids)
        return {(each[1], each[2]) for each in found if each is not None}

    def _rank(self, place: tuple[str, str]) -> tuple[int, int]:
        names = (self._spec.aggressors, place[1]), (self._spec.pairs, place[0])
        one, two = (
            next((n for n, each in enumerate(known) if str(each) == name), len(known))
            for known, name in names
        )
        return one, two

    def _cell(
        self, place: tuple[str, str], group: Sequence[Reports], alone: list[Record]
    ) -> Cell:
        records = [record for each in group if (record := _record_of(each))]
        if not records:
            return cell_without(place, _why(group[-1]), alone)
        if not self._was_begun_alone(place[0]):
            last = next(filter(measured, reversed(records)), records[-1])
            alone = earlier_alone(self._spec.results_dir, last)
        return cell_among(records, alone, self._limit, self._session)

    def _was_begun_alone(self, victim: str) -> bool:
        """Tell whether a victim's run alone was to count here, and may have failed."""
        name = re.compile(rf"\[(.*-)?{re.escape(victim)}(-.*)?\]$")
        begun = (each for each in self._started if "-beside-" not in each)
        return any(map(name.search, begun))

    def _tell(self, reports: Reports, cell: Cell) -> None:
        """Have a run's reports, junit testcase and record say what its cell says."""
        last, record = reports[-1], _record_of(reports)
        has_figure = record is not None and measured(record)
        problem = self._verdict(reports, cell, record)
        # xfail excuses a verdict, and no run that there is none on.
        excuse = last.mighetero_excuse if has_figure and cell.failed else None
        outcome: Outcome = "failed" if excuse is None else "skipped"
        facts = texts(cell_facts(cell)) if has_figure else {}
        if problem and has_figure:
            facts["slowdown_ok"] = "false"
        known = _facts_of(reports)
        if last.when != "teardown" or (not problem and facts.items() <= known.items()):
            return
        publishes = publishes_facts(self._config)
        for each in reports:
            each.mighetero = {**known, **facts}  # type: ignore[attr-defined]
            if publishes:
                kept = [x for x in each.user_properties if x[0] not in facts]
                each.user_properties = [*kept, *facts.items()]
        self._amend(reports, facts, problem, outcome)
        junit = self._config.pluginmanager.getplugin("mighetero-junit-file")
        if problem:
            failing = copy(last)
            failing.outcome, failing.longrepr = outcome, problem
            failing.duration = 0.0
            if excuse is not None:
                failing.wasxfail = excuse
            path = last.mighetero_record
            if path and self._config.getoption("htmlpath", None):
                from pytest_mighetero.plugin.html_row import renew_timeline

                renew_timeline(failing, Path(path).parent)
            if isinstance(junit, JunitFile):
                junit.write_again(reports[:-1], fails=excuse is None)
            self._config.hook.pytest_runtest_logreport(report=failing)
        elif isinstance(junit, JunitFile):
            junit.write_again(reports)

    def _verdict(self, reports: Reports, cell: Cell, record: Record | None) -> str:
        """Return why a run fails that has not failed yet; empty for no reason."""
        judged = any(
            each.failed or (each.skipped and hasattr(each, "wasxfail"))
            for each in reports
        )
        if self._limit is None or judged or not _was_measured(reports):
            return ""
        why = cell.problem if cell.slowdown is None else ""
        if record is None or not measured(record):
            why = why_not(record) if record else "its record cannot be read"
            why = f"this run has no figure to judge: {why}"
        if why:
            return (
                f"{cell.victim} beside {cell.aggressor}: nobody knows how much slower "
                f"than alone it is, for --mig-max-slowdown to judge: "
                f"{why.rstrip('.')}."
            )
        return cell.problem if cell.failed else ""

    def _amend(
        self, reports: Reports, facts: Facts, problem: str, outcome: Outcome
    ) -> None:
        """Write into this session's record what is known now."""
        record = _record_of(reports)
        if record is None or reports[-1].mighetero_stand_in:
            return  # it is of an earlier session
        data = {**record.data, "facts": {**record.facts, **facts}}
        if problem:
            phases = dict(record.data["phases"])
            phases["teardown"] = {
                **phases.get("teardown", {}),
                "outcome": outcome,
                "text": problem,
            }
            data |= {"phases": phases, "too_slow": problem}
        try:
            write_record(
                record.folder, data, secrets=self._spec.secrets, durable=True, last=True
            )
        except MigheteroError as error:
            self.notes.append(str(error))
        else:
            redraw(record.folder)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the matrix's files into the results folder."""
        if self.matrix is not None:
            try:
                write_files(self._spec.results_dir, self.matrix)
            except MigheteroError as error:
                self.notes.append(str(error))
        if self.notes:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def _alike(group: Sequence[Reports]) -> list[list[Reports]]:
    """Return a cell's runs, those of one test together that may be its repeats."""
    found: dict[tuple[str, ...], list[Reports]] = {}
    for each in group:
        record = _record_of(each)
        facts = record.facts if record else _facts_of(each)
        kind = *kind_of(facts), without_number(each[-1].nodeid)
        found.setdefault(kind, []).append(each)
    return list(found.values())


def _facts_of(reports: Reports) -> Facts:
    known: dict[str, str] = {}
    for each in reports:
        known |= each.mighetero
    return known


def _known_of(reports: Reports) -> Facts:
    """Return the facts of a run; of what is resumed those of its record."""
    record = _record_of(reports)
    return {**(record.facts if record else {}), **_facts_of(reports)}


def _record_of(reports: Reports) -> Record | None:
    """Return the record of a run, or of the one that stood in for it."""
    last = reports[-1]
    path: str = last.mighetero_stand_in or last.mighetero_record
    try:
        return read_record(Path(path)) if path else None
    except (OSError, RecordError):
        return None


def _was_measured(reports: Reports) -> bool:
    """Tell whether a run was measured, now or by what stood in for it."""
    last = reports[-1]
    return bool(last.mighetero_stand_in) or any(each.when == "call" for each in reports)


def _why(reports: Reports) -> str:
    """Return why there is no record of a cell."""
    if _was_measured(reports):
        return "its record cannot be read"
    for each in reports:
        if each.skipped and isinstance(each.longrepr, tuple):
            return f"it was skipped: {str(each.longrepr[2]).removeprefix('Skipped: ')}"
        if each.failed:
            crash = getattr(each.longrepr, "reprcrash", None)
            text = each.longreprtext if crash is None else str(crash.message)
            return next(iter(text.removeprefix("Failed: ").splitlines()), "it failed")
    return "it was not run"
