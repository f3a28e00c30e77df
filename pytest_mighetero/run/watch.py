"""Main's and the backgrounds' processes, looked at while main is measured."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_mighetero.harness.activity import Activity
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.tree import Trees
from pytest_mighetero.run.evidence.traces import tail_of
from pytest_mighetero.run.evidence.workload import Break
from pytest_mighetero.terms.clock import Clock
from pytest_mighetero.terms.window import TimedWindow

_LATER_S = 0.9  # between looks: whoever asks does so about once a second


def stopped_now(harnesses: Iterable[HarnessProcess]) -> list[HarnessProcess]:
    """Return those of *harnesses* that are stopped at this moment."""
    running = {each.root or each.pid: each for each in harnesses if each.running}
    looks = Trees().look(running)
    return [harness for pid, harness in running.items() if looks[pid].stopped]


class Watch:
    """Looks at the processes of a main and of its backgrounds about once a second.

    Args:
        mains: main's process, and its server's.
        backgrounds: theirs, and their servers', each with the seconds for which it may
            use no CPU time; 0 for ever.
    """

    def __init__(
        self,
        mains: Iterable[HarnessProcess],
        backgrounds: Mapping[HarnessProcess, float],
        clock: Clock,
    ):
        self._clock = clock
        self._backgrounds = tuple(backgrounds)
        limits = [each / 2 for each in backgrounds.values() if each]
        self._trees = Trees(min(limits, default=float("inf")))
        every = {**dict.fromkeys(mains, 0.0), **backgrounds}
        self._activities = {each: Activity(limit) for each, limit in every.items()}
        self._looked = -float("inf")

    def look(self, *, at_once: bool = False) -> None:
        """Look once, unless the last look was just now and it need not be *at_once*."""
        now = time.monotonic()
        if now - self._looked < _LATER_S and not at_once:
            return
        self._looked = now
        running = {h: h.root or h.pid for h in self._activities if h.running}
        looks = self._trees.look(running.values())
        for harness, pid in running.items():
            self._activities[harness].add(looks[pid])

    @property
    def suspicious(self) -> bool:
        """Whether a background did nothing at the last look."""
        return any(self._activities[each].suspect for each in self._backgrounds)

    def unloaded(self, window: TimedWindow) -> Break | None:
        """Say which backgrounds did not load their device in main's *window*, or None.

        That is up to now while it runs.
        """
        begin, end = self._monotonic(window)
        found = {
            harness: said
            for harness in self._backgrounds
            if (said := self._activities[harness].unloaded(begin, end)) is not None
        }
        if not found:
            return None
        what = "; ".join(f"background {h.name} {said}" for h, said in found.items())
        said = (
            f"The overlap broke: {what}. What ended its work: a signal, a debugger, a "
            f"frozen cgroup, a hang?\n" + "\n".join(map(tail_of, found))
        )
        return Break(said, about=tuple(each.log for each in found))

    def described(
        self, harness: HarnessProcess, window: TimedWindow
    ) -> dict[str, Any] | None:
        """Return what *harness* was seen to do in main's *window*, as plain data."""
        return self._activities[harness].summary(*self._monotonic(window))

    def _monotonic(self, window: TimedWindow) -> tuple[float, float]:
        shift = self._clock.posix(0.0)
        return window.begin - shift, window.end - shift
