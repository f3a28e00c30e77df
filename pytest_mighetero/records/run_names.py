"""The names of the runs' folders in a results folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

_RUN = re.compile(r"\d{8}-\d{6}-")


def run_names(results: Path, part: str = "") -> list[str]:
    """Return the names of the runs' folders in *results*, the oldest first.

    Args:
        results: one folder for each run, its name beginning with the local time.
        part: what the names have in common.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(results) as entries:
        return sorted(each.name for each in entries if part in each.name and _is(each))


def holds_runs_alone(folder: Path) -> bool:
    """Tell whether all that is seen in *folder* is named as runs are, by their time."""
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if not each.name.startswith(".")]
    except OSError:
        return False
    return bool(names) and all(map(_RUN.match, names))


def _is(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
