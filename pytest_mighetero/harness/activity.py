"""What a harness's processes did, from looks at them: were they stopped, or idle? Pure.

Processes that sleep are no news: make and shells always do, and a harness may sleep for
as long as a kernel runs. A harness is *stopped* between two looks if the processes that
did most of its work so far are in state T or t at both and did none in between. It is
*idle* between them if they are the same processes, none of which used CPU time. On an
H100 (driver 580) a program that blocked on kernels of 6 s was idle for up to 8 s at a
stretch; one that spun on them, CUDA's default, never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.units import format_duration

HELD = frozenset("Tt")  # proc_pid_stat(5): stopped by a signal, by a tracer
_GONE = frozenset("ZX")


@dataclass(frozen=True)
class Seen:
    """One process at one moment, by proc_pid_stat(5).

    Attributes:
        started: when it started, in clock ticks: a pid is used again.
        state: one letter; T and t are stopped, Z is ended and not reaped.
        own_s: the CPU time that it used, in steps of a clock tick (10 ms).
        waited_s: that of the children it has reaped, and of theirs.
    """

    pid: int
    started: int
    state: str
    own_s: float
    waited_s: float = 0.0


@dataclass(frozen=True)
class Look:
    """The processes of one harness at one ``time.monotonic()``, zombies too."""

    at: float
    processes: tuple[Seen, ...]

    @property
    def living(self) -> tuple[Seen, ...]:
        """Those that have not ended."""
        return tuple(p for p in self.processes if p.state not in _GONE)

    @property
    def stopped(self) -> str:
        """What is stopped at this moment, if that is what works; else empty."""
        return _stopped(self, [p for p in self.living if p.state in HELD])


@dataclass(frozen=True)
class Interval:
    """What became known of one harness between two looks.

    Attributes:
        cpu_s: the CPU time that was seen to be used.
        idle: whether no process used any, came or went.
        stopped: ``4 of its 4 processes in state T`` if it was stopped; else empty.
    """

    begin: float
    end: float
    cpu_s: float
    idle: bool
    stopped: str

    def within(self, begin: float, end: float) -> float:
        """Return how many seconds of it lie between *begin* and *end*."""
        return _shared((self.begin, self.end), begin, end)


def _stopped(look: Look, held: Sequence[Seen]) -> str:
    """Say how many are *held*, if these used most of the CPU time there was."""
    living = look.living
    used, total = (sum(p.own_s for p in each) for each in (held, living))
    if not held or (len(held) < len(living) and used <= total / 2):
        return ""
    states = " or ".join(sorted({process.state for process in held}))
    return f"{len(held)} of its {len(living)} processes in state {states}"


def between(before: Look, after: Look) -> Interval:
    """Return what two looks at one harness tell of the time between them.

    A process that ended takes its CPU time along unless its parent has reaped it: a sum
    that dropped is no idleness.
    """
    before_held = {_spent(p)[:3] for p in before.processes if p.state in HELD}
    held = [p for p in after.living if p.state in HELD and _spent(p)[:3] in before_held]
    had, used = (sorted(map(_spent, look.processes)) for look in (before, after))
    had_s, used_s = (sum(own + waited for *_, own, waited in x) for x in (had, used))
    return Interval(
        before.at,
        after.at,
        cpu_s=max(0.0, used_s - had_s),
        idle=bool(after.living) and used == had,
        stopped=_stopped(after, held),
    )


def _spent(process: Seen) -> tuple[int, int, float, float]:
    return process.pid, process.started, process.own_s, process.waited_s


class Activity:
    """What is known of one harness's processes, look by look.

    Args:
        idle_limit: seconds without CPU time that its slowest kernel may explain;
            0 for any number.
    """

    def __init__(self, idle_limit: float) -> None:
        self._limit = idle_limit
        self._last: Look | None = None
        self._intervals: list[Interval] = []
        self._idle: list[tuple[float, float]] = []  # the longest stretches of it

    def add(self, look: Look) -> None:
        """Take one more look; one without living processes ends what was known."""
        last, self._last = self._last, look if look.living else None
        if last is None or self._last is None:
            return
        interval = between(last, look)
        self._intervals.append(interval)
        if interval.idle:
            begin = interval.begin
            if self._idle and self._idle[-1][1] == begin:
                begin = self._idle.pop()[0]
            self._idle.append((begin, interval.end))

    @property
    def suspect(self) -> bool:
        """Whether it was stopped, or idle beyond the limit, at the last look."""
        if self._last is None or not self._intervals:
            return False
        begin, end = self._idle[-1] if self._idle else (0.0, 0.0)
        idle = end == self._last.at and 0 < self._limit < end - begin
        return idle or bool(self._intervals[-1].stopped)

    def unloaded(self, begin: float, end: float) -> str | None:
        """Say that it did not load its device throughout main's window, or None."""
        if stopped := [each for each in self._seen(begin, end) if each.stopped]:
            total = sum(each.within(begin, end) for each in stopped)
            how = stopped[0].stopped
            return f"was stopped ({how}) for {total:.1f} s of main's window"
        for stretch in self._idle:
            seconds, inside = stretch[1] - stretch[0], _shared(stretch, begin, end)
            if 0 < self._limit < seconds and inside > 0:
                return (
                    f"used no CPU time for {seconds:.1f} s, {inside:.1f} s of them in "
                    f"main's window (more than the {format_duration(self._limit)} of "
                    f"the suite's harness.idle_limit)"
                )
        return None

    def summary(self, begin: float, end: float) -> dict[str, Any] | None:
        """Return what was seen between two moments as plain data; None if nothing was.

        CPU time counts from the first look after *begin* to the last one before *end*.
        """
        if not (seen := self._seen(begin, end)):
            return None
        whole = [each for each in seen if begin <= each.begin and each.end <= end]
        idle = (_shared(stretch, begin, end) for stretch in self._idle)
        stopped = (each.within(begin, end) for each in seen if each.stopped)
        return {
            "looks": len(seen) + 1,
            "cpu_s": round(sum(each.cpu_s for each in whole), 2),
            "cpu_over_s": round(sum(each.end - each.begin for each in whole), 3),
            "longest_idle_s": round(max(idle, default=0.0), 3),
            "stopped_s": round(sum(stopped), 3),
        }

    def _seen(self, begin: float, end: float) -> list[Interval]:
        return [each for each in self._intervals if each.within(begin, end) > 0]


def _shared(span: tuple[float, float], begin: float, end: float) -> float:
    """Return how many seconds of *span* lie between *begin* and *end*."""
    return max(0.0, min(span[1], end) - max(span[0], begin))
