"""The interference matrix: what each aggressor costs each victim."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mighetero.records.comparison.excuse import is_excused
from pytest_mighetero.records.comparison.figure import of_facts
from pytest_mighetero.records.comparison.judgement import alone_beside, sample_of
from pytest_mighetero.records.comparison.price import price
from pytest_mighetero.records.comparison.repeats import kind_of, latest
from pytest_mighetero.records.comparison.samples import Comparison, Sample, amount
from pytest_mighetero.records.comparison.sides import why_not
from pytest_mighetero.records.facts import Facts, Value, flag
from pytest_mighetero.records.record import Record, sameness
from pytest_mighetero.records.run_names import day_of

# What is the same for all cells of one matrix.
ABOUT = ("suite", "gpu", "geometry", "driver", "device_profile")
# Of the facts of a cell, what it is to be known by.
Place = tuple[str, str]


@dataclass(frozen=True)
class Cell:
    """One victim beside one aggressor.

    Attributes:
        victim, aggressor: pairs, such as ``dlrm_server``.
        count: of the devices that the aggressor loaded; None where nothing was run.
        alone, beside: the victim's figure by itself, and here; medians of repeats.
        unit: of both.
        figure: what they are, such as ``p99 at target 100``.
        slowdown: how many times worse than alone, whichever way the figure counts: 1.0
            is as good, 1.1 is 10 % slower; None where either figure is missing.
        noise: whether the difference is within what repeats differ by; None where that
            is not known.
        failed: whether it is slower than the session lets it be.
        problem: why there is no figure, or why it fails, in a sentence; or "".
        base: where and when the victim ran alone, if in another pytest run; or "".
        excused: whether it is slower than that and passes by noise alone.
    """

    victim: str
    aggressor: str
    count: int | None = None
    alone: float | None = None
    beside: float | None = None
    unit: str = ""
    slowdown: float | None = None
    noise: bool | None = None
    failed: bool = False
    problem: str = ""
    figure: str = ""
    base: str = ""
    excused: bool = False


@dataclass(frozen=True)
class Matrix:
    """Every cell of a session, or of a results folder.

    Attributes:
        about: what was the same for all: GPU, geometry, profile, driver, suite.
        victims, aggressors: the order of rows and columns.
        limit: the slow-down that cells fail beyond, 1.1 for 10 %; None for none.
        left_out: what is in the folder and does not count, and why, in sentences.
        asked: how many cells the session was to run; None for a folder's.
        not_run: those of them that it did not, ``dlrm_server beside bert_offline``.
    """

    about: Mapping[str, str]
    victims: tuple[str, ...]
    aggressors: tuple[str, ...]
    cells: tuple[Cell, ...]
    limit: float | None = None
    left_out: tuple[str, ...] = ()
    asked: int | None = None
    not_run: tuple[str, ...] = ()

    @property
    def unfinished(self) -> str:
        """What was not run to an end, in a sentence; or ""."""
        if not self.not_run:
            return ""
        were = "cell was" if self.asked == 1 else "cells were"
        count, names = len(self.not_run), ", ".join(self.not_run)
        return f"{count} of {self.asked} {were} not run to an end: {names}"

    def cell(self, victim: str, aggressor: str) -> Cell:
        """Return the cell of a row and a column; one without figures if none is."""
        for each in self.cells:
            if (each.victim, each.aggressor) == (victim, aggressor):
                return each
        return Cell(victim, aggressor, problem="it was not run")


def limit_of(excess: float | None) -> float | None:
    """Return the slow-down that is *excess*, 0.1 for 10 %, above none: 1.1."""
    return None if excess is None else 1 + excess


def cell_of(
    alone: Sequence[Facts], beside: Sequence[Facts], limit: float | None = None
) -> Cell:
    """Return what good runs alone and those of one cell, one at least, come to.

    Beyond *limit* it fails, unless ``is_excused``: of single runs, whose noise nobody
    knows, the figures count as they are. Of two runs alone it is judged by the better
    one, since whichever is an outlier moves what is in their middle; it shows medians.
    """
    facts = beside[-1]
    names = [name for name in facts.get("backgrounds", "").split(",") if name]
    cell = Cell(*place_of(facts), count=len(names) or None)
    if not alone:
        return replace(cell, problem=f"{cell.victim} has no good run alone")
    cell, compared = _with_alone(cell, alone), price(alone, beside)
    if not isinstance(compared, Comparison):
        return replace(cell, problem=f"not comparable with alone: {compared}")
    if not math.isfinite(compared.slowdown):
        return replace(cell, problem="its figure is beyond all numbers")
    significant = compared.significant
    known = replace(
        cell,
        alone=compared.base.median,
        unit=compared.figure.unit,
        figure=compared.figure.name,
        beside=compared.other.median,
        slowdown=compared.slowdown,
        noise=None if significant is None or compared.unresolved else not significant,
    )
    return known if limit is None else _judged(known, compared, limit)


def _judged(cell: Cell, compared: Comparison, limit: float) -> Cell:
    """Return *cell* as a gate of *limit* has it."""
    judged = _by_the_better(compared)
    if judged.slowdown <= limit:
        return cell
    if compared.unresolved:
        why = f"the search was too coarse to tell: {compared}"
        return replace(cell, failed=True, problem=why)
    if is_excused(judged, limit):
        return replace(cell, excused=True)
    return replace(cell, failed=True, problem=_too_slow(cell, judged, limit))


def _by_the_better(compared: Comparison) -> Comparison:
    """Return what two runs alone are judged by."""
    if len(compared.base.values) != 2:
        return compared
    best = max if compared.figure.higher_is_better else min
    return replace(compared, base=Sample((best(compared.base.values),)))


def cell_so_far(results: Path, facts: Facts, session: str, limit: float | None) -> Cell:
    """Return the cell that a run of the pytest run *session* makes with those before.

    Its victim may be measured alone later, by another worker.
    """
    alone = alone_beside(results, facts, session)
    beside = [*(each.facts for each in sample_of(results, facts, session)), facts]
    return cell_of([each.facts for each in alone], beside, limit)


def _too_slow(cell: Cell, compared: Comparison, limit: float) -> str:
    bound = compared.expected(limit - 1)
    if compared.figure.higher_is_better:
        bound = f"at least {amount(compared.base.median / limit)}"
    better = ", the better of two runs, so that a slow one excuses nothing"
    better *= cell.alone != compared.base.median
    unit = "" if cell.figure == cell.unit else f" {cell.unit}"
    return (
        f"{cell.victim} beside {cell.aggressor} is {compared.slowdown:.4g} times as "
        f"slow as alone: {cell.figure} is {amount(compared.other.median)}{unit}, alone "
        f"{amount(compared.base.median)}{better} (expected {bound}, "
        f"{limit:.4g} times at most, --mig-max-slowdown)."
    )


def cell_facts(cell: Cell) -> Mapping[str, Value]:
    """Return the properties of a cell's runs; none where it has no slow-down."""
    if cell.slowdown is None:
        return {"slowdown_ok": False} if cell.failed else {}
    within = {True: "yes", False: "no", None: "unknown: single runs"}
    return {
        "slowdown": cell.slowdown,
        "slowdown_within_noise": within[cell.noise],
        "slowdown_ok": False if cell.failed else None,
        "slowdown_excused": True if cell.excused else None,
    }


