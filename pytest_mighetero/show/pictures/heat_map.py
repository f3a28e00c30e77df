"""The interference matrix as a heat map: who slows whom down, and by how much. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_mighetero.records.comparison.matrix import Cell, Matrix
from pytest_mighetero.show.pictures.diverging import MOST, Diverging
from pytest_mighetero.show.pictures.svg import Drawing, clipped
from pytest_mighetero.terms.printable import printable_line
from pytest_mighetero.units import significant

_WIDTH = 800  # of a picture of up to 12 columns
_EDGE = 16  # around everything
_NAMES = 190  # the column of victims
_NARROWEST, _WIDEST, _HIGH = 39, 104, 36  # of a cell
_HEADING = 138  # pixels that a turned name of an aggressor may be long
_LETTER = 0.6 * 12
_INK = "#14171a"  # on cells, which have their colours in light and dark
_SLOWER, _FASTER, _NOISE, _NONE = "\u25b2", "\u25bc", "\u2248", "\u2013"
_UNKNOWN = "?"
_LEGEND = 52


@dataclass(frozen=True)
class _Grid:
    """Where the cells are."""

    left: float
    top: float
    cell: float  # its width
    turned: float  # pixels that turned names of columns are high and wide; 0 for none

    def place(self, row: int, column: int) -> tuple[float, float]:
        return self.left + column * self.cell, self.top + row * _HIGH


def heat_map(matrix: Matrix) -> Drawing:
    """Return *matrix* as a picture: a row for each victim, a column for each aggressor.

    A cell has the slow-down as its number and its colour, which is neutral at 1.0. What
    is within noise, slower, faster, failed and missing differs in shape, too, for those
    who see it in grey.
    """
    about = list(_about(matrix.about))
    if not (matrix.victims and matrix.aggressors):
        drawing = _begun(_WIDTH, _top(about) + 40, about)
        said = "There is nothing to show: no pair was run."
        drawing.text(_EDGE, _top(about) + 8, said, "faint")
        return drawing
    grid = _grid_of(matrix.aggressors, _top(about))
    right = grid.left + len(matrix.aggressors) * grid.cell
    width = max(_WIDTH, right + grid.turned + _EDGE)
    legend = grid.top + len(matrix.victims) * _HIGH + 28
    drawing = _begun(width, legend + _LEGEND, about)
    cells = [
        (cell, *grid.place(row, column))
        for row, victim in enumerate(matrix.victims)
        for column, aggressor in enumerate(matrix.aggressors)
        for cell in [matrix.cell(victim, aggressor)]
    ]
    known = [x for cell, *_ in cells if (x := _slowdown(cell)) is not None]
    scale = Diverging.over(known)
    _headings(drawing, grid, matrix.aggressors)
    for row, victim in enumerate(matrix.victims):
        of_row = [cell for cell, *_ in cells if cell.victim == victim]
        _victim(drawing, grid.place(row, 0)[1], victim, of_row)
    for cell, x, y in cells:
        _cell(drawing, scale, cell, (x, y, grid.cell))
    allowed = "was allowed" if matrix.limit is None else f"{matrix.limit:g}"
    failed = any(cell.failed for cell, *_ in cells) or matrix.limit is not None
    _legend(drawing, legend, scale, f"fails: worse than {allowed}" if failed else "")
    return drawing


def _begun(width: float, height: float, about: list[str]) -> Drawing:
    title = "What each aggressor (column) costs each victim (row)"
    drawing = Drawing(width, height, ". ".join([title, *about]))
    drawing.text(_EDGE, 28, title, size=15, bold=True)
    for number, line in enumerate(about):
        drawing.text(_EDGE, 48 + 16 * number, line, "faint")
    return drawing


def _top(about: list[str]) -> float:
    return 48 + 16 * len(about)


def _about(about: Mapping[str, str]) -> Iterator[str]:
    """Yield lines of what was the same for all cells."""
    line, most = "", _WIDTH - 2 * _EDGE
    for said in (f"{k.replace('_', ' ')} {v}" for k, v in about.items() if v):
        if line and clipped(f"{line} \u00b7 {said}", most)[-1] == "\u2026":
            yield line
            line = ""
        line = clipped(f"{line} \u00b7 {said}" if line else said, most)
    if line:
        yield line


def _grid_of(aggressors: tuple[str, ...], top: float) -> _Grid:
    left = _EDGE + _NAMES
    room = _WIDTH - left - _EDGE
    cell, turned = min(room / len(aggressors), _WIDEST), 0.0
    longest = max(_LETTER * len(printable_line(each)) for each in aggressors)
    if longest > cell - 4:
        turned = min(longest, _HEADING) * math.sqrt(0.5)
        cell = min((room - turned) / len(aggressors), _WIDEST)
    return _Grid(left, top + turned + 26, max(cell, _NARROWEST), turned)


def _headings(drawing: Drawing, grid: _Grid, aggressors: tuple[str, ...]) -> None:
    drawing.text(_EDGE, grid.top - 8, "victim, its figure alone", "faint", size=11)
    for column, name in enumerate(aggressors):
        middle = grid.left + (column + 0.5) * grid.cell
        shown = clipped(name, _HEADING if grid.turned else grid.cell - 4)
        if grid.turned:
            drawing.text(middle, grid.top - 8, shown, turned=-45, title=name)
        else:
            drawing.text(middle, grid.top - 8, shown, anchor="middle", title=name)


def _victim(drawing: Drawing, top: float, name: str, cells: list[Cell]) -> None:
    drawing.text(_EDGE, top + 15, clipped(name, _NAMES - 6), title=name)
    known = next((x for x in cells if x.alone is not None), None)
    said = "no figure" if known is None else f"{_figure(known.alone)} {known.unit}"
    shown = clipped(said, _NAMES - 6, 11)
    drawing.text(_EDGE, top + 29, shown, "faint", size=11, title=said)


def _cell(
    drawing: Drawing, scale: Diverging, cell: Cell, place: tuple[float, float, float]
) -> None:
    x, y, width = place
    middle, slowdown = x + width / 2, _slowdown(cell)
    said = _sentence(cell, slowdown)
    edge = 4.5 if cell.failed else 1.0
    inner = x + edge, y + edge, width - 2 * edge, _HIGH - 2 * edge
    if slowdown is None:
        drawing.rect(*inner, "paper", outline="rule", title=said)
        drawing.text(middle, y + 22, _NONE, "faint", anchor="middle", title=said)
    else:
        drawing.rect(*inner, scale.colour(slowdown), title=said)
        shown = f"{slowdown:.2f}" if slowdown < 9.995 else significant(slowdown, 3)
        shown = clipped(shown, width - 2 * edge)
        drawing.text(middle, y + 19, shown, _INK, anchor="middle", title=said)
        doubt = _UNKNOWN if cell.noise is None else ""
        mark = _NOISE if cell.noise else _side(slowdown) + doubt
        drawing.text(middle, y + 29, mark, _INK, size=9, anchor="middle", title=said)
    if cell.failed:
        _outline(drawing, (x + 2, y + 2, width - 4, _HIGH - 4), said)


def _outline(
    drawing: Drawing, box: tuple[float, float, float, float], title: str = ""
) -> None:
    """Draw what says that a cell has failed around it."""
    x, y, width, high = box
    corners = [(x, y), (x + width, y), (x + width, y + high), (x, y + high)]
    drawing.path([*corners, (x, y - 1.25)], "bad", width=2.5, title=title)


def _slowdown(cell: Cell) -> float | None:
    """Return the slow-down where it can be one: damaged figures are none."""
    known = cell.slowdown
    return known if known is not None and 0 < known < math.inf else None


def _side(slowdown: float) -> str:
    """Return the mark of what the number shows."""
    return _SLOWER if slowdown >= 1.005 else _FASTER if slowdown < 0.995 else ""


def _sentence(cell: Cell, slowdown: float | None) -> str:
    devices = "" if cell.count is None else f" on {cell.count} device"
    devices += "s" * (cell.count is not None and cell.count != 1)
    beside = f"{cell.victim} beside {cell.aggressor}{devices}"
    if slowdown is None:
        return (
            f"{beside}: no figure, {cell.problem or 'for a reason that is not known'}"
        )
    noise = {True: ", within noise", False: ", beyond noise", None: ", of single runs"}[
        cell.noise
    ]
    alone, here = _figure(cell.alone), _figure(cell.beside)
    failed = ", more than was allowed" if cell.failed or cell.excused else ""
    failed += ", which passes by noise alone" if cell.excused else ""
    problem = f"; {cell.problem}" if cell.problem else ""
    return (
        f"{beside}: {here} {cell.unit}, alone {alone} {cell.unit}, "
        f"slow-down {significant(slowdown, 4)}{noise}{failed}{problem}"
    )


def _figure(value: float | None) -> str:
    return _NONE if value is None else significant(value, 5)


def _legend(drawing: Drawing, y: float, scale: Diverging, fails: str) -> None:
    """Draw the scale, and what the marks, and an edge that *fails*, mean."""
    steps, width, high = 41, 6, 12
    middle, right = _EDGE + steps * width / 2, _EDGE + steps * width
    for step in range(steps):
        ratio = scale.end ** (2 * step / (steps - 1) - 1)
        drawing.rect(_EDGE + step * width, y, width + 0.3, high, scale.colour(ratio))
    beyond = "+" * (scale.end == MOST)
    ends = f"{1 / scale.end:.2f}", f"{scale.end:.2f}{beyond}"
    drawing.line(middle, y, middle, y + high + 4, _INK)
    drawing.text(_EDGE, y + high + 16, f"{ends[0]} faster", size=11)
    drawing.text(middle, y + high + 16, "1 as alone", size=11, anchor="middle")
    drawing.text(right, y + high + 16, f"slower {ends[1]}", size=11, anchor="end")
    left = right + 28
    marks = {
        _SLOWER: "slower",
        _FASTER: "faster",
        _NOISE: "within noise",
        _UNKNOWN: "noise not known",
        _NONE: "no figure",
    }
    said = ", ".join(f"{mark} {meaning}" for mark, meaning in marks.items())
    drawing.text(left, y + 10, said, size=11)
    if fails:
        _outline(drawing, (left, y + 19, 14, 10))
        drawing.text(left + 24, y + 28, fails, size=11)
