"""One run, as people see it while it lasts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from pytest_mighetero.plugin.console.rows import Row, headline, rows_of, sentence
from pytest_mighetero.plugin.console.view import Sight
from pytest_mighetero.run.progress import Progress, Step, left_of
from pytest_mighetero.terms.printable import printable_line


class Viewer(Protocol):
    """Who shows it: a terminal, a log, or the controller of an xdist worker."""

    @property
    def watched(self) -> bool:
        """Whether anybody is ever told anything."""

    def show(self, sight: Sight) -> None:
        """Show it as it is now."""

    def announce(self, line: str) -> None:
        """Write *line* into a log, once."""

    def clear(self) -> None:
        """Take away what is shown."""


class Display:
    """What a run does, told to a viewer.

    Attributes:
        expected: the seconds that it takes from its first launch, where that is known.
        following: those of the runs after it; 0 where there are none, None where
            nobody knows.
    """

    def __init__(self, viewer: Viewer, name: str):
        self._viewer, self._name = viewer, name
        self._begin = self._since = self._seen = time.monotonic()
        self._launched: float | None = None
        self._progress = Progress(Step("it was prepared"))
        self.expected: float | None = None
        self.following: float | None = 0.0

    @property
    def watched(self) -> bool:
        """Whether anybody is ever told anything."""
        return self._viewer.watched

    @property
    def took(self) -> float | None:
        """The seconds since its first launch; None where there was none."""
        return None if self._launched is None else time.monotonic() - self._launched

    @property
    def doing(self) -> str:
        """What it did last, and the seconds that the run had taken by then."""
        seconds = self._seen - self._begin
        return f"{printable_line(self._progress.doing)} ({seconds:.0f} s)"

    def __call__(self, progress: Progress) -> None:
        """Show *progress*."""
        self._note(progress)
        if self._launched is None:
            self._launched = self._seen
        self._viewer.show(self)

    def announce(self, state: str) -> None:
        """Show whom it waits for, and have a log say so."""
        self._note(Progress(Step(state)))
        self._viewer.announce(f"{printable_line(self._name)}: {printable_line(state)}")
        self._viewer.show(self)

    def clear(self) -> None:
        """Take away what is shown, until there is more."""
        self._viewer.clear()

    def _note(self, progress: Progress) -> None:
        self._seen = time.monotonic()
        if progress.doing != self._progress.doing:
            self._since = self._seen
        self._progress = progress

    def headline(self) -> str:
        """Return what it does, and how long it and all runs go on."""
        now = time.monotonic()
        told = self._name, self._progress.doing, now - self._begin
        return headline(*told, self._left(now), self.following)

    def sentence(self) -> str:
        """Return the same for a log, with the time since which it does so."""
        now = time.monotonic()
        told = self._name, self._progress.doing, time.time() - (now - self._since)
        return sentence(*told, self._left(now), self.following)

    def rows(self, most: int) -> Sequence[Row]:
        """Return a line for each harness."""
        return rows_of(self._progress.look(), time.monotonic(), most)

    def _left(self, now: float) -> float | None:
        progress, expected = self._progress, self.expected
        states = progress.look()
        left = left_of(states, progress.step, progress.buffer, now)
        if left is None and expected is not None:
            begun = now if self._launched is None else self._launched
            coming = sum(each.takes for each in states if each.running)
            least = coming + progress.buffer
            left = max(least, begun + expected - now)
        return left
