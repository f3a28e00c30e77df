"""A series as a chart of letters, for terminals of any width and encoding. Pure.

Drawn here: libraries for curves (plotext, plotille) know neither bounds that change
from run to run, nor runs without a figure, nor ASCII alone, and print a title's escape
sequences as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from pytest_mighetero.records.comparison.history import Series
from pytest_mighetero.show.axis import dates, driver_changes, extent, label, places
from pytest_mighetero.terms.printable import printable_line

_ROWS = 8
_NARROWEST = 24
_LINES = 3  # of a title, at most
_RED, _DIM, _PLAIN = "\x1b[31m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True)
class Signs:
    """What stands for what."""

    run: str
    bound: str
    driver: str
    edge: str
    corner: str
    floor: str
    flagged: str = "!"
    bad: str = "x"

    @property
    def legend(self) -> str:
        """Say what they are."""
        return (
            f"{self.run} run   {self.flagged} change that --mig-compare fails   "
            f"{self.bad} no figure   {self.bound} bound   {self.driver} driver changed"
        )


ASCII = Signs("o", "-", ":", "|", "+", "_")
BLOCKS = Signs("●", "─", "┊", "│", "└", "─")


def chart(series: Series, width: int, signs: Signs, *, colour: bool) -> list[str]:
    """Return the lines of a chart at most *width* letters wide, without the legend."""
    width = max(width, _NARROWEST)
    low, high = extent(series)
    labels = {0: label(high), _ROWS - 1: label(low)} if series.values else {}
    gutter = max(map(len, labels.values()), default=1)
    *grid, bad = _grid(series, width - gutter - 2, signs)
    lines = [*_wrapped(series.name, width), *_wrapped(series.place, width)]
    for number, row in enumerate(grid):
        drawn = _drawn(row, signs, colour)
        lines.append(f"{labels.get(number, ''):>{gutter}} {signs.edge}{drawn}".rstrip())
    bottom = signs.floor * (width - gutter - 2)
    lines.append(f"{'':>{gutter}} {signs.corner}{bottom}")
    if len(series.values) < len(series.points):
        lines.append(f"{'':>{gutter}}  {_drawn(bad, signs, colour)}".rstrip())
    first, last = dates(series)
    apart = width - gutter - 2 - len(first) - len(last)
    shown = f"{first}{' ' * apart}{last}" if apart > 0 and first != last else first
    lines.append(f"{'':>{gutter}}  {shown}".rstrip())
    lines.append(_clipped(_summary(series), width))
    lines += [_clipped(f"driver {new}", width) for _, new in driver_changes(series)]
    return lines


def _grid(series: Series, width: int, signs: Signs) -> list[list[str]]:
    """Return rows of letters, the last for runs without a figure."""
    ends = extent(series)
    grid = [[" "] * width for _ in range(_ROWS + 1)]
    columns = [round(at * (width - 1)) for at in places(series.points)]
    for column, end, bound in _bounds(series, columns):
        line = grid[_row(ends, bound)]
        line[column:end] = signs.bound * (end - column)
    for number, _ in driver_changes(series):
        for line in grid[:_ROWS]:
            line[(columns[number - 1] + columns[number]) // 2] = signs.driver
    for column, point in zip(columns, series.points, strict=True):
        if point.value is None:
            grid[_ROWS][column] = signs.bad
            continue
        line = grid[_row(ends, point.value)]
        if line[column] != signs.flagged:  # it stays seen where several runs are one
            line[column] = signs.flagged if point.flagged else signs.run
    return grid


def _bounds(series: Series, columns: Sequence[int]) -> Iterator[tuple[int, int, float]]:
    """Yield bounds, each from halfway to the run before to halfway to the next."""
    halves = [(one + two) // 2 for one, two in pairwise(columns)]
    begins, ends = [columns[0], *halves], [*halves, columns[-1] + 1]
    for begin, end, point in zip(begins, ends, series.points, strict=True):
        for bound in point.bounds or ():
            if bound is not None:
                yield begin, end, bound


def _row(ends: tuple[float, float], value: float) -> int:
    low, high = ends
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return _ROWS - 1 - min(max(round(share * (_ROWS - 1)), 0), _ROWS - 1)


def _summary(series: Series) -> str:
    bad = len(series.points) - len(series.values)
    ending = f", {bad} without a figure" if bad else ""
    if not series.values:
        return f"no figure in {bad} run{'s' * (bad != 1)}"
    low, high, last = min(series.values), max(series.values), series.values[-1]
    better = "higher" if series.figure.higher_is_better else "lower"
    return (
        f"last {label(last)} {series.figure.unit}, min {label(low)}, max "
        f"{label(high)}, {better} is better{ending}"
    )


def _drawn(row: Sequence[str], signs: Signs, colour: bool) -> str:
    return "".join(_coloured(each, signs) if colour else each for each in row)


def _coloured(sign: str, signs: Signs) -> str:
    if sign in (signs.flagged, signs.bad):
        return f"{_RED}{sign}{_PLAIN}"
    return f"{_DIM}{sign}{_PLAIN}" if sign in (signs.bound, signs.driver) else sign


def _clipped(text: str, width: int) -> str:
    shown = printable_line(text)
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."


def _wrapped(text: str, width: int) -> list[str]:
    shown = printable_line(text)
    return wrap(shown, width, max_lines=_LINES, placeholder=" ...") or [""]
