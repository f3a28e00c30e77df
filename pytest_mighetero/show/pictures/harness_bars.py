"""A run's harnesses as bars, one below the other, over what all of them share. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mighetero.records.course import Course, Lane, Span
from pytest_mighetero.show.pictures.paragraph import width_of
from pytest_mighetero.show.pictures.svg import Drawing, clipped
from pytest_mighetero.show.pictures.time_axis import TimeAxis, length

_ROOM, _TALL, _LOW = 500, 30, 12  # for all bars; for one, at most and at least
_BACKGROUND = re.compile(r"background-(\d+)-")
_UUID = re.compile(r"(MIG-|GPU-)\S*(\w{8})(?=\s|$)")


@dataclass(frozen=True)
class HarnessBars:
    """The bars of a run, from *top* on, beside labels from *edge* on.

    Attributes:
        row: the height of one.
    """

    draw: Drawing
    course: Course
    axis: TimeAxis
    edge: float
    top: float
    row: float

    @property
    def bottom(self) -> float:
        """Where they end."""
        return self.top + len(self.course.lanes) * self.row

    def __call__(self) -> None:
        """Draw them."""
        self._backdrop()
        for number, lane in enumerate(self.course.lanes):
            self._bar(lane, self.top + number * self.row)

    def _backdrop(self) -> None:
        """Draw main's window, the settle time and the end buffer, through all bars."""
        course, main = self.course, self.course.main
        pauses = (("settle time", course.settle), ("end buffer", course.end_buffer))
        for name, span in pauses:
            if span is not None and self.axis.holds(span.begin):
                self._band(name, span, "rule", 0.45)
        for span in main.windows if main else ():
            self._band("main's window", span, "band", 1.0)
        if main is not None and main.unproved:
            self._band("main's queries, not proved", main.unproved, "band", 0.5)

    def _band(self, name: str, span: Span, tone: str, opacity: float) -> None:
        draw, y = self.draw, self.top - 7
        left, right = self.axis.x(span.begin), self.axis.x(span.end or self.axis.end)
        long = f"{name} {length(span.end - span.begin)}" if span.end else name
        asked = "" if span.asked_s is None else f", {length(span.asked_s)} asked"
        if right - left < 2 and span.asked_s == 0:
            return
        wide, high = max(right - left, 1), self.bottom - self.top + 4
        title = f"{long}{asked}"
        draw.rect(left, y + 3, wide, high, tone, opacity=opacity, title=title)
        draw.path([(left, y + 3), (left, y), (right, y), (right, y + 3)], "faint")
        for text in (title, long, name):
            if width_of(text, 9) <= wide + 8:
                x = (left + right) / 2
                draw.text(x, y - 4, text, "faint", size=9, anchor="middle")
                return

    def _bar(self, lane: Lane, y: float) -> None:
        draw, axis, row = self.draw, self.axis, self.row
        middle, right = y + row / 2, axis.left + axis.width
        draw.line(self.edge, y + row, right + 76, y + row, "rule", width=0.5)
        self._label(lane, middle)
        if lane.launched is None:
            draw.text(axis.left, middle + 3, "not launched", "faint", size=9)
            return
        high = max(row * 0.5, 7.0)
        top, about = middle - high / 2, _about(lane, axis)
        tone = "main" if lane.name == "main" else "background"
        left, until = axis.x(lane.launched), axis.x(lane.exited or axis.end)
        wide = max(until - left, 1.5)
        edge = tone if tone == "main" else "faint"
        draw.rect(left, top, wide, high, "paper", outline=edge, title=about)
        for span in filter(None, (*lane.windows, lane.unproved)):
            x, end = axis.x(span.begin), axis.x(span.end or axis.end)
            solid = 1.0 if lane.windows else 0.4
            long = max(end - x, 1)
            draw.rect(x, top, long, high, tone, opacity=solid, title=about)
        self._moments(lane, top, high)
        self._wrong(lane, middle)
        bad = "bad" if lane.crashed else "faint"
        draw.text(right + 8, middle + 3, _ended(lane), bad, size=9, bold=lane.crashed)

    def _label(self, lane: Lane, middle: float) -> None:
        size = 9.0 if self.row < 18 else 11.0
        found = _BACKGROUND.match(lane.name)
        number = found[1] if found else lane.name
        of_server = f"{number}'s server" if found else lane.name
        name = f"{number} {lane.what}" if lane.what else of_server
        two = self.row >= 26 and bool(lane.device)
        up = -2 if two else size * 0.35
        self._name(name, lane.name, middle + up, "ink", size)
        if two:
            device = _UUID.sub("\\1\u2026\\2", lane.device)
            self._name(device, lane.device, middle + 10, "faint", 9)

    def _name(self, text: str, whole: str, y: float, tone: str, size: float) -> None:
        shown = clipped(text, self.axis.left - self.edge - 8, size)
        bold = whole == "main"
        self.draw.text(self.edge, y, shown, tone, size=size, bold=bold, title=whole)

    def _moments(self, lane: Lane, top: float, high: float) -> None:
        axis, who = self.axis, lane.name
        if lane.marker is not None and axis.holds(lane.marker):
            caret(self.draw, axis.x(lane.marker), top, f"start marker of {who}")
        for name, at in (("first query", lane.queried), ("ready", lane.ready)):
            if at is not None and axis.holds(at):
                tick(self.draw, axis.x(at), top - 2, high + 4, f"{name} of {who}")

    def _wrong(self, lane: Lane, middle: float) -> None:
        """Mark what went wrong with this harness, by the problem's number."""
        about = [
            (str(number), problem)
            for number, problem in enumerate(self.course.problems, 1)
            if lane.name in problem.lanes
        ]
        if not (about or lane.crashed):
            return
        noticed = next((each.at for _, each in about if each.at), None)
        at = lane.exited if lane.crashed else noticed
        x = self.axis.x(at or lane.exited or self.axis.end)
        cross(self.draw, x, middle, f"{lane.name}: {_ended(lane)}")
        if said := ",".join(number for number, _ in about):
            wide = width_of(said, 10) + 2
            left = x + 7 if x < self.axis.left + self.axis.width - 30 else x - 7 - wide
            self.draw.rect(left - 1, middle - 5.5, wide, 11, "paper")
            self.draw.text(left, middle + 3.6, said, "bad", size=10, bold=True)


