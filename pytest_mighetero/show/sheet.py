"""Runs as CSV: a row each, a column for each property. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from pytest_mighetero.records.facts import PROPERTIES, typed
from pytest_mighetero.records.record import Record
from pytest_mighetero.show.spreadsheet import field

# Always the same ones, so that sheets can be put below each other.
_FACTS = [x.name for group in PROPERTIES.values() for x in group if not x.numbered]
COLUMNS = ("folder", "test", "passed", *_FACTS)


def sheet(records: Iterable[Record]) -> Iterator[str]:
    """Yield the lines, under one of headings; *passed* is no of a bad overlap, too."""
    yield _line(COLUMNS)
    for record in records:
        values = typed(record.facts)
        row: list[object] = [str(record.folder), record.test, record.good]
        for name in _FACTS:
            value, text = values.get(name), record.facts.get(name)
            row.append(value if isinstance(value, (int, float)) else text)
        yield _line(map(field, row))


def _line(row: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()
