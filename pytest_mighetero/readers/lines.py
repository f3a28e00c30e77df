r"""Reads what any tool prints, by the regular expressions that a suite gives.

Each has the group ``value``, as in ``Requests/sec:\s+(?P<value>[\d.]+)``, and may have
the group ``unit``. It is searched in one line at a time. The last match counts; counts
of requests are the sum of all matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.readers.assembly import KEPT, Assembly, Found
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.readers.reader import Reader
from pytest_mighetero.readers.result import Result
from pytest_mighetero.readers.result_table import (
    COUNTS,
    ResultTable,
    at,
    pattern_of,
    read_table,
)
from pytest_mighetero.terms.escapes import ESCAPE

_BLOCK = 256 * 1024
_LONGEST = 4096  # bytes of a line: what is beyond is not searched
_SHOWN = 200  # characters of a message
_ENDS = re.compile(rb"[\r\n]")
_PLAIN = ("failed_if", "error", "done")


@dataclass(frozen=True)
class _Patterns:
    """One regular expression; of counts several, whose matches are summed."""

    regexes: tuple[re.Pattern[str], ...]

    @property
    def has_unit(self) -> bool:
        return all("unit" in each.groupindex for each in self.regexes)


def configured(said: Mapping[str, object]) -> Reader:
    """Return the reader that a suite's ``result`` describes.

    Its keys are those of ``result_table``, and regular expressions without a group:
    ``failed_if``, of which each line that matches is a failed request; ``error``, of
    which each is an error; ``done``, without which the output is of no whole run.

    Raises:
        ConfigError: a key cannot be meant.
    """
    table = read_table(said, _patterns, _PLAIN)
    plain = {
        key: re.compile(at(key, pattern_of, said[key])) for key in _PLAIN if key in said
    }
    for key, place in table.places.items():
        if key not in COUNTS and (several := len(place.regexes)) > 1:
            raise ConfigError(
                f"{key}: expected one regular expression, found {several}: only counts "
                f"are summed, {', '.join(COUNTS)}"
            )
    return _Lines(table, plain)


def _patterns(said: object) -> _Patterns:
    several = said if isinstance(said, list) and said else [said]
    return _Patterns(tuple(map(_regex, several)))


def _regex(said: object) -> re.Pattern[str]:
    regex = re.compile(pattern_of(said))
    if "value" not in regex.groupindex:
        raise ConfigError(
            f"expected a regular expression with the group (?P<value>...), "
            f"found {said!r}"
        )
    return regex


@dataclass
class _Seen:
    """What the lines up to now have said."""

    found: dict[str, Found] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    error_count: int = 0
    done: bool = False
    damage: list[str] = field(default_factory=list)

    def take(self, key: str, found: Found) -> None:
        """Note a figure: a count is added to what was counted."""
        if key not in COUNTS:
            self.found[key] = found
            return
        try:
            self.add(key, int(str(found.raw)))
        except ValueError:
            if len(self.damage) < KEPT:
                raw = repr(found.raw)
                self.damage.append(f"{key}: expected a whole number, found {raw}.")

    def add(self, key: str, number: int) -> None:
        """Count so many more."""
        self.counts[key] = self.counts.get(key, 0) + number

    def tell(self, key: str, line: str) -> None:
        """Note that a line matches what has no figure."""
        if key == "done":
            self.done = True
        elif key == "failed_if":
            self.add("failed", 1)
        else:
            self.error_count += 1
            if len(self.errors) < KEPT:
                self.errors.append(line.strip()[:_SHOWN])


class _Lines(Reader):
    name = "lines"
    names = ()
    judges = False

    def __init__(
        self, table: ResultTable[_Patterns], plain: Mapping[str, re.Pattern[str]]
    ):
        self._table, self._plain = table, plain
        self.tool, self.sign, self.stamps = table.tool, table.sign, table.has_stamps
        self.at_end = "done" in plain

    def read(self, folder: Path) -> Result:
        raise FileNotFoundError(f"{self.tool} prints its result: {folder} has none.")

    def read_all(self, log_dir: Path, output: Path) -> list[Result]:
        """Read what is printed; without a value, or before it is done, there is none.

        Memory is bounded, however much there is.
        """
        seen = _Seen(done="done" not in self._plain)
        try:
            with closing(LogFile(output)) as file:
                for line in _lines(file):
                    self._take(line, seen)
        except OSError:
            return []
        if not seen.done or "value" not in seen.found:
            return []
        if "failed" in self._table.places or "failed_if" in self._plain:
            seen.add("failed", 0)
        counts = {key: Found(number) for key, number in seen.counts.items()}
        assembly = Assembly(self._table, self.name, seen.found | counts, seen.damage)
        return [assembly.result(log_dir, seen.errors, seen.error_count)]

    def _take(self, line: str, seen: _Seen) -> None:
        for key, place in self._table.places.items():
            for regex in place.regexes:
                if match := regex.search(line):
                    unit = match["unit"] if "unit" in regex.groupindex else None
                    seen.take(key, Found(match["value"], unit))
        for key, regex in self._plain.items():
            if regex.search(line):
                seen.tell(key, line)


def _lines(file: LogFile) -> Iterator[str]:
    r"""Return the lines that ``\n`` or ``\r`` ends, without what a terminal obeys."""
    rest = b""
    while block := file.read(_BLOCK):
        *lines, rest = _ENDS.split(rest + block)
        yield from map(_plain, filter(None, lines))
        rest = rest[:_LONGEST]
    if rest:
        yield _plain(rest)


def _plain(line: bytes) -> str:
    return ESCAPE.sub(b"", line[:_LONGEST]).decode("utf-8", "replace")
