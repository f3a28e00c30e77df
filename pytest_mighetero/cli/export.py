"""``mighetero export``: main's logs to where ``make update_results`` looks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mighetero.cli.handover import (
    Handover,
    RefusedError,
    copy,
    folder_of,
    handover_of,
    there_are,
)
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.records.comparison.sides import KINDS
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.columns import columns
from pytest_mighetero.terms.printable import printable_line

NAME = "export"
HELP = "main's logs to where make update_results looks"
DESCRIPTION = """\
Copy main's LOG_DIR of each good run, and no background's, to build/logs/<run> of its
harness folder, where make update_results finds it; performance and accuracy runs, since
a submission needs both. Of an audit the files go to build/compliance_logs, for make
update_compliance. Nothing is overwritten: what is there already is left as it is.

A run is left out, with the reason, that failed or did not end, whose overlap broke,
whose logs are INVALID, damaged, or not those that were judged; and one that nothing ran
beside, unless it is for accuracy. --runs=isolated takes these, and not the others.

examples:
  mighetero export results/20260722-101500-dlrm_server
  mighetero export results --to=/mlperf/closed/MyOrg

The exit code is 1 where a run was left out.
"""
# Which of several runs of a kind update_results takes (v1.0 to v2.1).
_TAKES = {
    "performance": "the best VALID one",
    "accuracy": "any one, not the newest",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero export``."""
    add_records(parser)
    parser.add_argument(
        "--to",
        metavar="DIR",
        type=Path,
        help="the closed/<org> folder (the one that each run was made in)",
    )
    parser.add_argument(
        "--runs", choices=KINDS, default=KINDS[1], help="which (%(default)s)"
    )
    parser.add_argument(
        "--failed",
        action="store_true",
        help="those, too, whose test failed or whose overlap broke, if main's logs "
        "are good",
    )


def run(arguments: argparse.Namespace) -> int:
    """Copy, and say what was copied and what was left out."""
    handed: list[Handover] = []
    rows: list[Sequence[str]] = []
    left_out: list[tuple[str, str]] = []
    for record in find_records(arguments.records, arguments.select):
        if isinstance(record, RecordError):
            left_out.append((str(record.path.parent), str(record)))
            continue
        try:
            handover = handover_of(
                record, arguments.runs, arguments.to, failed=arguments.failed
            )
            rows += list(_copied(handover, record))
            handed.append(handover)
        except RefusedError as error:
            left_out.append((str(record.path.parent), str(error)))
    if rows:
        print("\n".join(columns(("run", "of", "figure", "to"), rows)))
    for note in _notes(handed):
        _say(note)
    for path, why in left_out:
        _say(f"left out {path}: {' '.join(why.split()).rstrip('.')}")
    return 1 if left_out else 0


def _say(sentence: str) -> None:
    print(f"mighetero export: {printable_line(sentence)}", file=sys.stderr)


def _copied(handover: Handover, record: Record) -> Iterator[Sequence[str]]:
    run = folder_of(record).name
    for source, target in handover.folders:
        there = "" if copy(source, target) else " (it was there already)"
        yield run, handover.kind, handover.figure, f"{target}{there}"


def _notes(handed: Sequence[Handover]) -> Iterator[str]:
    """Say what ``update_results`` has to choose from, and what is missing."""
    places = {(each.logs, each.place) for each in handed if each.kind in _TAKES}
    for logs, place in sorted(places):
        for kind, takes in _TAKES.items():
            found = there_are(logs, place, kind)
            if len(found) > 1:
                yield (
                    f"{logs} has {len(found)} {kind} runs of {place}: "
                    f"{', '.join(found)}; update_results takes {takes}"
                )
            elif not found:
                yield (
                    f"{logs} has no {kind} run of {place} yet (--test_mode="
                    f"{kind.capitalize()}Only), and a submission needs one"
                )
