"""The interference matrix of a results folder: which runs belong together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_mighetero.records.comparison.matrix import (
    ABOUT,
    Matrix,
    Place,
    cell_among,
    measured,
    place_of,
    with_cells,
)
from pytest_mighetero.records.comparison.repeats import kind_of, latest
from pytest_mighetero.records.record import SAME, Record, settings_of

# What is the same for all cells of one matrix.
_SETUP = (*ABOUT, "action", "device_slot")


def matrix_of(records: Iterable[Record]) -> Matrix | None:
    """Return the matrix that a results folder's *records*, the oldest first, hold.

    It is of the set-up of its newest cell with a figure. Each cell is of its newest
    pytest run, and of earlier ones that have its mark, alone on its ground; of these
    each test's newest execution counts. What is left out is said.

    Returns:
        None where there is no cell.
    """
    kept = [each.outline for each in _counting(records)]
    cells = [each for each in kept if "aggressor" in each.facts]
    if not cells:
        return None
    newest = next((each for each in reversed(cells) if measured(each)), cells[-1])
    alone = [each for each in kept if each.text("run") == "isolated"]
    runs: dict[Place, list[Record]] = {}
    for each in cells:
        if not _apart(each, newest, _SETUP):
            runs.setdefault(place_of(each.facts), []).append(each)
    left_out = [
        (f"of another set-up ({_about(each)})", each)
        for each in cells
        if _apart(each, newest, _SETUP)
    ]
    found, counted = [], []
    for every in runs.values():
        last = _last_of(every)
        same = [each for each in every if _is_repeat(each, last)]
        own = [each for each in alone if _pair(each) == _pair(last)]
        base = [each for each in own if _is_alone_of(each, last)]
        cell = cell_among(latest(same), base, session=last.session)
        found.append(cell)
        counted += same
        left_out += [(_other(x, last), x) for x in every if x not in same]
        if not base and last.ground:
            left_out += [(_other(x, last, alone=True), x) for x in own]
    facts = [each.facts for each in counted]
    return with_cells(found, facts, left_out=_said_of(left_out))


def _last_of(every: Sequence[Record]) -> Record:
    """Return the newest run of a cell; of its pytest run one with a figure, if any."""
    last = every[-1]
    mine = [each for each in every if each.session == last.session and measured(each)]
    return mine[-1] if mine else last


def _is_repeat(each: Record, last: Record) -> bool:
    """Tell whether a run of the same cell counts with the newest."""
    if each is last:
        return True
    alike = each.session == last.session or (each.setup and each.setup == last.setup)
    return bool(alike) and (
        kind_of(each.facts) == kind_of(last.facts) or not each.facts.get("run_args")
    )


def _is_alone_of(each: Record, cell: Record) -> bool:
    """Tell whether a run alone is one that the cell may be held against."""
    return each.session == cell.session or bool(
        each.ground and each.ground == cell.ground
    )


def _pair(record: Record) -> tuple[str, str]:
    return record.text("benchmark"), record.text("scenario")


def _apart(each: Record, other: Record, names: Iterable[str]) -> list[str]:
    """Return which facts two runs differ in; what one does not say is no difference."""
    facts = [(name, each.text(name), other.text(name)) for name in names]
    return [name for name, one, two in facts if one and two and one != two]


def _counting(records: Iterable[Record]) -> Iterable[Record]:
    return (
        each
        for each in records
        if not each.executed_again
        and ("aggressor" in each.facts or each.text("run") == "isolated")
    )


def _about(record: Record) -> str:
    slot = record.text("device_slot")
    said = [record.text(name) for name in ABOUT]
    return ", ".join(filter(None, [*said, slot and f"slot {slot}"]))


def _other(each: Record, last: Record, *, alone: bool = False) -> str:
    """Say why a run is no repeat, or no run alone, of what the newest run is of."""
    settings = settings_of(each.text("run_args"))
    if settings != settings_of(last.text("run_args")) and each.text("run_args"):
        return f"by other RUN_ARGS ({settings})"
    if found := _apart(each, last, SAME if alone else (*SAME, "backgrounds")):
        said = [f"{name} {each.text(name)}" for name in found if name != "aggressor"]
        if said:
            return f"of another set-up ({', '.join(said)})"
    if not each.setup:
        return "of no interference matrix, or of one that did not begin"
    return "by another version or other settings, or on other devices"


def _said_of(left_out: Iterable[tuple[str, Record]]) -> tuple[str, ...]:
    """Say how many runs are left out, why, and of which they are."""
    found: dict[str, dict[Path, str]] = {}
    for why, each in left_out:
        beside = each.text("aggressor")
        name = "_".join(_pair(each)) + (f" beside {beside}" if beside else " alone")
        found.setdefault(why, {})[each.path] = name
    return tuple(_counted(why, list(names.values())) for why, names in found.items())


def _counted(why: str, names: Sequence[str]) -> str:
    places = list(dict.fromkeys(names))
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    runs = "1 run" if len(names) == 1 else f"{len(names)} runs"
    return f"{runs} {why}: {places[0]}{more}"
