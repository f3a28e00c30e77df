"""From the paths on a command line to records, one at a time."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import (
    EXPECTED,
    NAME,
    RecordError,
    read_record,
)
from pytest_mighetero.records.results_folder import has_records, records_in


def add_records(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name records."""
    parser.add_argument(
        "records",
        nargs="+",
        metavar="RECORD",
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
        check_records(path, select)
    for path in given:
        if (one := named(path)) is None:
            try:
                yield from records_in(path, select)
            except OSError as error:  # it is gone meanwhile
                raise _unreadable(path, error) from error
            continue
        try:
            yield read_record(one)
        except RecordError as damaged:
            if len(given) == 1:
                raise
            yield damaged


def check_records(path: Path, select: str) -> None:
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
    inside = path / NAME
    return inside if os.path.lexists(inside) else None