def place_of(facts: Facts) -> Place:
    """Return victim and aggressor of a cell's run."""
    return facts.get("victim", _pair_of(facts)), facts["aggressor"]


def _pair_of(facts: Facts) -> str:
    return f"{facts.get('benchmark', '-')}_{facts.get('scenario', '-')}"


def measured(record: Record) -> bool:
    """Tell whether a run has a figure: one that is too slow alone has it, too."""
    if record.measurement is not None:
        return True
    return bool(record.too_slow) and of_facts(record.facts) is not None


def with_cells(
    cells: Sequence[Cell],
    runs: Sequence[Facts],
    limit: float | None = None,
    left_out: tuple[str, ...] = (),
) -> Matrix:
    """Return *cells* as a matrix of what *runs* have in common."""
    known = {name: {run[name]: None for run in runs if name in run} for name in ABOUT}
    return Matrix(
        about={name: "; ".join(texts) for name, texts in known.items() if texts},
        victims=tuple(dict.fromkeys(each.victim for each in cells)),
        aggressors=tuple(dict.fromkeys(each.aggressor for each in cells)),
        cells=tuple(cells),
        limit=limit,
        left_out=left_out,
    )


def cell_among(
    beside: Sequence[Record],
    every: Sequence[Record],
    limit: float | None = None,
    session: str = "",
) -> Cell:
    """Return the cell of its runs, and of the right ones among those alone.

    A run that failed for being too slow has a figure all the same. Only runs like the
    newest with a figure count: on another GPU they are no repeats of it. Where runs
    alone are of another pytest run than *session*, it says of which.
    """
    newest = beside[-1]
    good = [each for each in beside if measured(each)]
    if not good:
        return cell_without(place_of(newest.facts), why_not(newest), every)
    kind = kind_of(good[-1].facts)
    good = [each for each in good if kind_of(each.facts) == kind]
    others = {k: v for k, v in good[-1].facts.items() if k != "aggressor"}
    alone = [each for each in every if sameness(each.facts) == sameness(others)]
    base = [each for each in latest(alone) if each.measurement is not None]
    figures = [each.facts for each in base], [each.facts for each in good]
    cell = replace(cell_of(*figures, limit), base=_earlier(base, session))
    if cell.failed and cell.base:
        said = f"{cell.problem} Alone it ran in an earlier session: {cell.base}."
        cell = replace(cell, problem=said)
    if alone and not base:
        return replace(cell, problem=f"{cell.problem}: {why_not(alone[-1])}")
    failed = [each for each in good if flag(each.facts, "slowdown_ok") is False]
    if not failed or cell.failed:
        return cell
    problem = failed[-1].too_slow or why_not(failed[-1])
    return replace(cell, failed=True, problem=problem)


def cell_without(place: Place, problem: str, every: Sequence[Record]) -> Cell:
    """Return a cell that has no figure, with that of its victim alone, if it has one.

    *every* is of good and bad runs alone, the oldest first.
    """
    cell = Cell(*place, problem=problem)
    own = [x for x in every if _pair_of(x.facts) == place[0]]
    return _with_alone(cell, [x.facts for x in latest(own) if x.measurement])


def _with_alone(cell: Cell, alone: Sequence[Facts]) -> Cell:
    compared = price(alone, alone) if alone else ""
    if not isinstance(compared, Comparison):
        return cell
    figure, median = compared.figure, compared.base.median
    return replace(cell, alone=median, unit=figure.unit, figure=figure.name)


def _earlier(base: Sequence[Record], session: str) -> str:
    """Say which of the runs alone are of another pytest run than *session*."""
    others = [each for each in base if session and each.session != session]
    if not others:
        return ""
    folder = others[-1].folder
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return f"{folder}{more}, of {day_of(folder.name)}"
