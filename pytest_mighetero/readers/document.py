"""A tool's JSON file: what stands in it by its keys, and what is wrong with it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from pytest_mighetero.readers.loadgen.keys import finite
from pytest_mighetero.readers.logfile import LogFile

_SIZE_LIMIT = 32 * 1024 * 1024
_PERCENTILE = re.compile(r"\d{1,3}(?:\.\d{1,9})?", re.ASCII)


class Document:
    """One JSON object; what it does not say, or says as nothing sensible, is None.

    Attributes:
        name: the file's.
        root: all of it; empty where it is no JSON object.
        problems: sentences on the file, and on each value that was asked for and is no
            such thing.
    """

    def __init__(self, name: str, root: object, problem: str = ""):
        self.name = name
        self.problems = [f"{name} {problem}."] if problem else []
        self.root: Mapping[str, object] = {}
        if isinstance(root, dict):
            self.root = root
        elif not problem:
            self.problems.append(f"{name} holds {_shown(root)}, expected an object.")

    def at(self, *keys: str) -> object:
        """Return what stands below *keys*, one in another; None for nothing."""
        found: object = self.root
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def number(self, *keys: str, least: float = 0.0) -> float | None:
        """Return a finite number from *least* on."""
        value = self.at(*keys)
        number = None if isinstance(value, str) else finite(value)
        if number is not None and number >= least:
            return number
        from_least = "" if math.isinf(least) else f" from {least:g} on"
        self._wrong(value, keys, f"a number{from_least}")
        return None

    def text(self, *keys: str) -> str | None:
        """Return a text that can be written, or None for an empty one, too."""
        value = self.at(*keys)
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode() or None
        self._wrong(value, keys, "a text")
        return None

    def flag(self, *keys: str) -> bool | None:
        """Return whether it says true."""
        value = self.at(*keys)
        if isinstance(value, bool):
            return value
        self._wrong(value, keys, "true or false")
        return None

    def by_percentile(self, *keys: str) -> dict[float, float]:
        """Return the numbers of an object whose keys are percentiles, by these."""
        given = self.at(*keys)
        names = given if isinstance(given, dict) else ()
        known = [each for each in names if _PERCENTILE.fullmatch(each)]
        numbers = {each: self.number(*keys, each, least=-math.inf) for each in known}
        said = {float(at): each for at, each in numbers.items() if each is not None}
        return dict(sorted(said.items()))

    def _wrong(self, value: object, keys: tuple[str, ...], expected: str) -> None:
        if value is not None:
            said = f"{'.'.join(keys)} is {_shown(value)}, expected {expected}"
            self.problems.append(f"{self.name}: {said}.")


def read_document(path: Path) -> Document:
    """Read a JSON file of any size and content.

    Raises:
        FileNotFoundError: it is not there.
    """
    try:
        with closing(LogFile(path)) as file:
            content = file.read(_SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        return Document(path.name, None, f"cannot be read: {error.strerror}")
    if len(content) > _SIZE_LIMIT:
        megabytes = _SIZE_LIMIT // 1024**2
        return Document(path.name, None, f"is larger than {megabytes} MB, not read")
    try:
        return Document(path.name, json.loads(content))
    except (ValueError, RecursionError) as error:
        how = str(error) if isinstance(error, json.JSONDecodeError) else "unreadable"
        said = f"is cut off, or no JSON: {how}" if content else "is empty"
        return Document(path.name, None, said)


def _shown(value: object) -> str:
    """Return a short word for a value of any size."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value)[:40]
