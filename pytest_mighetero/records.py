"""The record of one run: a JSON file, complete whenever it is there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mighetero.errors import HarnessError

VERSION = 1


def new_folder(results: Path, name: str) -> Path:
    """Return the path of a new folder for one run, not made yet.

    The name starts with the local time, so that a listing is in order.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    number = 1
    while (path := results / _numbered(f"{stamp}-{name}", number)).exists():
        number += 1
    return path


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def make_folder(results: Path, name: str) -> Path:
    """Make a new folder for one run and return it, whoever else makes one now.

    Raises:
        HarnessError: it cannot be made.
    """
    while True:
        path = new_folder(results, name)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if not path.is_dir():
                raise HarnessError(f"{path.parent} is no folder.") from None
        except OSError as error:
            raise HarnessError(
                f"{path} cannot be made: {error.strerror}; choose another "
                f"--results-dir."
            ) from error
        else:
            return path


def write_record(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write ``record.json`` into *folder*: under another name, then renamed.

    Raises:
        OSError: it cannot be written; an earlier record is still there.
    """
    path, partial = folder / "record.json", folder / "record.json.partial"
    text = json.dumps({"version": VERSION, **record}, indent=2, default=str)
    with partial.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return path
