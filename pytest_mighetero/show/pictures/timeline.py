"""The timeline of a run: each harness a bar, main's window a band through all. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pytest_mighetero.records.course import Course, Problem, Series, course_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.show.pictures.harness_bars import (
    HarnessBars,
    caret,
    cross,
    row_height,
    tick,
)
from pytest_mighetero.show.pictures.paragraph import paragraph, width_of
from pytest_mighetero.show.pictures.svg import Drawing, clipped
from pytest_mighetero.show.pictures.time_axis import TimeAxis, length
from pytest_mighetero.show.quantity import quantity_of
from pytest_mighetero.show.upshot import BROKEN, tone_of, upshot_of

_WIDTH = 800
_EDGE, _LEFT, _PLOT = 12, 190, 528  # where labels begin, where bars do, and how wide
_STRIP = 34  # the height of a telemetry line's
_LINES = 14  # of what went wrong, at most
_NAMES = 8  # of backgrounds, at most
_BEFORE_S = 10.0  # that are shown of backgrounds that have run since long before
_TONES = {"red": "bad", "green": "good", "none": "faint"}
# Tone, opacity, outline, meaning.
_SWATCHES = (
    ("paper", 1.0, "faint", "runs"),
    ("main", 1.0, "", "main answers queries"),
    ("background", 1.0, "", "a background does"),
    ("background", 0.4, "", "not proved"),
    ("band", 1.0, "", "main's window"),
    ("rule", 1.0, "", "settle time, end buffer"),
)

_Lines = Sequence[tuple[str, str]]


def timeline(record: Record) -> Drawing:
    """Return the timeline of the run that *record* is of, as far as it is known.

    It is 800 pixels wide, and of the try that counts.
    """
    course, (verdict, tone) = course_of(record), _verdict(record)
    test = paragraph(record.test or "(a run without a name)", 560, 13, 3)
    figure = paragraph(_figure(record), _WIDTH - 2 * _EDGE, 11, 3)
    problems = _problem_lines(course.problems)
    row, axis = row_height(course.lanes), _axis(course)
    top = 46 + 17 * len(test) + 15 * (len(figure) + len(problems))
    below = top + max(len(course.lanes), 1) * row
    height = below + 70 + len(course.samples) * _STRIP
    draw = Drawing(_WIDTH, height, f"{verdict}: {record.test}")
    draw.text(_EDGE, 22, verdict, tone, size=13, bold=True)
    y = _headline(draw, _EDGE + width_of(verdict, 13) * 1.1 + 8, test, figure)
    _problems(draw, y, problems)
    if axis is None:
        draw.text(_EDGE, top + 14, "Nothing was launched.", "faint", size=11)
        return draw
    HarnessBars(draw, course, axis, _EDGE, top, row)()
    _scale(draw, axis, below)
    _legend(draw, below + 38)
    for number, (name, series) in enumerate(course.samples.items()):
        _strip(draw, axis, name, series, below + 72 + number * _STRIP)
    return draw


def _headline(
    draw: Drawing, indent: float, test: Sequence[str], figure: Sequence[str]
) -> float:
    """Draw what was run and what it came to; return where to go on."""
    y = 22.0
    for line in test:
        draw.text(indent, y, line, size=13, bold=True)
        y += 17
    for line in figure:
        draw.text(_EDGE, y + 2, line, "faint", size=11)
        y += 15
    return y + 3


def _problems(draw: Drawing, y: float, lines: _Lines) -> None:
    for number, line in lines:
        if number:
            draw.text(_EDGE, y, number, "bad", size=11, bold=True)
        draw.text(_EDGE + 18, y, line, "bad", size=11)
        y += 15


def _scale(draw: Drawing, axis: TimeAxis, y: float) -> None:
    draw.line(_LEFT, y, _LEFT + _PLOT, y, "ink")
    for x, said in axis.ticks:
        draw.line(x, y, x, y + 4, "ink")
        draw.text(x, y + 15, said, "faint", size=10, anchor="middle")
    begun = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(axis.begin))
    draw.text(_EDGE, y + 15, f"0 is {begun}", "faint", size=9)


def _legend(draw: Drawing, y: float) -> None:
    x = float(_EDGE)
    for tone, opacity, edge, said in _SWATCHES:
        draw.rect(x, y - 8, 12, 9, tone, opacity=opacity, outline=edge)
        x = _said(draw, x + 16, y, said)
    x, y = float(_EDGE), y + 15
    caret(draw, x + 6, y - 4)
    x = _said(draw, x + 16, y, "start marker")
    tick(draw, x + 6, y - 9, 11)
    x = _said(draw, x + 16, y, "first query; of a server: it is ready")
    cross(draw, x + 6, y - 4)
    _said(draw, x + 16, y, "what went wrong, by its number above")


def _said(draw: Drawing, x: float, y: float, text: str) -> float:
    draw.text(x, y, text, "faint", size=9)
    return x + width_of(text, 9) * 0.95 + 8


def _strip(draw: Drawing, axis: TimeAxis, name: str, series: Series, y: float) -> None:
    """Draw what was measured as a line between its least and its most."""
    high, right = _STRIP - 12, _LEFT + _PLOT
    said = ", ".join(filter(None, quantity_of(name)))
    draw.text(_EDGE, y + high / 2 + 4, clipped(said, 170, 10), size=10)
    for edge in (y, y + high):
        draw.line(_LEFT, edge, right, edge, "rule", width=0.5)
    shown = [(at, value) for at, value in series if axis.holds(at)]
    if not shown:
        return
    least, most = (f(value for _, value in shown) for f in (min, max))
    span = most - least
    points = [
        (axis.x(at), y + high * ((most - value) / span if span else 0.5))
        for at, value in shown
    ]
    draw.path(points, "mark", width=1.3, title=f"{said}: {least:g} to {most:g}")
    labels = [(most, 0.0), (least, 1.0)] if span else [(most, 0.5)]
    for value, part in labels:
        draw.text(right + 8, y + part * high + 3, f"{value:.6g}", "faint", size=9)


def _axis(course: Course) -> TimeAxis | None:
    if course.ends is None:
        return None
    begin, end = course.ends
    if course.kept:
        begin -= max(_BEFORE_S, 0.1 * (end - begin))
    return TimeAxis(begin, max(end, begin + 0.1), _LEFT, _PLOT)


def _verdict(record: Record) -> tuple[str, str]:
    upshot = upshot_of(record)
    tone = "bad" if upshot == BROKEN else _TONES[tone_of(upshot)]
    return upshot.upper(), tone


def _figure(record: Record) -> str:
    """Return what main came to, beside what, and where."""
    figure = " ".join(filter(None, map(record.text, ("value", "unit", "validity"))))
    names, seconds = record.text("backgrounds").split(","), record.number("seconds")
    beside = ", ".join(names) if len(names) <= _NAMES else f"{len(names)} backgrounds"
    alone = "alone" if record.text("run") == "isolated" else ""
    where = (record.text("device_profile"), record.text("gpu"))
    parts = (
        figure or "no figure",
        f"beside {beside}" if beside else alone,
        f"in {length(seconds)}" if seconds is not None and 0 <= seconds < 1e8 else "",
        " of ".join(dict.fromkeys(filter(None, where))),
    )
    return ", ".join(filter(None, parts))


def _problem_lines(problems: Sequence[Problem]) -> _Lines:
    """Return what went wrong in lines, each problem's first with its number."""
    lines: list[tuple[str, str]] = []
    for number, problem in enumerate(problems, 1):
        left = max(_LINES - len(lines), 2)
        said = paragraph(problem.text, _WIDTH - 2 * _EDGE - 18, 11, left)
        lines += [(str(number), said[0]), *(("", line) for line in said[1:])]
        if len(lines) >= _LINES and number < len(problems):
            more = len(problems) - number
            return [*lines, ("", f"\u2026 and {more} problems more, in record.json")]
    return lines
