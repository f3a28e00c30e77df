"""The interference matrix as people and programs have it: table, JSON, CSV, picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.records.comparison.matrix import Cell, Matrix
from pytest_mighetero.records.comparison.samples import amount
from pytest_mighetero.records.run_names import MATRIX
from pytest_mighetero.records.whole_file import whole_file
from pytest_mighetero.show.columns import columns
from pytest_mighetero.show.pictures.heat_map import heat_map
from pytest_mighetero.show.spreadsheet import field
from pytest_mighetero.terms.printable import printable_line

WIDTH = 80
_COLUMNS = tuple(each.name for each in fields(Cell))
_MARKS = {
    "~": "within what repeats differ by",
    "?": "of single runs: their noise is not known",
    "!": "slower than --mig-max-slowdown allows",
    "*": "slower than it allows, and passes by noise alone",
    "-": "no figure",
}


def lines(matrix: Matrix, width: int = WIDTH) -> Iterator[str]:
    """Yield the table: a row a victim, a column an aggressor; and what is missing.

    Where it is wider than *width* the aggressors are numbered; then the figures alone
    stand below; then it becomes several tables.
    """
    if not matrix.cells:
        yield printable_line(matrix.unfinished)
        return
    about = [(f"{name}:", text) for name, text in _about(matrix).items()]
    yield from columns(("", ""), about)[1:]
    yield ""
    names, common = _headings(matrix.aggressors)
    numbers = [str(number) for number in range(1, len(names) + 1)]
    rows = [_row(matrix, victim) for victim in matrix.victims]
    numbered = not _fits(names, rows, width)
    headings = numbers if numbered else names
    apart = [] if _fits(headings, rows, width) else [row[:2] for row in rows]
    if apart:
        rows = [[row[0], "", *row[2:]] for row in rows]
    yield f"times as slow as alone, beside{common}"
    yield from _tables(headings, rows, width)
    if apart:
        yield ""
        yield from columns(("victim", "alone"), apart, right=("alone",))
    if numbered:
        yield ""
        told = list(zip(numbers, matrix.aggressors, strict=True))
        yield from columns(("aggressor", ""), told, right=("aggressor",))
    yield from _legend(matrix, rows)
    yield from _earlier(matrix)
    yield from _missing(matrix)
    if matrix.unfinished:
        yield ""
        yield printable_line(matrix.unfinished)


def _tables(
    names: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> Iterator[str]:
    """Yield as many columns as fit, and those that are left below."""
    first = 0
    while first < len(names):
        last = len(names)
        while True:
            parts = [[*row[:2], *row[2 + first : 2 + last]] for row in rows]
            if last == first + 1 or _fits(names[first:last], parts, width):
                break
            last -= 1
        yield from _table(names[first:last], parts)
        first = last
        if last < len(names):
            yield ""


def _about(matrix: Matrix) -> Mapping[str, str]:
    counts = sorted({each.count for each in matrix.cells if each.count is not None})
    about = matrix.about
    whole = about.get("geometry", "")  # it begins with the GPU's name
    said = {
        name.replace("_", " "): text
        for name, text in about.items()
        if name == "geometry" or text not in whole
    }
    if counts:
        some = "device" if counts == [1] else "devices"
        said["each aggressor"] = f"on {' or '.join(map(str, counts))} {some}"
    return said


def _headings(aggressors: Sequence[str]) -> tuple[list[str], str]:
    """Return the aggressors' names, and the scenario if it is the same for all."""
    scenarios = {name.rpartition("_")[2] for name in aggressors}
    if len(scenarios) > 1:
        return list(aggressors), ""
    names = [name.rpartition("_")[0] for name in aggressors]
    return names, f", in {scenarios.pop()}"


def _row(matrix: Matrix, victim: str) -> list[str]:
    cells = [matrix.cell(victim, aggressor) for aggressor in matrix.aggressors]
    known = next((each for each in cells if each.alone is not None), None)
    alone = f"{amount(known.alone)} {known.unit}" if known and known.alone else "-"
    return [victim, alone, *map(_shown, cells)]


