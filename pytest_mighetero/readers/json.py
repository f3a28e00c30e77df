"""Reads the JSON document of any tool, by the paths that a suite gives.

It is a file below {log_dir}, or the last document in the output. Of several, as in a
file with one to the line, the last one counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.readers.assembly import KEPT, Assembly, Found
from pytest_mighetero.readers.reader import Reader
from pytest_mighetero.readers.result import Result
from pytest_mighetero.readers.result_table import ResultTable, at, read_table
from pytest_mighetero.readers.scan import Scan, read_end, scan

_LONGEST = 200  # characters of a message
_FILE_MIB = 256  # some list each request
_OUTPUT_MIB = 16  # at its end
_INDEX = re.compile(r"-?\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class _Path:
    """Where in a document a figure is; several are summed.

    The keys of tables and indices of lists stand with dots between, as
    ``benchmarks.0.duration``; a key may have dots of its own. ``*`` and ``[45]*`` stand
    for all keys like that, and what they find is summed, too.
    """

    keys: tuple[tuple[str, ...], ...]
    has_unit = False

    def find(self, document: object) -> list[object]:
        """Return what is there: nothing where a part of the path is not."""
        return [each for keys in self.keys for each in _walk(document, keys)]

    def leads(self, document: object) -> bool:
        """Tell whether it is there, were there only such keys as ``*`` stands for."""
        plain = [keys[: _globs(keys)] for keys in self.keys]
        return any([*_walk(document, keys)] for keys in plain)

    def __str__(self) -> str:
        """Return it as the suite has it."""
        return ", ".join(".".join(keys) for keys in self.keys)

    @property
    def sums(self) -> bool:
        """Whether it is the sum of what it finds."""
        return len(self.keys) > 1 or _globs(self.keys[0]) < len(self.keys[0])


def configured(said: Mapping[str, object]) -> Reader:
    """Return the reader that a suite's ``result`` describes.

    Its keys are those of ``result_table``, ``file``, the name of the file that has the
    document, and ``errors``, the path to a list of messages.

    Raises:
        ConfigError: a key cannot be meant.
    """
    table = read_table(said, _path, ("file", "errors"))
    errors = at("errors", _path, said["errors"]) if "errors" in said else None
    file = said.get("file")
    is_name = isinstance(file, str) and file != ".." and Path(file).name == file != ""
    if file is not None and not is_name:
        raise ConfigError(
            f"file: expected the name of a file, which may be in any folder below "
            f"{{log_dir}}, found {file!r}"
        )
    return _Json(table, errors, None if file is None else str(file))


class _Json(Reader):
    name = "json"
    judges = False
    at_end = True

    def __init__(
        self, table: ResultTable[_Path], errors: _Path | None, file: str | None
    ):
        self._table, self._errors, self._file = table, errors, file
        self.tool, self.sign, self.stamps = table.tool, table.sign, table.has_stamps
        self.names = (file,) if file else ()

    def read(self, folder: Path) -> Result:
        if self._file is None:
            raise FileNotFoundError(f"{self.tool} writes its result to its output.")
        try:
            found = scan(read_end(folder / self._file, _FILE_MIB))
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(f"No {self._file} in {folder}.") from None
        except OSError as error:
            return self._damaged(folder, f"cannot be read: {error.strerror}")
        if not found.count and not found.broken:
            return self._damaged(folder, f"has no document in {_FILE_MIB} MiB")
        return self._result(folder, found)

    def read_all(self, log_dir: Path, output: Path) -> list[Result]:
        if self._file is not None:
            return super().read_all(log_dir, output)
        try:
            found = scan(read_end(output, _OUTPUT_MIB))
        except OSError:
            return []
        return [self._result(log_dir, found)] if found.count else []

    def _result(self, folder: Path, found: Scan) -> Result:
        if found.broken:
            return self._damaged(folder, "ends within a document")
        seen = {
            key: Found(value)
            for key, path in self._table.places.items()
            for value in _values(path, found.last)
        }
        told = [*_messages(self._errors.find(found.last))] if self._errors else []
        assembly = Assembly(self._table, self.name, seen)
        return assembly.result(folder, told[:KEPT], len(told))

    def _damaged(self, folder: Path, why: str) -> Result:
        sentence = f"{self._file or 'its output'} {why}."
        return Result(folder, self.tool, damage=(sentence,))


def _path(said: object) -> _Path:
    paths = said if isinstance(said, list) and said else [said]
    return _Path(tuple(map(_keys, paths)))


def _keys(path: object) -> tuple[str, ...]:
    if not isinstance(path, str) or not all(keys := path.split(".")):
        raise ConfigError(
            f"expected a path such as summary.requestsPerSec or runs.0.rate, or a "
            f"list of such paths, found {path!r}"
        )
    return tuple(keys)


def _values(path: _Path, document: object) -> Iterator[object]:
    """Return the one figure, or none; None stands for none, too."""
    values = [each for each in path.find(document) if each is not None]
    if not path.sums:
        yield from values
    elif values or path.leads(document):
        # A sum with something in it that is no number is none.
        numbers = all(type(each) in (int, float) for each in values)
        yield sum(values) if numbers else values  # type: ignore[arg-type]


def _globs(keys: Sequence[str]) -> int:
    """Return the place of the first key that stands for several, or their number."""
    places = (n for n, key in enumerate(keys) if "*" in key)
    return next(places, len(keys))


def _walk(value: object, keys: Sequence[str]) -> Iterator[object]:
    """Return what is at a path."""
    if not keys:
        yield value
        return
    for inner, count in _steps(value, keys):
        yield from _walk(inner, keys[count:])


def _steps(value: object, keys: Sequence[str]) -> Iterator[tuple[object, int]]:
    """Return what is one step on, and how many of the keys that was."""
    if isinstance(value, list) and keys[0] == "*":
        yield from ((each, 1) for each in value)
    elif isinstance(value, list) and _INDEX.fullmatch(keys[0]):
        index = int(keys[0])
        if -len(value) <= index < len(value):
            yield value[index], 1
    elif isinstance(value, dict):
        # The longest key first: p99.9 before p99.
        for count in range(len(keys), 0, -1):
            if (key := ".".join(keys[:count])) in value:
                yield value[key], count
                return
        if "*" in keys[0]:
            fits = (key for key in value if fnmatchcase(key, keys[0]))
            yield from ((value[key], 1) for key in fits)


def _messages(values: Sequence[object]) -> Iterator[str]:
    """Return the messages of lists, tables (their keys) and texts; empty ones not."""
    for value in values:
        inner = [*value] if isinstance(value, (list, dict)) else [value]
        for each in inner:
            if each not in (None, "", False):
                yield str(each)[:_LONGEST]
