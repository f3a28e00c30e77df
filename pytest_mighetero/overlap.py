"""Timed windows and what one covers of another: pure functions on time stamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["loadgen", "marker"]


@dataclass(frozen=True)
class TimedWindow:
    """The span in which a harness answered LoadGen's queries.

    Attributes:
        begin: POSIX time in seconds (UTC, comparable with ``time.time()``) at which
            the first query was issued.
        end: POSIX time in seconds of the last response.
        source: ``loadgen`` when both ends come from LoadGen's own log, ``marker``
            when at least one was taken from what the harness printed.
    """

    begin: float
    end: float
    source: Source = "loadgen"

    @property
    def seconds(self) -> float:
        """Length of the window in seconds."""
        return self.end - self.begin


@dataclass(frozen=True)
class Margin:
    """How one background's window lies around main's.

    Attributes:
        name: the background, for example ``bert_offline``.
        start_s: seconds by which it was issuing before main; negative when late.
        end_s: seconds by which it outlasted main; negative when early.
        covered: the fraction of main's window it covered, 0 to 1.
        source: where both windows come from.
    """

    name: str
    start_s: float
    end_s: float
    covered: float
    source: Source


@dataclass(frozen=True)
class OverlapReport:
    """One verdict on all backgrounds of a run.

    Attributes:
        margins: one per background.
        end_required_s: seconds by which each must outlast main.
    """

    margins: tuple[Margin, ...]
    end_required_s: float

    @property
    def late(self) -> tuple[Margin, ...]:
        """The backgrounds that were not issuing yet when main began."""
        return tuple(each for each in self.margins if each.start_s < 0)

    @property
    def early(self) -> tuple[Margin, ...]:
        """The backgrounds that ended too early."""
        return tuple(each for each in self.margins if each.end_s < self.end_required_s)

    @property
    def ok(self) -> bool:
        """Whether every background covered main, and the end buffer with it."""
        return not self.late and not self.early

    @property
    def start_margin_s(self) -> float:
        """The smallest start margin in seconds."""
        return min(each.start_s for each in self.margins)

    @property
    def end_margin_s(self) -> float:
        """The smallest end margin in seconds."""
        return min(each.end_s for each in self.margins)

    @property
    def source(self) -> Source:
        """``loadgen`` when every window comes from LoadGen's logs."""
        loadgen = all(each.source == "loadgen" for each in self.margins)
        return "loadgen" if loadgen else "marker"


def margin(name: str, main: TimedWindow, background: TimedWindow) -> Margin:
    """Compare the window of the background *name* with main's."""
    shared = min(main.end, background.end) - max(main.begin, background.begin)
    covered = max(0.0, shared) / main.seconds if main.seconds > 0 else 0.0
    both = main.source == background.source == "loadgen"
    return Margin(
        name,
        start_s=main.begin - background.begin,
        end_s=background.end - main.end,
        covered=covered,
        source="loadgen" if both else "marker",
    )
