"""``mighetero junit``: the junit XML of runs again, from their records."""

from __future__ import annotations

import argparse
import shutil
import tempfile

from pytest_mighetero.cli.output import add_output, opened_output
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.replay import FAMILIES, write_junit

NAME = "junit"
HELP = "the junit XML again, from records"
DESCRIPTION = """\
Write the junit XML of runs from their records, where pytest ended before it could: the
same testcases, properties, failures and output. A run that did not end, and a damaged
record in a results folder, are errors. What a test printed itself is not in a record.

xunit2 leaves out what the schema of Jenkins' xunit plugin does not know: file and line
of a testcase; with --no-properties its properties, too, which its output has as text.

examples:
  mighetero junit results -o report.xml
  mighetero junit results --junit-family=xunit2 --no-properties -o report.xml
  mighetero junit results/20260722-101500-dlrm_server > report.xml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero junit``."""
    add_records(parser)
    parser.add_argument(
        "--junit-family",
        choices=FAMILIES,
        default=FAMILIES[0],
        help="its dialect (%(default)s)",
    )
    parser.add_argument(
        "--no-properties",
        action="store_true",
        help="leave the facts of runs out as properties",
    )
    add_output(parser, ".xml")


def run(arguments: argparse.Namespace) -> int:
    """Write the junit XML."""
    records = find_records(arguments.records, arguments.select)
    with tempfile.TemporaryFile() as xml:
        family, properties = arguments.junit_family, not arguments.no_properties
        write_junit(records, xml, family=family, properties=properties)
        xml.seek(0)
        with opened_output(arguments.output) as file:
            shutil.copyfileobj(xml, file)
    return 0
