"""``mighetero compare``: two sets of runs beside each other."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mighetero.records.comparison.matches import (
    LeftOut,
    Row,
    ServerFigures,
    as_dict,
    pair,
    server_figures,
)
from pytest_mighetero.records.comparison.samples import Comparison, amount
from pytest_mighetero.records.comparison.sides import KINDS, Side, notes, read_side
from pytest_mighetero.records.paths import add_select
from pytest_mighetero.show.columns import columns
from pytest_mighetero.terms.printable import printable

NAME = "compare"
HELP = "two sets of runs, benchmark by benchmark"
DESCRIPTION = """\
Compare the runs in A with those in B, each benchmark and scenario by what MLPerf judges
it by: Offline by samples/s; Server by p99 where all ran at one target, else by the
highest VALID target; SingleStream and MultiStream by latency, since v2.0 by its
early-stopping estimate. Language models by tokens/s, and their Server runs at one
target by p99 TTFT and TPOT, too. Several runs are one sample: the median counts, and
the spreads say whether a difference means anything.

A and B are each a results folder, a run's folder or a record.json; or a tree of LoadGen
logs, such as a published closed/<org>/results/<system>. What is not compared is listed
with the reason, damaged logs among it. Of records only good runs count.

Isolated and heterogeneous runs are never one sample. Where A or B has only runs of one
kind, these are compared, whatever the other side's are; where it has both, choose with
--runs-a, --runs-b. In one results folder that gives the price of neighbours.

examples:
  mighetero compare results results --runs-a=isolated --runs-b=heterogeneous
  mighetero compare last-week/results results
  mighetero compare DGX-A100_A100-SXM-80GB-MIG_1x1g.10gb_TRT{,_HeteroMultiUse}

The exit code is 1 where nothing could be compared.
"""
HEADINGS = (
    *("benchmark", "scenario", "figure", "A", "B", "unit", "change", "verdict"),
    *("target QPS", "p99 ms", "limit ms"),
)
_NAMES = {"samples/s": "throughput", "tokens/s": "throughput", "ms": "latency"}
RIGHT = ("A", "B", "change", "target QPS", "p99 ms", "limit ms")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero compare``."""
    for name in ("A", "B"):
        parser.add_argument(
            name.lower(), metavar=name, help=f"what {name} is read from"
        )
    for name in ("a", "b"):
        parser.add_argument(
            f"--runs-{name}",
            choices=KINDS,
            help=f"which runs of {name.upper()}, where its records are of both kinds",
        )
    add_select(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison."""
    a = read_side("A", Path(arguments.a), arguments.runs_a, arguments.select)
    b = read_side("B", Path(arguments.b), arguments.runs_b, arguments.select)
    rows, left_out = pair(a, b)
    noted = notes(a, b, [(row.a, row.b) for row in rows])
    if arguments.json:
        document = {
            **{side.name.lower(): _side(side) for side in (a, b)},
            "rows": [as_dict(row) for row in rows],
            "left_out": [vars(each) for each in left_out],
            "notes": noted,
        }
        print(json.dumps(document, indent=2))
    else:
        print(printable("\n".join(_lines(a, b, rows, left_out, noted))))
    return 0 if rows else 1


def _side(side: Side) -> dict[str, str | None]:
    return {"path": str(side.path), "runs": side.kind}


def _lines(
    a: Side,
    b: Side,
    rows: Sequence[Row],
    left_out: Sequence[LeftOut],
    noted: Sequence[str],
) -> Iterator[str]:
    for side in (a, b):
        runs = f" ({side.kind} runs)" if side.kind else ""
        yield f"{side.name}: {side.path}{runs}"
    yield ""
    if rows:
        yield from columns(HEADINGS, [_cells(row) for row in rows], RIGHT)
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
        *_server(*(server_figures(side, figure.name) for side in (row.a, row.b))),
    )


def _server(a: ServerFigures | None, b: ServerFigures | None) -> tuple[str, str, str]:
    if a is None or b is None:
        return "", "", ""
    return (
        _both(a.target_qps, b.target_qps),
        _both(a.p99_ms, b.p99_ms),
        _both(a.limit_ms, b.limit_ms),
    )


def _both(a: float | None, b: float | None) -> str:
    """Return a figure once where A and B have the same."""
    texts = ["-" if value is None else amount(value) for value in (a, b)]
    return texts[0] if a == b else " -> ".join(texts)


def _percent(comparison: Comparison) -> str:
    percent = comparison.change * 100
    digits = 2 if 0 < abs(percent) < 0.1 else 1
    return f"{percent:+.{digits}f} %"
