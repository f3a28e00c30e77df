"""``mighetero interference``: the interference matrix again, from records."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator

from pytest_mighetero.cli.output import add_output, write_output
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.comparison.matrix_records import matrix_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.slowdowns import (
    WIDTH,
    as_csv,
    as_json,
    lines,
    picture,
)
from pytest_mighetero.terms.printable import printable, printable_line

NAME = "interference"
HELP = "which benchmark slows which down: the matrix again, from records"
DESCRIPTION = """\
Print how many times slower each victim was beside each aggressor than alone, from the
records of pytest --mig-interference. Of a results folder it is the matrix of the set-up
(GPU, geometry, profile, driver, suite) of its newest cell. A cell is of its newest
pytest run, and of earlier repeats by the same settings; each test's newest run counts.
What is left out is said, and why.

examples:
  mighetero interference results
  mighetero interference results -o heat.svg
  mighetero interference results --csv > interference.csv

The exit code is 1 where a results folder has a damaged record among others.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero interference``."""
    add_records(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="one JSON document")
    how.add_argument("--csv", action="store_true", help="a line for each cell")
    add_output(parser, ".svg", text="where to draw it: an SVG")


def run(arguments: argparse.Namespace) -> int:
    """Print the matrix, and draw it if that is asked for."""
    damaged: list[str] = []
    found = find_records(arguments.records, arguments.select)
    matrix = matrix_of(_read(found, damaged))
    for problem in damaged:
        print(f"mighetero interference: {printable_line(problem)}", file=sys.stderr)
    if matrix is None:
        raise ConfigError(
            f"{', '.join(arguments.records)}: no cell of an interference matrix; "
            f"expected runs of pytest --mig-interference"
        )
    if arguments.output is not None:
        write_output(arguments.output, picture(matrix))
    if arguments.json:
        sys.stdout.write(as_json(matrix))
    elif arguments.csv:
        sys.stdout.write(as_csv(matrix))
    else:
        width = shutil.get_terminal_size((WIDTH, 24)).columns
        print(printable("\n".join(lines(matrix, width))))
    return 1 if damaged else 0


def _read(
    found: Iterator[Record | RecordError], damaged: list[str]
) -> Iterator[Record]:
    for each in found:
        if isinstance(each, RecordError):
            damaged.append(str(each))
        else:
            yield each
