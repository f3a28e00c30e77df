"""The arguments of the verbs that read records."""

from __future__ import annotations

import argparse

from pytest_mighetero.cli.argument import named_path


def add_records(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name records."""
    parser.add_argument(
        "records",
        nargs="+",
        metavar="RECORD",
        type=named_path,
        help="a record.json, a run's folder, or a results folder for all in it",
    )
    add_select(parser)


def add_select(parser: argparse.ArgumentParser) -> None:
    """Add the argument that chooses among the runs of a results folder."""
    parser.add_argument(
        "--select",
        metavar="TEXT",
        default="",
        help="of a results folder only the runs with TEXT in their folder's name, such "
        "as dlrm_server or 202607",
    )
