"""Where the points of a series lie along a picture's edges, from 0 to 1. Pure."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from pytest_mighetero.records.comparison.history import Point, Series
from pytest_mighetero.records.comparison.samples import amount

_SHOWN = "%Y-%m-%d"
_LONG = 11  # letters of a figure


def places(points: tuple[Point, ...]) -> list[float]:
    """Return where each point lies on the axis of time, 0 the first, 1 the last.

    One without a time is where the one before it is. By number where there are none, or
    all are of one second.
    """
    last = next((p.when for p in points if p.when), None)
    moments: list[datetime] = []
    for point in points:
        last = max(point.when or last, last) if last else None
        moments += [last] if last else []
    whole = (moments[-1] - moments[0]).total_seconds() if moments else 0.0
    if whole:
        return [(moment - moments[0]).total_seconds() / whole for moment in moments]
    if len(points) == 1:
        return [0.5]
    return [number / (len(points) - 1) for number in range(len(points))]


def extent(series: Series) -> tuple[float, float]:
    """Return the least and greatest figure to be shown, with some room, never equal."""
    ends = [end for p in series.points for end in p.bounds or () if end is not None]
    shown = [*series.values, *ends] or [0.0, 1.0]
    low, high = min(shown), max(shown)
    room = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    return low - room, high + room


def label(value: float) -> str:
    """Write a figure in a few letters, one without end as 1e+299."""
    text = amount(value)
    return text if len(text) < _LONG else f"{value:.3g}"


def dates(series: Series) -> tuple[str, str]:
    """Return the first and last day; with the time where that is one day."""
    known = [p.when for p in series.points if p.when is not None]
    if not known:
        return "", ""
    first, last = min(known), max(known)
    form = f"{_SHOWN} %H:%M" if first.date() == last.date() else _SHOWN
    return first.strftime(form), last.strftime(form)


def driver_changes(series: Series) -> list[tuple[int, str]]:
    """Return at which points another driver is found, and which."""
    return [
        (number, new.driver or "unknown")
        for number, (old, new) in enumerate(pairwise(series.points), 1)
        if old.driver != new.driver
    ]
