"""Timed windows and what one covers of another: pure functions on time stamps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pytest_mighetero.terms.window import MARKER, TimedWindow


@dataclass(frozen=True)
class Margin:
    """How one background's window lies around main's.

    Attributes:
        name: the background, for example ``bert_offline``.
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
        margins: one per background.
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
        """Whose logs every window comes from, ``loadgen``; else ``marker``."""
        return _source(each.source for each in self.margins)


def margin(
    name: str,
    main: TimedWindow,
    windows: Sequence[TimedWindow],
    end_required_s: float = 0.0,
) -> Margin:
    """Compare the windows of the background *name* with main's.

    Args:
        name: of the background.
        main: its window.
        windows: in which the background issued queries, one at least.
        end_required_s: seconds by which it must outlast main.
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
    return MARKER if MARKER in different else ", ".join(different)


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