def _shown(cell: Cell) -> str:
    if cell.slowdown is None:
        return "-"
    mark = {True: "~", False: "", None: "?"}[cell.noise]
    mark = "!" if cell.failed else "*" if cell.excused else mark
    return f"{cell.slowdown:.2f}{mark}"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return columns(("victim", "alone", *names), rows, right=("alone", *names))


def _fits(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    return max(map(len, _table(names, rows)), default=0) <= width


def _legend(matrix: Matrix, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    used = [m for m in _MARKS if any(cell.endswith(m) for r in rows for cell in r[2:])]
    limit = "" if matrix.limit is None else f" ({matrix.limit:.4g})"
    excused = [
        f"{cell.victim} beside {cell.aggressor}"
        for cell in matrix.cells
        if cell.excused
    ]
    if used:
        yield ""
        for mark in used:
            yield f"  {mark} {_MARKS[mark]}{limit if mark in '!*' else ''}"
    for each in excused:
        yield printable_line(f"passes by noise alone: {each}")
    for cell in matrix.cells:
        if cell.failed and 0 < (cell.slowdown or 0.0) <= (matrix.limit or 0.0):
            yield printable_line(cell.problem)  # by the better of two runs alone


def _earlier(matrix: Matrix) -> Iterator[str]:
    """Yield which victims ran alone in another session than beside others."""
    told = {(each.victim, each.base): None for each in matrix.cells if each.base}
    if told:
        yield ""
    for victim, base in told:
        yield printable_line(f"{victim} alone is of an earlier session: {base}")


def _missing(matrix: Matrix) -> Iterator[str]:
    """Yield why cells have no figure; a reason that several share is said once."""
    reasons: dict[str, list[str]] = {}
    for victim in matrix.victims:
        for aggressor in matrix.aggressors:
            cell = matrix.cell(victim, aggressor)
            if cell.slowdown is None:
                place = f"{victim} beside {aggressor}"
                reasons.setdefault(cell.problem, []).append(place)
    if reasons or matrix.left_out:
        yield ""
    for reason, places in reasons.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        yield printable_line(f"{places[0]}{more}: {reason}")
    for each in matrix.left_out:
        yield printable_line(f"left out: {each}")


def document(matrix: Matrix) -> dict[str, Any]:
    """Return the matrix as plain data."""
    known = asdict(matrix)
    known["cells"] = [dict(asdict(each)) for each in _every(matrix)]
    return known


def as_json(matrix: Matrix) -> str:
    """Return the matrix as one JSON document."""
    return f"{json.dumps(document(matrix), indent=2)}\n"


def as_csv(matrix: Matrix) -> str:
    """Return a line for each cell under a line of names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in _every(matrix):
        writer.writerow([field(getattr(each, name)) for name in _COLUMNS])
    return text.getvalue()


def _every(matrix: Matrix) -> Iterator[Cell]:
    for victim in matrix.victims:
        for aggressor in matrix.aggressors:
            yield matrix.cell(victim, aggressor)


def picture(matrix: Matrix) -> str:
    """Return the matrix as an SVG."""
    return heat_map(matrix).svg()


def write_files(results: Path, matrix: Matrix) -> None:
    """Write ``interference.json``, ``.csv`` and ``.svg``, each whole or not at all.

    Raises:
        HarnessError: one cannot be written.
    """
    texts = {"json": as_json(matrix), "csv": as_csv(matrix), "svg": picture(matrix)}
    for ending, text in texts.items():
        _write(results / f"{MATRIX}.{ending}", text)


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8", "backslashreplace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(content)
    except OSError as error:
        raise HarnessError(
            f"{path} cannot be written: {error.strerror}; mighetero interference makes "
            f"it again of the records."
        ) from error
