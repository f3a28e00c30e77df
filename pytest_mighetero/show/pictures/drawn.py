"""The timeline of a record, where there is something that draws it."""

from __future__ import annotations

from importlib import import_module

from pytest_mighetero.records.record import Record
from pytest_mighetero.show.pictures.svg import Drawing


def drawn_timeline(record: Record) -> Drawing | None:
    """Return the timeline of the run that *record* is of."""
    try:
        room = import_module("pytest_mighetero.show.pictures.timeline")
    except ModuleNotFoundError:
        return None
    drawing = room.timeline(record)
    assert isinstance(drawing, Drawing)
    return drawing
