"""``mighetero trend``: what runs came to over time."""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_mighetero.cli.output import add_output, write_output
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.cli.run_choice import RunChoice
from pytest_mighetero.records.comparison.history import Series, series_of
from pytest_mighetero.records.record_file import read_outline
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.chart import ASCII, BLOCKS, chart
from pytest_mighetero.show.pictures.trend import trend
from pytest_mighetero.show.spreadsheet import field
from pytest_mighetero.spec.options import BY_KEY
from pytest_mighetero.spec.parsers import percent
from pytest_mighetero.terms.printable import printable_line

NAME = "trend"
HELP = "what runs came to over time"
DESCRIPTION = """\
Chart the figure of each benchmark, scenario, kind of run and profile over time, with
the bounds of its reference, or else those that --mig-compare takes from the runs
before. A change that --mig-compare fails is marked, and so are the runs that have no
figure, and where the driver changed, which begins a history of its own. Times are local
ones of the machine that ran.

examples:
  mighetero trend results
  mighetero trend results -k "dlrm and not offline" -o trend.svg
  mighetero trend results --csv > trend.csv

-k and --select choose what is shown; each run is judged by all before it, so that all
of the folder are read.

The exit code is 1 where a results folder has a damaged record among others.
"""
_ABOUT = {
    "device_profile": "profile",
    **{name: name for name in ("gpu", "suite", "device_slot", "harness_dir")},
    **{name: name for name in ("action", "tuned", "aggressor", "settings")},
}
_COLUMNS = ("run", "time", "driver", "value", "unit", "lower", "upper", "flagged")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero trend``."""
    add_records(parser)
    parser.add_argument(
        "-k",
        dest="keyword",
        metavar="EXPRESSION",
        default="",
        help="only the runs whose name, such as 20260722-101500-dlrm_server "
        "heterogeneous 1g.10gb, it is true of, as pytest's -k",
    )
    option = BY_KEY["mig_tolerance"]
    parser.add_argument(
        "--mig-tolerance",
        metavar=option.metavar,
        default="5%",
        help="how much worse than before a run may be (5%%)",
    )
    add_output(parser, ".svg", text="write a picture, SVG")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument("--csv", action="store_true", help="a line for each run")


def run(arguments: argparse.Namespace) -> int:
    """Print the charts."""
    tolerance = percent(arguments.mig_tolerance)
    damaged: list[str] = []
    choice = RunChoice(arguments.records, arguments.select, arguments.keyword)
    found = find_records(arguments.records, read=read_outline)
    every = _shown(series_of(choice.noted(found, damaged), tolerance), choice)
    if arguments.output is not None:
        write_output(arguments.output, trend(every).svg())
    if arguments.json:
        print(json.dumps([_document(each) for each in every], indent=2))
    elif arguments.csv:
        _print_csv(every)
    elif arguments.output is None:
        _print_charts(every)
    for problem in damaged:
        print(f"mighetero trend: {printable_line(problem)}", file=sys.stderr)
    return 1 if damaged else 0


def _shown(every: Sequence[Series], choice: RunChoice) -> list[Series]:
    """Return the chosen points, and the series that have any."""
    shown = [
        replace(each, points=tuple(p for p in each.points if p.folder in choice))
        for each in every
    ]
    return [each for each in shown if each.points]


def _document(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        **series.about,
        "figure": series.figure.name,
        "unit": series.figure.unit,
        "higher_is_better": series.figure.higher_is_better,
        "points": [
            {
                "run": str(point.folder),
                "time": point.when and point.when.isoformat(),
                "driver": point.driver,
                "value": point.value,
                "bounds": point.bounds,
                "flagged": point.flagged,
                "problem": point.problem,
            }
            for point in series.points
        ],
    }


def _print_csv(every: Sequence[Series]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("name", *_ABOUT.values(), *_COLUMNS, "problem"))
    for series in every:
        about = [series.about[name] for name in _ABOUT]
        for point in series.points:
            lower, upper = point.bounds or (None, None)
            when = point.when and point.when.isoformat()
            told = (str(point.folder), when, point.driver, point.value)
            of_run = (*told, series.figure.unit)
            said = (lower, upper, point.flagged, point.problem)
            row = (series.name, *about, *of_run, *said)
            writer.writerow(map(field, row))


def _print_charts(every: Sequence[Series]) -> None:
    dumb = os.environ.get("TERM") == "dumb"
    signs = ASCII if dumb or not _encodes(sys.stdout.encoding) else BLOCKS
    colour = sys.stdout.isatty() and not dumb and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size((80, 24)).columns
    for series in every:
        print("\n".join(chart(series, width, signs, colour=colour)), end="\n\n")
        for point in series.points:
            if point.flagged:
                print(f"{signs.flagged} {printable_line(point.flagged)}", end="\n\n")
    print(signs.legend)


def _encodes(encoding: str | None) -> bool:
    try:
        f"{BLOCKS.legend}{BLOCKS.corner}{BLOCKS.edge}".encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
