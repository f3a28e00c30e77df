"""A results folder as its records: one at a time, in the order of the runs' folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pytest_mighetero.records.history_index import HistoryIndex
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import NAME, RecordError, read_record
from pytest_mighetero.records.run_names import run_names


def records_in(results: Path, part: str = "") -> Iterator[Record | RecordError]:
    """Yield every record of *results*, or what is wrong with it, the oldest first.

    Args:
        results: a results folder.
        part: what the names of the runs' folders have in common.

    Raises:
        OSError: the folder cannot be read.
    """
    for name in run_names(results, part):
        try:
            yield read_record(results / name / NAME)
        except FileNotFoundError:
            continue
        except RecordError as damaged:
            yield damaged


def has_records(results: Path, part: str = "") -> bool:
    """Tell whether a run's folder in *results* holds what has a record's name."""
    try:
        names = run_names(results, part)
    except OSError:
        return False
    return any(os.path.lexists(results / name / NAME) for name in names)


def good_records(results: Path, part: str, mark: str) -> Iterator[Record]:
    """Yield the records of good runs that have *mark*, the newest first.

    What is no record is left out; so is a folder that cannot be read.

    Args:
        results: a results folder.
        part: what the names of the runs' folders have in common.
        mark: one by ``marks``.
    """
    try:
        names = run_names(results, part)
    except OSError:
        return
    with closing(HistoryIndex(results, mark)) as index:
        for name in reversed(names):
            if (record := index.read(name)) is not None:
                yield record


def light(record: Record) -> Record:
    """Return *record* with its facts and phases alone, to keep many of them."""
    return replace(record, data={})
