"""What people see of runs: one as a block of facts, several as tables."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from pytest_mighetero.records.facts import COLUMNS, Facts
from pytest_mighetero.show.columns import columns
from pytest_mighetero.terms.pair import audit_of
from pytest_mighetero.terms.printable import printable_line
from pytest_mighetero.terms.scenario import is_bounded

_WEAKER = {"marker": " by markers", "process": " by process times"}
_LIMITS = {"latency_limit_ms", "ttft_limit_ms", "tpot_limit_ms"}


def block(facts: Facts) -> str:
    """Return the facts as one short block of text."""
    width = max(map(len, facts))
    lines = (f"  {name:<{width}}  {value}" for name, value in facts.items())
    return "\n".join(["mighetero:", *map(printable_line, lines), ""])


class Table(NamedTuple):
    """Cells under headings; the columns *right* are of numbers."""

    headings: list[str]
    rows: list[list[str]]
    right: list[str]


def table(runs: Sequence[Facts]) -> list[str]:
    """Return one line for each run, under a line of headings."""
    return columns(*cells(runs))


def cells(runs: Sequence[Facts]) -> Table:
    """Return one row for each run: what is known of any of them."""
    known = {name for run in runs for name in run}
    if not any(run.get("run") == "isolated" for run in runs):
        known.discard("run")
    shown = {name: column for name, column in COLUMNS.items() if name in known}
    rows = [[cell(run, name) for name in shown] for run in runs]
    headings = [column.heading for column in shown.values()]
    right = [column.heading for column in shown.values() if column.number]
    return Table(headings, rows, right)


def interference_table(runs: Sequence[Facts]) -> list[str]:
    """Return a line for each pair of which both kinds of run exist; else nothing.

    Of several runs of a pair the last one has them all in its medians.
    """
    last = {
        (run.get("benchmark", "?"), run.get("scenario", "?")): run
        for run in runs
        if "interference" in run
    }
    rows = [
        [
            f"{benchmark}_{scenario}",
            *(run.get(name, "-") for name in ("isolated_value", "heterogeneous_value")),
            run["interference"].partition(" (")[0],
            run["interference"].rpartition("): ")[2],
        ]
        for (benchmark, scenario), run in last.items()
    ]
    headings = ("pair", "isolated", "heterogeneous", "change", "which is")
    return columns(headings, rows, right=headings[1:3])


def cell(run: Facts, name: str) -> str:
    """Return a property as its column has it; a dash where it is not known."""
    value, decimals = run.get(name, "-"), COLUMNS[name].decimals
    bounded = is_bounded(run.get("scenario")) or "validity_by" in run
    if name in _LIMITS and not bounded:
        return "-"
    if name == "validity" and "damage" in run:
        return f"{value}, damaged"
    if decimals is not None and value != "-":
        source = run.get("overlap_source") if name == "end_margin_s" else None
        weaker = _WEAKER.get(source or "", "")
        with suppress(ValueError):  # a record may hold any text
            return f"{float(value):.{decimals}f}{weaker}"
    if name == "scenario" and (audit := audit_of(run.get("action", ""))):
        return f"{value}-{audit}"
    return value
