"""What the end of a pytest run says of its runs: tables, targets, references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.plugin.fixtures import DRY_RUN
from pytest_mighetero.plugin.session import Session
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.show.report import interference_table, table
from pytest_mighetero.terms.printable import printable

if TYPE_CHECKING:
    from pytest_mighetero.plugin.tally import Tally

Stats = Mapping[str, Sequence[object]]
Reports = Sequence[pytest.TestReport]


def finish(session: pytest.Session, ours: Session) -> None:
    """Show an error of several runs once; save references, where they are asked for."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    stats = {} if reporter is None else reporter.stats
    _shorten(stats)
    if not ours.spec.save_reference:
        return
    from pytest_mighetero.records.comparison.reference_files import save_good

    reports = run_reports(stats)
    bad = {each.nodeid for each in reports if each.outcome != "passed"}
    good = [facts for nodeid, facts in _facts(reports).items() if nodeid not in bad]
    try:
        ours.saved = save_good(good, ours.spec)
    except MigheteroError as error:
        ours.saved = [f"no reference was saved: {error}"]
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def _shorten(stats: Stats) -> None:
    """A machine without NVML fails every run alike; junit has each's text by then."""
    first: dict[str, str] = {}
    for report in _of_runs(stats.get("error", ())):
        before = first.setdefault(str(report.longrepr), report.nodeid)
        if before != report.nodeid:
            report.longrepr = f"As for {before}."


def summarize(
    reporter: pytest.TerminalReporter, saved: Sequence[str], tally: Tally | None
) -> None:
    """Write the sections about every run, the matrix, and what became of references."""
    further = list(_of_matrix(reporter, tally)) if tally is not None else []
    further += [("references", saved)] if saved else []
    for title, lines in [*sections(run_reports(reporter.stats)), *further]:
        reporter.section(title)
        for line in lines:
            reporter.write_line(printable(line))


def _of_matrix(
    reporter: pytest.TerminalReporter, tally: Tally
) -> Iterator[tuple[str, Sequence[str]]]:
    if tally.matrix is not None:
        from pytest_mighetero.show.slowdowns import lines

        width = reporter._tw.fullwidth  # noqa: SLF001 - nothing public has it
        yield "interference", list(lines(tally.matrix, width))
    if tally.notes:
        yield "interference: what could not be written", tally.notes


def run_reports(stats: Stats) -> list[pytest.TestReport]:
    """Return every report of a run among the terminal reporter's *stats*.

    A test has one for each phase; that which knows most comes last. Of a test that was
    executed several times only those of the last execution are returned.
    """
    reports = [each for group in stats.values() for each in _of_runs(group)]
    began: dict[str, float] = {}
    for each in reports:
        began[each.nodeid] = max(began.get(each.nodeid, 0.0), each.mighetero_began)
    last = [each for each in reports if each.mighetero_began == began[each.nodeid]]
    return sorted(last, key=lambda each: len(each.mighetero))


def _of_runs(group: Sequence[object]) -> Iterator[pytest.TestReport]:
    for each in group:
        if isinstance(each, pytest.TestReport) and hasattr(each, "mighetero"):
            yield each


def sections(reports: Reports) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each section's title and lines."""
    scripts = {
        each.nodeid: text
        for each in reports
        for title, text in each.sections
        if DRY_RUN in title
    }
    if scripts:
        lines = [f"# {nodeid}\n{text}\n" for nodeid, text in scripts.items()]
        yield "dry run: nothing was started", lines
        return
    if not (runs := list(_facts(reports).values())):
        return
    kinds = dict.fromkeys(facts.get("run", "heterogeneous") for facts in runs)
    yield f"{' and '.join(kinds)} runs", table(runs)
    cells = any("aggressor" in facts for facts in runs)
    if (lines := interference_table(runs)) and not cells:
        yield "what the neighbours cost: isolated against heterogeneous", lines
    if any("tuned_target_qps" in facts for facts in runs):
        from pytest_mighetero.run.tune import snippet

        yield "highest VALID target QPS, to paste into the suite file", [snippet(runs)]


def _facts(reports: Reports) -> dict[str, Facts]:
    return {
        each.nodeid: each.mighetero
        for each in reports
        if each.mighetero and not getattr(each, "mighetero_stand_in", "")
    }
