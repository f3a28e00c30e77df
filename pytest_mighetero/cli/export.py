"""``mighetero export``: runs to where others look: a submission, a sheet, metrics."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mighetero.cli.argument import named_path
from pytest_mighetero.cli.handover import (
    Handover,
    RefusedError,
    copy,
    folder_of,
    handover_of,
    there_are,
)
from pytest_mighetero.cli.output import add_output, write_output
from pytest_mighetero.cli.records import add_records
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.comparison.sides import KINDS, kind_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.columns import columns
from pytest_mighetero.show.exposition import exposition
from pytest_mighetero.show.sheet import sheet
from pytest_mighetero.terms.printable import printable_line

NAME = "export"
HELP = "main's logs to where make update_results looks; or CSV, or metrics"
DESCRIPTION = """\
Copy main's LOG_DIR of each good run, and no background's, to build/logs/<run> of its
harness folder, where make update_results finds it; performance and accuracy runs, since
a submission needs both. Of an audit the files go to build/compliance_logs, for make
update_compliance. Nothing is overwritten: what is there already is left as it is.

A run is left out, with the reason, that failed or did not end, whose overlap broke,
whose logs are INVALID, damaged, or not those that were judged; and one that nothing ran
beside, unless it is for accuracy. --runs=isolated takes these, and not the others.

With --csv the runs are written instead, a row each, whatever they came to; with
--openmetrics the last run of each test and set-up, as gauges, for the textfile
collector of Prometheus' node exporter, which takes files that end with .prom. A figure
is only there of a good and VALID run. The file is replaced at once: no reader sees half
of it.

examples:
  mighetero export results/20260722-101500-dlrm_server
  mighetero export results --to=/mlperf/closed/MyOrg
  mighetero export results --csv > runs.csv
  mighetero export results --openmetrics -o /var/lib/metrics/mighetero.prom

The exit code is 1 where a run was left out, or a record is damaged.
"""
# Which of several runs of a kind update_results takes (v1.0 to v2.1).
_TAKES = {
    "performance": "the best VALID one",
    "accuracy": "any one, not the newest",
}
_ENDINGS = {sheet: ".csv", exposition: ".prom"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero export``."""
    add_records(parser)
    parser.add_argument(
        "--to",
        metavar="DIR",
        type=lambda text: Path(named_path(text)),
        help="the closed/<org> folder (the one that each run was made in)",
    )
    parser.add_argument(
        "--runs",
        choices=KINDS,
        help=f"which (of logs {KINDS[1]}, of others all)",
    )
    parser.add_argument(
        "--failed",
        action="store_true",
        help="those, too, whose test failed or whose overlap broke, if main's logs "
        "are good",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--csv",
        action="store_const",
        const=sheet,
        dest="form",
        help="the runs themselves, as CSV",
    )
    form.add_argument(
        "--openmetrics",
        action="store_const",
        const=exposition,
        dest="form",
        help="the last results, as metrics for Prometheus",
    )
    add_output(parser, *_ENDINGS.values())


def run(arguments: argparse.Namespace) -> int:
    """Copy, or write what was asked for; say what was left out."""
    if arguments.form is not None:
        return _written(arguments)
    if arguments.output is not None:
        raise ConfigError("--output: expected --csv or --openmetrics, too")
    return _handed_over(arguments)


def _written(arguments: argparse.Namespace) -> int:
    for option in ("to", "failed"):
        if getattr(arguments, option):
            raise ConfigError(f"--{option}: it is for logs; leave it out, or the form")
    written, output = _ENDINGS[arguments.form], arguments.output
    if output and Path(output).suffix.lower() not in ("", written):
        raise ConfigError(
            f"--output: expected a name that ends in {written}, which is what is "
            f"written, found {output}"
        )
    damaged: list[RecordError] = []
    lines = arguments.form(_chosen(arguments, damaged))
    write_output(output, "".join(f"{line}\n" for line in lines))
    for each in damaged:
        _say(str(each))
    return 1 if damaged else 0


def _chosen(
    arguments: argparse.Namespace, damaged: list[RecordError]
) -> Iterator[Record]:
    for each in find_records(arguments.records, arguments.select):
        if isinstance(each, RecordError):
            damaged.append(each)
        elif arguments.runs in (None, kind_of(each.facts)):
            yield each


def _handed_over(arguments: argparse.Namespace) -> int:
    kind = arguments.runs or KINDS[1]
    handed: list[Handover] = []
    rows: list[Sequence[str]] = []
    left_out: list[tuple[str, str]] = []
    for record in find_records(arguments.records, arguments.select):
        if isinstance(record, RecordError):
            left_out.append((str(record.path.parent), str(record)))
            continue
        try:
            handover = handover_of(record, kind, arguments.to, failed=arguments.failed)
            rows += list(_copied(handover, record))
            handed.append(handover)
        except RefusedError as error:
            left_out.append((str(record.path.parent), str(error)))
        except OSError as error:  # of one run: the others go on
            why = f"{error.filename} cannot be read: {error.strerror}"
            left_out.append((str(record.path.parent), why))
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
