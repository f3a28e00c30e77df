"""The names in a results folder: of the runs' folders, and of what is in them."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from pytest_mighetero.errors import HarnessError

RECORD = "record.json"
TIMELINE = "timeline.svg"
INDEX = ".history-index"
# What is written about all runs of a session.
MATRIX = "interference"  # .json, .csv, .svg
_STAMP = "%Y%m%d-%H%M%S"  # local time, so that a listing is in order
_TURNED_BACK_S = 2 * 3600 + 60
_RUN = re.compile(r"\d{8}-\d{6}-")
_NUMBER = re.compile(r"-([0-9]+)\Z")


def stamp_of(wall: float) -> str:
    """Return what the names of folders begin with that were made then."""
    return time.strftime(_STAMP, time.localtime(wall))


def day_of(name: str) -> str:
    """Return when a run began by its folder's *name*: ``2026-07-22 10:15``."""
    try:
        began = time.strptime(name[:15], _STAMP)
    except ValueError:
        return "a day that its name does not say"
    return time.strftime("%Y-%m-%d %H:%M", began)


def new_folder(results: Path, name: str) -> Path:
    """Return the path of a new folder for one run, not made yet."""
    first = path = results / f"{time.strftime(_STAMP)}-{name}"
    number = 1
    while path.exists():
        number += 1
        path = first.with_name(f"{first.name}-{number}")
    return path


def make_folder(results: Path, name: str, said_by: str = "--results-dir") -> Path:
    """Make a new folder for one run and return it, whoever else makes one now.

    Messages name who says where, *said_by*.

    Raises:
        HarnessError: it cannot be made.
    """
    while True:
        path = new_folder(results, name)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if not path.is_dir():
                raise HarnessError(f"{said_by}: {results} is no folder.") from None
        except OSError as error:
            raise HarnessError(
                f"{said_by}: {path} cannot be made: {error.strerror}; choose another "
                f"--results-dir."
            ) from error
        else:
            return path


def run_names(results: Path, part: str = "") -> list[str]:
    """Return the names of the runs' folders with *part* in them, the oldest first.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(results) as entries:
        names = [x.name for x in entries if part in x.name and _is_folder(x)]
    return sorted(names, key=order_of)


def order_of(name: str) -> tuple[str, str, int, str]:
    """Return what names are sorted by: of those of one second ``-2`` before ``-10``.

    Local time goes back when summer ends: then a later run may come first.
    """
    stamp, rest = name[:15], name[15:]
    number = _NUMBER.search(rest)
    stem = rest[: number.start()] if number else rest
    return stamp, stem, int(number[1]) if number else 1, name


def names_since(results: Path, began: float) -> list[str]:
    """Return the names of the folders of runs that began after *began*, in order.

    Names have local time, which may go back by an hour or two when summer ends: some
    of runs that began earlier may be among them.
    """
    earliest = time.strftime(_STAMP, time.localtime(began - _TURNED_BACK_S))
    try:
        return [name for name in run_names(results) if name >= earliest]
    except OSError:  # no run has made it
        return []


def holds_runs_alone(folder: Path) -> bool:
    """Tell whether all that is seen in *folder* is named as runs are, by their time."""
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if not each.name.startswith(".")]
    except OSError:
        return False
    runs = [name for name in names if not name.startswith(f"{MATRIX}.")]
    return bool(runs) and all(map(is_stamped, runs))


def is_stamped(name: str) -> bool:
    """Tell whether a folder's *name* begins as those of runs do, with their time."""
    return _RUN.match(name) is not None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
