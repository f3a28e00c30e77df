"""Two sets of runs beside each other, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_mighetero.records.comparison.matches import (
    LeftOut,
    Row,
    server_figures,
)
from pytest_mighetero.records.comparison.samples import Comparison, amount
from pytest_mighetero.records.comparison.sides import Side
from pytest_mighetero.show.columns import columns

_HEADINGS = (
    *("benchmark", "scenario", "figure", "A", "B", "unit", "change", "verdict"),
    *("target QPS", "p99 ms", "limit ms"),
)
_NAMES = {"samples/s": "throughput", "tokens/s": "throughput", "ms": "latency"}
_RIGHT = ("A", "B", "change", "target QPS", "p99 ms", "limit ms")


def contrast(
    a: Side,
    b: Side,
    rows: Sequence[Row],
    left_out: Sequence[LeftOut],
    noted: Sequence[str],
) -> Iterator[str]:
    """Yield the lines: what is compared, what is not and why, what else differs."""
    for side in (a, b):
        runs = f" ({side.kind} runs)" if side.kind else ""
        yield f"{side.name}: {side.path}{runs}"
    yield ""
    if rows:
        yield from columns(_HEADINGS, [_cells(row) for row in rows], _RIGHT)
    else:
        yield "Nothing could be compared."
    if left_out:
        yield ""
        yield "not compared:"
        headings = ("benchmark", "scenario", "in", "value", "why")
        cells = [
            (each.benchmark, each.scenario, each.side, each.value, _why(each))
            for each in left_out
        ]
        yield from columns(headings, cells, indent="  ")
    if noted:
        yield ""
        yield "different between A and B, besides:"
        yield from (f"  {line}" for line in noted)


def _why(left_out: LeftOut) -> str:
    """Return the reason; a run that has no value is named by its folder, too."""
    where = "" if left_out.value else f" ({left_out.path})"
    return f"{left_out.reason}{where}"


def _cells(row: Row) -> tuple[str, ...]:
    comparison = row.comparison
    figure = comparison.figure
    return (
        row.benchmark,
        row.scenario,
        _NAMES.get(figure.name, figure.name.partition(" at ")[0]),
        str(comparison.base),
        str(comparison.other),
        figure.unit,
        _percent(comparison),
        comparison.verdict,
        *_server(row),
    )


def _server(row: Row) -> Iterable[str]:
    a, b = (server_figures(side, row.comparison.figure.name) for side in (row.a, row.b))
    return ("", "", "") if a is None or b is None else map(_both, a, b)


def _both(a: float | None, b: float | None) -> str:
    """Return a figure once where A and B have the same."""
    texts = ["-" if value is None else amount(value) for value in (a, b)]
    return texts[0] if a == b else " -> ".join(texts)


def _percent(comparison: Comparison) -> str:
    percent = comparison.change * 100
    digits = 2 if 0 < abs(percent) < 0.1 else 1
    return f"{percent:+.{digits}f} %"
