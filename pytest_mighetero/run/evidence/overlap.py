"""Timed windows, what one covers of another, and what is to be said of that. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pytest_mighetero.terms.window import MARKER, PROCESS, TimedWindow
from pytest_mighetero.units import format_duration

# While a tool runs, its log gives the first query's time to the second.
_LIVE_SLACK_S = 1.0


@dataclass(frozen=True)
class Margin:
    """How one background's window lies around main's.

    Attributes:
        name: of the background, for example ``bert_offline``.
        start_s: seconds by which it was issuing before main; negative when late.
        end_s: seconds by which it outlasted main; negative when early.
        covered: the fraction of main's window it covered, 0 to 1.
        source: where both windows come from.
        gap_s: the longest pause in seconds between two windows of it while it was
            needed: beside main, and until it had outlasted main by enough.
    """

    name: str
    start_s: float
    end_s: float
    covered: float
    source: str
    gap_s: float = 0.0


@dataclass(frozen=True)
class OverlapReport:
    """One verdict on all backgrounds of a run.

    Attributes:
        end_required_s: seconds by which each must outlast main.
        doubts: by background, why its logs prove nothing.
    """

    margins: tuple[Margin, ...]
    end_required_s: float
    doubts: Mapping[str, str] = field(default_factory=dict)

    @property
    def late(self) -> tuple[Margin, ...]:
        """The backgrounds that were not issuing yet when main began."""
        return tuple(each for each in self._proved if each.start_s < 0)

    @property
    def early(self) -> tuple[Margin, ...]:
        """The backgrounds that ended too early."""
        return tuple(each for each in self._proved if each.end_s < self.end_required_s)

    @property
    def paused(self) -> tuple[Margin, ...]:
        """The backgrounds that issued nothing for a while in between."""
        return tuple(each for each in self._proved if each.gap_s > 0)

    @property
    def _proved(self) -> tuple[Margin, ...]:
        return tuple(each for each in self.margins if each.name not in self.doubts)

    @property
    def ok(self) -> bool:
        """Whether every background covered main, and the end buffer with it."""
        return not (self.late or self.early or self.paused or self.doubts)

    @property
    def start_margin_s(self) -> float:
        """The smallest start margin in seconds."""
        return min(each.start_s for each in self.margins)

    @property
    def end_margin_s(self) -> float:
        """The smallest end margin in seconds."""
        return min(each.end_s for each in self.margins)

    @property
    def source(self) -> str:
        """Whose logs every window comes from, ``loadgen``; or the weakest proof."""
        every = (each.source.split(", ") for each in self.margins)
        return _source(source for sources in every for source in sources)


def margin(
    name: str,
    main: TimedWindow,
    windows: Sequence[TimedWindow],
    end_required_s: float = 0.0,
) -> Margin:
    """Compare the windows of the background *name*, one at least, with main's.

    It must outlast main by *end_required_s* seconds.
    """
    union = merged(windows)
    covered = sum(
        max(0.0, min(main.end, each.end) - max(main.begin, each.begin))
        for each in union
    )
    pauses = (
        min(two.begin, main.end + end_required_s) - max(one.end, main.begin)
        for one, two in pairwise(union)
    )
    return Margin(
        name,
        start_s=main.begin - union[0].begin,
        end_s=union[-1].end - main.end,
        covered=covered / main.seconds if main.seconds > 0 else 0.0,
        source=_source(each.source for each in (main, *windows)),
        gap_s=max(0.0, *pauses, 0.0),
    )


def _source(sources: Iterable[str]) -> str:
    different = dict.fromkeys(sources)
    weakest = [each for each in (PROCESS, MARKER) if each in different]
    return weakest[0] if weakest else ", ".join(different)


def merged(windows: Sequence[TimedWindow]) -> list[TimedWindow]:
    """Return the union of *windows* as windows that lie apart, in order."""
    union: list[TimedWindow] = []
    for each in sorted(windows, key=lambda window: window.begin):
        if union and each.begin <= union[-1].end:
            end = max(union[-1].end, each.end)
            union[-1] = TimedWindow(union[-1].begin, end, each.source)
        else:
            union.append(each)
    return union


def unproved(report: OverlapReport, tool: str, *, so_far: bool = False) -> str | None:
    """Say which runs of *tool* did not issue queries all along beside main, or None.

    While they run, *so_far*, logs without an end tell the second only, and who has
    ended already did so under main.
    """
    problems = []
    slack_s = _LIVE_SLACK_S if so_far else 0.0
    of_all = f"of {len(report.margins)} backgrounds"
    if late := [each for each in report.late if each.start_s < -slack_s]:
        named = ", ".join(f"{each.name} by {-each.start_s:.1f} s" for each in late)
        problems.append(
            f"{len(late)} {of_all} issued their first query after main's: {named}. "
            f"Raise --settle-time."
        )
    if paused := [each for each in report.paused if each.gap_s > slack_s]:
        named = ", ".join(f"{each.name} for {each.gap_s:.1f} s" for each in paused)
        problems.append(
            f"{len(paused)} {of_all} issued no queries for a while beside main, "
            f"between two runs of {tool}: {named}. Its harness ran the test more "
            f"than once, or began it again after a crash: see its output."
        )
    if ended := [each for each in report.early if so_far and each.end_s < 0]:
        named = ", ".join(f"{each.name} by {-each.end_s:.1f} s" for each in ended)
        problems.append(
            f"{len(ended)} {of_all} had their last response before main's: "
            f"{named}. Raise --background-benchmark-duration."
        )
    for name, doubt in report.doubts.items():
        problems.append(f"The log of {name} proves nothing: {doubt}.")
    return f"The overlap broke: {' '.join(problems)}" if problems else None


def too_early(report: OverlapReport, said: Collection[str], told: float) -> str | None:
    """Say which backgrounds did not outlast main by the buffer, or None.

    Not those of which it was *said*. All were *told* to run so many seconds.
    """
    if not (early := [each for each in report.early if each.name not in said]):
        return None
    margins = ", ".join(f"{each.name} {each.end_s:.1f} s" for each in early)
    required = report.end_required_s
    return (
        f"{len(early)} of {len(report.margins)} backgrounds did not outlast main by "
        f"{format_duration(required)} (--end-time-buffer-min), end margins: {margins}. "
        f"{enough(told, told + required - report.end_margin_s)}."
    )


def enough(told: float, seconds: float) -> str:
    """Say which duration would have done instead of the one that was *told*."""
    return (
        f"They ran with {format_duration(told)}; "
        f"--background-benchmark-duration={format_duration(math.ceil(seconds))} "
        f"would have been enough"
    )
