"""``mighetero timeline``: what happened when in a run, as a picture."""

from __future__ import annotations

import argparse

from pytest_mighetero.cli.output import add_output, write_output
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records

NAME = "timeline"
HELP = "what happened when in a run, as a picture"
DESCRIPTION = """\
Draw one run as SVG: every harness a bar from its launch to its exit, its timed window
solid, main's window a band through all, and what went wrong. A run that ends leaves it
in its folder as timeline.svg; this is for one that was killed, and for older records.

examples:
  mighetero timeline results/20260722-101500-dlrm_server -o timeline.svg
  mighetero timeline results --select=dlrm_server > timeline.svg
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero timeline``."""
    add_records(parser)
    add_output(parser, ".svg")


def run(arguments: argparse.Namespace) -> int:
    """Draw the run."""
    from pytest_mighetero.show.pictures.timeline import timeline

    found = list(find_records(arguments.records, arguments.select))
    if len(found) > 1:
        some = ", ".join(each.path.parent.name for each in found[:3])
        raise ConfigError(
            f"expected one run, found {len(found)} ({some}, ...): name a run's folder, "
            f"or choose one with --select"
        )
    (record,) = found
    if isinstance(record, RecordError):
        raise record
    write_output(arguments.output, timeline(record).svg())
    return 0
