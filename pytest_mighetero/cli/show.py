"""``mighetero show``: what records say of their runs."""

from __future__ import annotations

import argparse
import json
import sys

from pytest_mighetero.cli.records import add_records
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.page import page
from pytest_mighetero.terms.printable import printable_line

NAME = "show"
HELP = "what the records of runs say"
DESCRIPTION = """\
Print records of runs: outcomes, facts, harnesses, overlap, attempts, telemetry.
The exit code is 1 where a results folder has a damaged record among others.

examples:
  mighetero show results/20260722-101500-dlrm_server
  mighetero show results --json | jq '.[].facts.value'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero show``."""
    add_records(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="the records themselves, as one list, each on a line",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the records."""
    opened, between, closed = (
        ("[\n", ",\n", "\n]\n") if arguments.json else ("", "\n\n", "\n")
    )
    damaged, before = [], opened
    for each in find_records(arguments.records, arguments.select):
        try:
            if isinstance(each, RecordError):
                raise each
            text = json.dumps(each.data) if arguments.json else page(each)
        except RecordError as error:
            damaged.append(str(error))
        except RecursionError:
            damaged.append(f"{each.path} is nested too deeply")
        else:
            sys.stdout.write(before + text)
            before = between
    sys.stdout.write(closed if before == between else opened + closed)
    for problem in damaged:
        print(f"mighetero show: {printable_line(problem)}", file=sys.stderr)
    return 1 if damaged else 0
