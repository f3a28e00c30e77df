"""The wall clock of a run beside the monotonic one, so that a step of it is noticed.

Logs stamp their windows with the wall clock, which NTP or an administrator may set
while a run is under way. It is read about once a second beside the monotonic clock;
between readings that agree a stamp has one meaning, around a step it may have two.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

# NTP slews by 500 ppm at most (ntp_adjtime); what is more was a step.
_SLEW = 1e-3
_STEP_S = 0.05
_SAME_S = 1e-3
_TOGETHER_S = 2e-3  # between the readings of the two clocks
_TRIES = 5


@dataclass(frozen=True)
class Stamp:
    """A moment on both clocks: waits use ``monotonic``, logs compare with ``wall``."""

    wall: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)

    @property
    def offset(self) -> float:
        """By how many seconds the wall clock was ahead of the monotonic one."""
        return self.wall - self.monotonic


@dataclass(frozen=True)
class Step:
    """The wall clock was set to *at*, forward; by less than 0 s it was back."""

    at: float
    by_s: float

    def __str__(self) -> str:
        when = time.strftime("%H:%M:%S", time.localtime(self.at))
        return f"{self.by_s:+.3f} s at {when}"


class Clock:
    """The clock of one run: POSIX time by the wall clock of its beginning, no steps."""

    def __init__(self) -> None:
        self._readings = [_read()]

    def read(self) -> None:
        """Look at both clocks; what only confirms the last two readings is not kept."""
        self._readings.append(new := _read())
        last = self._readings[-3:]
        if len(last) > 2 and all(abs(e.offset - new.offset) < _SAME_S for e in last):
            del self._readings[-2]

    def posix(self, monotonic: float) -> float:
        """Return a moment of ``time.monotonic()`` as POSIX seconds of this clock."""
        return monotonic + self._readings[0].offset

    def now(self) -> float:
        """Return the present POSIX seconds of this clock."""
        return self.posix(time.monotonic())

    def meanings(self, wall: float) -> list[float]:
        """Return when, by this clock, the wall clock may have said *wall*, if ever.

        One before the first reading or after the last is taken to be on the same wall
        clock as that. All in POSIX seconds.
        """
        return [self.posix(each) for each in moments(self._readings, wall)]

    @property
    def shifts(self) -> tuple[float, ...]:
        """By how many seconds the wall clock was ahead of this one, step by step."""
        return tuple(accumulate((step.by_s for step in self.steps), initial=0.0))

    @property
    def steps(self) -> tuple[Step, ...]:
        """When the wall clock was set, so far, and by how much."""
        return tuple(
            Step(two.wall, two.offset - one.offset)
            for one, two in pairwise(self._readings)
            if stepped(one, two)
        )


def moments(readings: Sequence[Stamp], wall: float) -> Iterator[float]:
    """Yield the monotonic moments at which the wall clock may have said *wall*."""
    first, last = readings[0], readings[-1]
    if wall < first.wall:
        yield wall - first.offset
    for one, two in pairwise(readings):
        gone = two.monotonic - one.monotonic
        if not stepped(one, two):
            if one.wall <= wall < two.wall:
                share = (wall - one.wall) / (two.wall - one.wall)
                yield one.monotonic + share * gone
            continue
        if one.wall <= wall < one.wall + gone:
            yield wall - one.offset
        if two.wall - gone <= wall < two.wall:
            yield wall - two.offset
    if wall >= last.wall:
        yield wall - last.offset


def stepped(one: Stamp, two: Stamp) -> bool:
    """Tell whether the wall clock was set between two readings."""
    allowed = _STEP_S + _SLEW * (two.monotonic - one.monotonic)
    return abs(two.offset - one.offset) > allowed


def _read() -> Stamp:
    """Read both clocks, without a pause of this process in between."""
    for _ in range(_TRIES):
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        if after - before < _TOGETHER_S:
            break
    return Stamp(wall, (before + after) / 2)
