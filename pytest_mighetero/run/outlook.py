"""How long the runs of a session still take, by what is known of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.plan.durations import cover_of
from pytest_mighetero.run.recorded import recorded_seconds
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair


@dataclass(frozen=True)
class Turn:
    """A run that is to come.

    Attributes:
        pair: what it measures.
        alone: whether with nothing beside it.
        aggressor: of a cell of the interference matrix, what is.
    """

    pair: Pair
    alone: bool
    aggressor: Pair | None = None


class Outlook:
    """What the runs of one session take; nothing is known of a search's.

    An earlier run of the same is what counts; else the lengths that are planned, which
    the runs of this session so far correct by what they took beyond theirs.
    """

    def __init__(self, config: RunSpec):
        self._config = config
        self._known: dict[tuple[Turn, str], tuple[float, bool]] = {}
        self._beyond: list[float] = []  # seconds, of those that were only planned

    def expected(self, turn: Turn, gpu: Gpu) -> float | None:
        """Return the seconds that a run on such a GPU takes, or None."""
        if self._config.tune:
            return None
        key = turn, gpu.name
        if key not in self._known:
            config = self._config.against(turn.aggressor)
            took = recorded_seconds(config, turn.pair, gpu, alone=turn.alone)
            planned = _planned(config, turn, gpu)
            self._known[key] = (planned, False) if took is None else (took, True)
        seconds, recorded = self._known[key]
        return seconds if recorded else seconds + self._correction

    def all_of(self, turns: Iterable[Turn], gpu: Gpu) -> float | None:
        """Return the seconds of them all, one after another, or None.

        With --mig-resume nobody knows yet which of them will be run.
        """
        if self._config.resume:
            return None
        each = [self.expected(turn, gpu) for turn in turns]
        return None if None in each else sum(filter(None, each))

    def took(self, turn: Turn, gpu: Gpu, seconds: float) -> None:
        """Learn what a run has taken."""
        planned, recorded = self._known.get((turn, gpu.name), (0.0, True))
        if not recorded:
            self._beyond.append(max(0.0, seconds - planned))

    @property
    def _correction(self) -> float:
        return sum(self._beyond) / len(self._beyond) if self._beyond else 0.0


def _planned(config: RunSpec, turn: Turn, gpu: Gpu) -> float:
    """Return what the lengths of a run add up to; what its start takes is not known."""
    cover = cover_of(config, turn.pair, gpu.devices[0].profile, None)
    if turn.alone or not config.backgrounds_of(turn.pair.benchmark):
        return cover.main
    told = config.background_duration
    if told == "automatic" or config.keeps_backgrounds:
        return config.settle_time + cover.main + cover.buffer
    return cover.seconds if told == "planned" else told
