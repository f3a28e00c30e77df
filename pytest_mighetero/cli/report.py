"""``mighetero report``: runs as one HTML page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_mighetero.cli.output import add_output
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.html.page_file import write_page
from pytest_mighetero.show.upshot import DAMAGED
from pytest_mighetero.terms.printable import printable_line

NAME = "report"
HELP = "runs as one HTML page"
DESCRIPTION = """\
Write one HTML page of runs: verdict, machine, what was run, the table, the heat map of
who slows whom down, and each run's timeline, failure, figures, last lines and facts. It
needs no network and no script, and can be read where a policy drops its styles.

examples:
  mighetero report results -o report.html
  mighetero report results --select=dlrm_server -o dlrm.html

The exit code is 1 where a results folder has a damaged record among others.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero report``."""
    add_records(parser)
    add_output(parser, ".html", ".htm", text="where to write it", required=True)


def run(arguments: argparse.Namespace) -> int:
    """Write the page, and say what could not be read."""
    records = find_records(arguments.records, arguments.select)
    entries = write_page(records, Path(arguments.output), {}, said_by="--output")
    damaged = [each for each in entries if each.verdict == DAMAGED]
    for each in damaged:
        print(f"mighetero report: {printable_line(each.sentence)}", file=sys.stderr)
    return 1 if damaged else 0
