"""What clients of a service left: real runs, their long lists and paths cut."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.readers.reader import Asked, reader_named
from pytest_mighetero.readers.result import Result

DATA = Path(__file__).with_name("data")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "client-logs"


def read(tool: str, folder: Path) -> Result:
    (result,) = reader_named(tool).read_all(folder, folder / "output.log")
    return result


def copy(tool: str, run: str, to: Path) -> Path:
    return Path(shutil.copytree(DATA / tool / run, to / run))


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change what a JSON file holds; whatever *change* returns is ignored."""
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


def said_by_differences(tool: str, result: Result, **asked: str) -> list[str]:
    every = [Asked(name, value, f"--{name}={value}") for name, value in asked.items()]
    return [each.said for each in reader_named(tool).differences(every, result)]


def seen_from(tool: str, text: bytes, file: Path, steps: range) -> int | None:
    """Return the size of a growing file at which it first tells that queries go out."""
    output = file.parent / "output.log"
    query = FirstQuery(file.parent, output, reader_named(tool).sign)
    for size in steps:
        file.write_bytes(text[:size])
        if query.look():
            return size
    return None
