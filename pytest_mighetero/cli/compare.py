"""``mighetero compare``: two sets of runs beside each other."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pytest_mighetero.cli.argument import named_path
from pytest_mighetero.cli.records import add_select
from pytest_mighetero.records.comparison.matches import as_dict, notes, pair
from pytest_mighetero.records.comparison.sides import KINDS, read_side
from pytest_mighetero.show.contrast import contrast
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero compare``."""
    for name in "AB":
        parser.add_argument(
            name.lower(),
            metavar=name,
            type=named_path,
            help=f"what {name} is read from",
        )
        parser.add_argument(
            f"--runs-{name.lower()}",
            choices=KINDS,
            help=f"which runs of {name}, where its records are of both kinds",
        )
    add_select(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison."""
    a = read_side("A", Path(arguments.a), arguments.runs_a, arguments.select)
    b = read_side("B", Path(arguments.b), arguments.runs_b, arguments.select)
    rows, left_out = pair(a, b)
    noted = notes(a, b, rows)
    if arguments.json:
        document = {
            "a": {"path": str(a.path), "runs": a.kind},
            "b": {"path": str(b.path), "runs": b.kind},
            "rows": [as_dict(row) for row in rows],
            "left_out": [vars(each) for each in left_out],
            "notes": noted,
        }
        print(json.dumps(document, indent=2))
    else:
        print(printable("\n".join(contrast(a, b, rows, left_out, noted))))
    return 0 if rows else 1
