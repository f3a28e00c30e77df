"""From paths to the records there: one at a time, in the order of the runs' folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.history_index import HistoryIndex
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import EXPECTED, RecordError, read_record
from pytest_mighetero.records.run_names import RECORD, run_names


def has_records(results: Path, part: str = "") -> bool:
    """Tell whether a run's folder in *results* holds what has a record's name."""
    try:
        names = run_names(results, part)
    except OSError:
        return False
    return any(os.path.lexists(results / name / RECORD) for name in names)


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


def find_records(
    paths: Iterable[str], select: str = ""
) -> Iterator[Record | RecordError]:
    """Yield every record that *paths* mean, each folder's the oldest first.

    What has a record's name and is none is yielded as what is wrong with it; that alone
    is raised where nothing else was asked for.

    Args:
        paths: of records, of runs' folders, of results folders.
        select: what the names of the runs' folders in a results folder have in common.

    Raises:
        ConfigError: there is none in a path.
        RecordError: the only path names one that cannot be read.
    """
    given = [Path(path) for path in paths]
    for path in given:
        _check(path, select)
    for path in given:
        one = named(path)
        for record in _records_of(path, select) if one is None else [one]:
            try:
                yield read_record(record)
            except FileNotFoundError:
                if one is not None:
                    raise
            except RecordError as damaged:
                if one is not None and len(given) == 1:
                    raise
                yield damaged


def _records_of(results: Path, part: str) -> list[Path]:
    try:
        return [results / name / RECORD for name in run_names(results, part)]
    except OSError as error:  # it is gone meanwhile
        raise _unreadable(results, error) from error


def _check(path: Path, select: str) -> None:
    """Make sure that *path* holds records.

    Raises:
        ConfigError: it holds none.
    """
    if named(path) is not None or has_records(path, select):
        return
    if not os.path.lexists(path):
        raise ConfigError(f"{path}: no such file or folder; {EXPECTED}")
    try:
        os.scandir(path).close()
    except OSError as error:
        raise _unreadable(path, error) from error
    if select and has_records(path):
        raise ConfigError(f"{path}: no run with {select!r} in its folder's name")
    raise ConfigError(f"{path}: no record in it; {EXPECTED}")


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path} cannot be read: {error.strerror}; {EXPECTED}")


def named(path: Path) -> Path | None:
    """Return the one record that *path* is, or that its folder holds; else None."""
    if os.path.lexists(path) and not path.is_dir():
        return path
    inside = path / RECORD
    return inside if os.path.lexists(inside) else None
