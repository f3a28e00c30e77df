"""A stretch of time laid out over pixels, with ticks that people can read. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = 86400.0
_NICE = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600),
    *(7200, 14400, 21600, 43200, _DAY),
)
_TICKS = 9  # at most


@dataclass(frozen=True)
class TimeAxis:
    """Seconds from *begin* to *end*, on *width* pixels from *left* on."""

    begin: float
    end: float
    left: float
    width: float

    def x(self, at: float) -> float:
        """Return where a moment is; one outside is at the nearest edge."""
        inside = min(max(at, self.begin), self.end)
        span = self.end - self.begin
        return self.left + self.width * ((inside - self.begin) / span if span else 0)

    def holds(self, at: float) -> bool:
        """Tell whether a moment lies on it."""
        return self.begin <= at <= self.end

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where its ticks are, and what they say: how long after the beginning."""
        span = self.end - self.begin
        whole = span / _TICKS
        size = next((each for each in _NICE if each >= whole), 0.0)
        while size < whole:
            size = max(2 * size, _DAY)
        count = int(span / size + 1e-9) + 1
        return [
            (self.x(self.begin + number * size), _said(number * size, size))
            for number in range(count)
        ]


def length(seconds: float) -> str:
    """Return a time as people say it: ``42.1 s``, ``10 min 5 s``, ``2 h 3 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 59.95 else "1 min"
    for large, small, unit, part in ((3600, 60, "h", "min"), (60, 1, "min", "s")):
        if seconds >= large:
            whole, rest = divmod(round(seconds / small), large // small)
            return f"{whole} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{seconds:g} s"


def _said(seconds: float, size: float) -> str:
    for unit, long in (("d", _DAY), ("h", 3600.0), ("min", 60.0)):
        if size >= long and (size / long).is_integer():
            return f"{seconds / long:g} {unit}"
    return f"{seconds:.1f} s" if size < 1 else f"{seconds:g} s"
