"""``mighetero trace``: what happened when in runs, for Perfetto."""

from __future__ import annotations

import argparse
import json
import sys

from pytest_mighetero.cli.output import add_output, write_output
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.trace import trace
from pytest_mighetero.terms.printable import printable_line

NAME = "trace"
HELP = "what happened when in runs, for Perfetto"
DESCRIPTION = """\
Write runs as a trace that https://ui.perfetto.dev and chrome://tracing open: a track
for each harness with its life and its timed windows, the first query and what went
wrong as marks, and what the GPU said of itself as counters. Each run begins at 0.
The exit code is 1 where a results folder has a damaged record among others.

examples:
  mighetero trace results/20260722-101500-dlrm_server -o trace.json
  mighetero trace results --select=dlrm_server -o trace.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero trace``."""
    add_records(parser)
    add_output(parser, ".json")


def run(arguments: argparse.Namespace) -> int:
    """Write the trace."""
    found = list(find_records(arguments.records, arguments.select))
    damaged = [each for each in found if isinstance(each, RecordError)]
    whole = [each for each in found if not isinstance(each, RecordError)]
    text = json.dumps(trace(whole), separators=(",", ":"))
    write_output(arguments.output, f"{text}\n")
    for problem in damaged:
        print(f"mighetero trace: {printable_line(str(problem))}", file=sys.stderr)
    return 1 if damaged else 0
