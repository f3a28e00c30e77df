"""The picture of what runs came to over time: a small chart for each series. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from pytest_mighetero.records.comparison.history import Series
from pytest_mighetero.show.axis import dates, driver_changes, extent, label, places
from pytest_mighetero.show.pictures.svg import Drawing, clipped

_WIDTH, _HEIGHT = 800, 210
_LEFT, _RIGHT, _TOP, _PLOT = 84, 776, 46, 112
_BAD_ROW = _TOP + _PLOT + 8  # where runs without a figure are marked
_Bounds = tuple[float | None, float | None]
_MANY = 60  # points, more of which are not drawn one by one


def trend(series: Sequence[Series]) -> Drawing:
    """Return the drawing, a chart below the other, 800 pixels wide."""
    head = 26
    height = head + _HEIGHT * max(len(series), 1)
    drawing = Drawing(_WIDTH, height, f"Figures over time, {len(series)} series")
    _legend(drawing)
    if not series:
        drawing.text(_LEFT, head + 40, "no runs", "faint")
    for number, each in enumerate(series):
        _Chart(drawing, head + number * _HEIGHT, each).draw()
    return drawing


def _legend(drawing: Drawing) -> None:
    drawing.rect(16, 10, 7, 7, "main")
    drawing.text(28, 18, "run", "faint", size=11)
    _cross(drawing, 68, 14, "bad")
    drawing.text(78, 18, "failed or INVALID, no figure", "faint", size=11)
    drawing.rect(250, 9, 9, 9, "bad", outline="ink")
    drawing.text(264, 18, "change that --mig-compare fails", "faint", size=11)
    drawing.rect(462, 9, 16, 10, "band")
    drawing.text(483, 18, "allowed: reference, or earlier runs", "faint", size=11)
    drawing.line(700, 8, 700, 20, "mark", dash="4 3")
    drawing.text(706, 18, "driver", "faint", size=11)


class _Chart:
    """One series, drawn below *top*."""

    def __init__(self, drawing: Drawing, top: float, series: Series):
        self._on, self._top, self._series = drawing, top + _TOP, series
        self._low, self._high = extent(series)
        width = _RIGHT - _LEFT - 12
        self._xs = [_LEFT + 6 + width * at for at in places(series.points)]

    def draw(self) -> None:
        """Draw it."""
        series, top = self._series, self._top
        title = clipped(series.name, _RIGHT - 16, 13)
        self._on.text(16, top - 26, title, bold=True, size=13, title=series.name)
        place = clipped(series.place, _RIGHT - 16, 11)
        self._on.text(16, top - 10, place, "faint", size=11, title=series.place)
        self._band()
        self._axes()
        for number, driver in driver_changes(series):
            x = (self._xs[number - 1] + self._xs[number]) / 2
            self._on.line(x, top, x, top + _PLOT, "mark", dash="4 3", title=driver)
            left = x > (_LEFT + _RIGHT) / 2
            said = clipped(f"driver {driver}", 150, 10)
            at, anchor = (x - 4, "end") if left else (x + 4, "start")
            self._on.text(at, top + 10, said, "mark", size=10, anchor=anchor)  # type: ignore[arg-type]
        self._lines()
        self._points()

    def _y(self, value: float) -> float:
        share = (value / 2 - self._low / 2) / (self._high / 2 - self._low / 2)
        return self._top + _PLOT * (1 - min(max(share, 0.0), 1.0))

    def _band(self) -> None:
        """Draw what was allowed, as one where that is the same for several."""
        halves = [(one + two) / 2 for one, two in pairwise(self._xs)]
        ends = [self._xs[0] - 6, *halves, self._xs[-1] + 6]
        bounds = [point.bounds for point in self._series.points]
        for (low, high), first, after in _stretches(bounds):
            upper = self._top if high is None else self._y(high)
            lower = self._top + _PLOT if low is None else self._y(low)
            width = max(ends[after] - ends[first], 1)
            self._on.rect(ends[first], upper, width, lower - upper, "band")

    def _axes(self) -> None:
        series, bottom = self._series, self._top + _PLOT
        unit = clipped(series.figure.unit, _LEFT - 20, 10)
        if series.values:
            for value in sorted({min(series.values), max(series.values)}):
                y = self._y(value)
                self._on.line(_LEFT, y, _RIGHT, y, "rule")
                text = clipped(label(value), _LEFT - 12, 10)
                self._on.text(_LEFT - 6, y + 4, text, size=10, anchor="end")
            self._on.text(16, self._top + _PLOT / 2, unit, "faint", size=10)
        self._on.line(_LEFT, bottom, _RIGHT, bottom, "faint")
        first, last = dates(series)
        self._on.text(_LEFT, bottom + 30, first, "faint", size=10)
        middle = clipped(_better(series), 320, 10)
        at = (_LEFT + _RIGHT) / 2
        self._on.text(at, bottom + 30, middle, "faint", size=10, anchor="middle")
        if last != first:
            self._on.text(_RIGHT, bottom + 30, last, "faint", size=10, anchor="end")

    def _lines(self) -> None:
        """Draw a line through the figures by each driver."""
        part: list[tuple[float, float]] = []
        driver = self._series.points[0].driver
        for x, point in zip(self._xs, self._series.points, strict=True):
            if point.driver != driver:
                self._line(part)
                part, driver = [], point.driver
            if point.value is not None:
                part.append((x, self._y(point.value)))
        self._line(part)

    def _line(self, points: list[tuple[float, float]]) -> None:
        if len(points) > 1:
            self._on.path(points, "main", width=1.5)

    def _points(self) -> None:
        few = len(self._xs) <= _MANY
        for x, point in zip(self._xs, self._series.points, strict=True):
            if point.value is None:
                y = self._top - _TOP + _BAD_ROW
                said = f"{point.folder.name}: {point.problem}"
                _cross(self._on, x, y, "bad", said)
                continue
            y = self._y(point.value)
            figure = f"{label(point.value)} {self._series.figure.unit}"
            said = f"{point.folder.name}: {figure}"
            if point.flagged:
                said = f"{said}. {point.flagged}"
                self._on.rect(x - 4.5, y - 4.5, 9, 9, "bad", outline="ink", title=said)
            elif few or len(self._xs) == 1:
                self._on.rect(x - 2.5, y - 2.5, 5, 5, "main", title=said)


def _stretches(
    bounds: Sequence[_Bounds | None],
) -> Iterator[tuple[_Bounds, int, int]]:
    """Yield bounds that follow each other once: from which place on, before which."""
    first = 0
    for each, alike in groupby(bounds):
        after = first + len(list(alike))
        if each is not None:
            yield each, first, after
        first = after


def _better(series: Series) -> str:
    if not series.figure.name:
        return "no run has a figure"
    word = "higher" if series.figure.higher_is_better else "lower"
    return f"{series.figure.name}, {word} is better; local time"


def _cross(drawing: Drawing, x: float, y: float, tone: str, title: str = "") -> None:
    there, back = ((x - 3, y - 3), (x + 3, y + 3)), ((x - 3, y + 3), (x + 3, y - 3))
    points = [there[0], there[1], (x, y), back[0], back[1]]
    drawing.path(points, tone, width=1.5, title=title)
