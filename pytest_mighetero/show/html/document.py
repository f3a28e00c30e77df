"""Runs as one HTML page, which is written while records are read again.

Of each run only what the head needs is kept meanwhile. The page needs neither network
nor scripts, and says all it has to say without its styles, too: Jenkins' default policy
(``default-src 'none'; style-src 'self'``) has browsers drop them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.comparison.history import Series, series_of
from pytest_mighetero.records.comparison.matrix import Matrix
from pytest_mighetero.records.comparison.matrix_records import matrix_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.show.html.entry import Entry, entry_of
from pytest_mighetero.show.html.head import head_of
from pytest_mighetero.show.html.section import (
    PLAIN,
    SHORT,
    SHORTEST,
    WHOLE,
    Section,
    section,
)
from pytest_mighetero.show.pictures.heat_map import heat_map
from pytest_mighetero.show.pictures.svg import STYLE
from pytest_mighetero.show.pictures.trend import trend
from pytest_mighetero.terms.printable import printable

LARGEST = 10_000_000  # bytes of a page; what does not fit is left out, and that is said
_EACH, _LEAST = 2_500, 100  # bytes for the least of a run; runs that any page has
_SERIES = 100  # that were run last; each is a chart
_NO_LETTERS = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")  # in no HTML, says its standard
NEEDS = (
    "the HTML report needs jinja2, which is not installed: pip install "
    "'pytest-mighetero[report]'"
)

Known = Record | RecordError


@dataclass(frozen=True)
class Ending:
    """What a session knows at its end, and its records do not say.

    Attributes:
        exit_code: pytest's; None where it is not known.
        matrix: the session's own, with cells that earlier records stood in for; None
            has it made of the records.
        tolerance: how much worse than before a run may be, 0.05 for 5 %.
    """

    exit_code: int | None = None
    matrix: Matrix | None = None
    tolerance: float = 0.05


UNKNOWN = Ending()


def is_possible() -> bool:
    """Tell whether the template engine is installed."""
    from importlib.util import find_spec

    return find_spec("jinja2") is not None


def write_document(
    records: Iterable[Known],
    file: IO[bytes],
    about: Mapping[str, str],
    *,
    ending: Ending = UNKNOWN,
    largest: int = LARGEST,
) -> list[Entry]:
    """Write the page of *records* and return what they came to, in their order.

    A page of up to *largest* bytes has all of every run. Where that is more, it says
    what it leaves out: telemetry and facts, then timelines and last lines; of what is
    red last.

    Args:
        records: in the order of the runs; of damaged ones, what is wrong with them.
        file: where it is written, in UTF-8.
        about: further texts for its head, by what they are.
        ending: of their session.
        largest: as above.

    Raises:
        ConfigError: the template engine is not installed.
        OSError: it cannot be written.
    """
    if not is_possible():
        raise ConfigError(NEEDS)
    kept: dict[int, Known] = {}  # those that no file has
    entries: list[Entry] = []
    outlines: list[Record] = []

    def noted() -> Iterator[Record]:
        for number, each in enumerate(records, 1):
            entry = entry_of(number, each)
            entries.append(entry)
            if entry.path is None:
                kept[number] = each
            if isinstance(each, Record):
                if entry.path is not None:  # else it is no run
                    outlines.append(replace(each, data={}))
                yield each

    every = noted()
    matrix = ending.matrix or matrix_of(every)
    for _ in every:  # what it took no notice of
        pass

    def again(entry: Entry) -> Known:
        return kept[entry.number] if entry.path is None else _read(entry.path)

    # The red ones first, then the newest.
    order = sorted(entries, key=lambda each: (not each.red, -each.number))
    shown = order[: max(largest // _EACH, _LEAST)]
    often = _often(series_of(outlines, ending.tolerance))
    page = _Page(file, largest)
    page.write(
        head=head_of(entries, shown, about, ending.exit_code),
        matrix=matrix,
        heat_map=heat_map(matrix).svg(alone=False) if matrix else "",
        trend=trend(often[0]).svg(alone=False) if often[0] else "",
        older=often[1],
        sections=_sections(shown, again, lambda: page.room),
        style=STYLE,
    )
    return entries


def _read(path: Path) -> Known:
    try:
        return read_record(path)
    except RecordError as damaged:
        return damaged
    except FileNotFoundError:
        return RecordError(path, "was there a moment ago, and is gone")


def _often(every: Sequence[Series]) -> tuple[list[Series], int]:
    """Return what was run more than once and last, and how many others there are."""
    often = [each for each in every if len(each.points) > 1]
    last = sorted((each.points[-1].folder.name for each in often), reverse=True)
    since = last[_SERIES - 1] if len(last) > _SERIES else ""
    shown = [each for each in often if each.points[-1].folder.name >= since][:_SERIES]
    return shown, len(often) - len(shown)


def _sections(
    order: Sequence[Entry], again: Callable[[Entry], Known], room: Callable[[], int]
) -> Iterator[Section]:
    """Yield what the page says of each run, in their *order*.

    Each is whole while it is red and there is *room* for it, or while there is as much
    for each that follows. From the first on that is not, none is.
    """
    detail = WHOLE
    for place, entry in enumerate(order):
        left, said = len(order) - place - 1, again(entry)
        found = section(entry, said, detail)
        while detail != SHORT:
            share = found.size if detail == WHOLE and not entry.red else SHORTEST
            if found.size + left * share <= room():
                break
            detail = PLAIN if detail == WHOLE else SHORT
            found = section(entry, said, detail)
        yield found


class _Page:
    """The page's file, and how much of it is written."""

    def __init__(self, file: IO[bytes], largest: int):
        self._file, self._largest, self._written = file, largest, 0

    @property
    def room(self) -> int:
        """How many bytes more leave it small enough."""
        return self._largest - self._written

    def write(self, **known: object) -> None:
        """Write the template filled with what is *known*, a part at a time."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup

        def shown(value: object) -> object:
            return value if isinstance(value, Markup) else _text(str(value))

        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            finalize=shown,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        template = environment.get_template("document.html")
        for text in template.generate(known):
            self._written += self._file.write(text.encode())


def _text(text: str) -> str:
    """Return *text* with all in it that a page would obey, or hide, seen."""
    shown = printable(text)
    return _NO_LETTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
