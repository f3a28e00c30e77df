"""From paths to the records there: one at a time, in the order of the runs' folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.history_index import HistoryIndex
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import EXPECTED, RecordError, read_record
from pytest_mighetero.records.run_names import RECORD, is_stamped, run_names
from pytest_mighetero.terms.lookup import found


def has_records(path: Path) -> bool:
    """Tell whether *path* is, or has runs' folders with, what has a record's name.

    Raises:
        ConfigError: it cannot be read.
    """
    if named_record(path) is not None:
        return True
    return found(path) and bool(_recorded(path))


def named_record(path: Path) -> Path | None:
    """Return the one record that *path* is, or that its folder holds; else None.

    Raises:
        ConfigError: nobody can tell.
    """
    try:
        if found(path) and not path.is_dir():
            return path
        inside = path / RECORD
        return inside if found(inside) else None
    except OSError as error:
        raise _unreadable(path, error) from error


def check_compared(where: Path | str | None, said_by: str) -> None:
    """Refuse to compare with the one record that *where* names if it is none.

    Raises:
        ConfigError: naming who said it.
    """
    if not isinstance(where, Path):  # last, or nothing
        return
    try:
        if (one := named_record(where)) is not None:
            read_record(one)
    except (ConfigError, FileNotFoundError, RecordError) as error:
        raise ConfigError(f"{said_by}: {error}") from error


def good_records(
    results: Path, part: str, mark: str, unread: list[str] | None = None
) -> Iterator[Record]:
    """Yield the records of good runs with *mark* (see ``marks``), the newest first.

    Their folders' names have *part* in them. What is no record is left out; so is a
    folder that cannot be read. *unread* gets a sentence of each record before the last
    one yielded that may be such a one, and cannot be read.
    """
    try:
        names = run_names(results, part)
    except OSError:
        return
    unread = [] if unread is None else unread
    with closing(HistoryIndex(results, mark, unread)) as index:
        for name in reversed(names):
            if (record := index.read(name)) is not None:
                yield record


def told(unread: Sequence[str]) -> str:
    """Return the first of such sentences, and how many more there are."""
    more = len(unread) - 1
    return unread[0] + (f" (and {more} more)" if more else "")


def find_records(
    paths: Iterable[str],
    select: str = "",
    read: Callable[[Path], Record] = read_record,
) -> Iterator[Record | RecordError]:
    """Yield every record that *paths* mean, each folder's the oldest first.

    They are of records, of runs' folders, or of results folders; of these it is the
    runs with *select* in their folders' names. *read* may be ``read_outline``, where
    session, facts and phases are enough. What has a record's name and is none is
    yielded as what is wrong with it; that alone is raised where nothing else was asked
    for.

    Raises:
        ConfigError: there is none in a path, or it cannot be read.
        RecordError: the only path names one that cannot be read.
    """
    given = [(named_record(Path(path)), Path(path)) for path in paths]
    chosen = [[one] if one else _chosen(path, select) for one, path in given]
    for (one, _), records in zip(given, chosen, strict=True):
        for record in records:
            try:
                yield read(record)
            except FileNotFoundError:
                if one is not None:
                    raise
            except RecordError as damaged:
                if one is not None and len(given) == 1:
                    raise
                yield damaged


def _chosen(results: Path, select: str) -> list[Path]:
    """Return the records in a results folder, of runs with *select* in their names.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    if not found(results):
        raise ConfigError(f"{results}: no such file or folder; {EXPECTED}")
    names = _recorded(results)
    if not names:
        raise ConfigError(f"{results}: no record in it; {EXPECTED}")
    chosen = [results / name / RECORD for name in names if select in name]
    if not chosen:
        raise ConfigError(f"{results}: no run with {select!r} in its folder's name")
    return chosen


def _recorded(results: Path) -> list[str]:
    """Return the names of the runs' folders that have a record, or may have one.

    Raises:
        ConfigError: the folder cannot be read.
    """
    try:
        names = run_names(results)
    except OSError as error:
        raise _unreadable(results, error) from error
    return [name for name in names if _may_have_record(results, name)]


def _may_have_record(results: Path, name: str) -> bool:
    try:
        return found(results / name / RECORD)
    except OSError:  # whoever reads it says so
        return is_stamped(name)


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path} cannot be read: {error.strerror}; {EXPECTED}")