def row_height(lanes: Sequence[Lane]) -> float:
    """Return how high a bar's row is, where there are so many."""
    return min(max(_ROOM / max(len(lanes), 1), _LOW), _TALL)


def caret(draw: Drawing, x: float, y: float, title: str = "") -> None:
    """Draw what marks a start marker, its point at *y*."""
    points = [(x - 3.5, y - 3.0), (x, y + 2.5), (x + 3.5, y - 3.0)]
    draw.path(points, "mark", width=2, title=title)


def tick(draw: Drawing, x: float, y: float, high: float, title: str = "") -> None:
    """Draw what marks a first query, from *y* down."""
    draw.line(x, y, x, y + high, "ink", width=1.6, title=title)


def cross(draw: Drawing, x: float, y: float, title: str = "") -> None:
    """Draw what marks something that went wrong, around *y*."""
    for by in (-4.0, 4.0):
        draw.line(x - 4, y - by, x + 4, y + by, "bad", width=2.4, title=title)


def _ended(lane: Lane) -> str:
    if lane.stopped is not None:
        return "stopped"
    if lane.exited is None:
        return "" if lane.launched is None else "running"
    return "" if lane.exit_code is None else f"exit code {lane.exit_code}"


def _about(lane: Lane, axis: TimeAxis) -> str:
    """Return what is known of a lane, for whoever points at it."""
    said = [f"{name} {at - axis.begin:.2f} s" for name, at in lane.moments.items()]
    for span in lane.windows:
        until = f" to {span.end - axis.begin:.2f} s" if span.end else ""
        by = f" (by {span.source})" if span.source else ""
        said.append(f"answered queries from {span.begin - axis.begin:.2f} s{until}{by}")
    said += filter(None, [_ended(lane)])
    return f"{lane.name} on {lane.device or 'a device'}: {'; '.join(said)}"
