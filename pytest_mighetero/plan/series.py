"""Trials of one length, and which target is worth the next one. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pytest_mighetero.plan.grid import Grid
from pytest_mighetero.plan.trial import Trial
from pytest_mighetero.units import significant

FIRST_STEP = 0.04  # away from a known reference; doubles with every step
_STEEPEST = 4.0  # a factor: a run so far beyond the device takes as much longer
_REACH = 4  # a guide may step so many times further


@dataclass(frozen=True)
class Series:
    """Trials of one length, in the order they ran.

    Attributes:
        grid: the targets to choose from.
        up: the first step up from a trial that holds, as a fraction.
        down: the first step down from one that does not.
        far: the least step up where p99 is half its limit or less.
        hint: a trial of the other length that holds, below those that do not.
    """

    trials: tuple[Trial, ...]
    grid: Grid
    up: float
    down: float
    far: float
    hint: Trial | None = None

    @property
    def resolution(self) -> float:
        """The wanted gap."""
        return self.grid.resolution

    @property
    def held(self) -> list[Trial]:
        """Those that hold, the highest target first."""
        held = (trial for trial in self.trials if trial.holds)
        return sorted(held, key=target_of, reverse=True)

    @property
    def failed(self) -> list[Trial]:
        """Those above every one that holds, the lowest target first."""
        low = self.held[0].target_qps if self.held else 0.0
        above = (t for t in self.trials if not t.holds and t.target_qps > low)
        return sorted(above, key=target_of)

    @property
    def ends(self) -> tuple[Trial, Trial] | None:
        """The highest that holds and the lowest above it that does not."""
        held, failed = self.held, self.failed
        return (held[0], failed[0]) if held and failed else None

    @property
    def closed(self) -> bool:
        """Whether the ends are as near as wanted, or as any can be."""
        return self.ends is not None and self.grid.closed(*map(target_of, self.ends))

    def proposal(self) -> tuple[float, str]:
        """Return the next target, and why."""
        if self.ends is not None:
            low, high = self.ends
            why = f"between {_shown(low)} and {_shown(high)}"
            return self._between(low, high), why
        if self.held:
            return self._above(), f"above {_shown(self.held[0])}"
        return self._below(), f"below {_shown(self.failed[0])}"

    def _between(self, below: Trial, above: Trial) -> float:
        grid = self.grid
        low, high = below.target_qps, above.target_qps
        target = math.sqrt(low * high)
        # The next one closes the gap from either side only if the ends are this near.
        first, last = low * (1 + self.resolution), high / (1 + self.resolution)
        guess = _crossing(below, above)
        if guess is not None and first < last and not self._stalled(high / low):
            target = _clamped(guess / (1 + self.resolution / 2), first, last)
        # first rounds down and last up, or the gap they leave is too wide by a step.
        ends = {first: grid.down(first), last: grid.up(last)}
        chosen = ends.get(target, grid.nearest(target))
        return _clamped(chosen, grid.above(low), grid.below(high))

    def _stalled(self, ratio: float) -> bool:
        """Whether two steps with a guide did less than one without would have."""
        earlier = replace(self, trials=self.trials[:-2]).ends
        if earlier is None:
            return False
        low, high = map(target_of, earlier)
        return math.log(ratio) > 0.5 * math.log(high / low)

    def _above(self) -> float:
        held = self.held
        top = held[0].target_qps
        step = min(1.0, self.up * 2.0 ** (len(held) - 1))
        known = held[0].headroom
        if known is not None and known[1] >= 2:
            step = max(2 * step, self.far)
        target = top * (1 + step)
        guess = _crossing(held[1], held[0]) if len(held) > 1 else None
        if guess is not None:
            farthest = top * min(1 + _REACH * step, _STEEPEST)
            guess *= 1 + self.resolution / 2
            target = _clamped(guess, top * (1 + self.resolution), farthest)
        return max(self.grid.above(top), self.grid.down(target))

    def _below(self) -> float:
        failed = self.failed
        lowest, known = failed[0].target_qps, failed[0].headroom
        step = min(1.0, self.down * 2.0 ** (len(failed) - 1))
        target = lowest / (1 + step)
        other = self.hint or (failed[1] if len(failed) > 1 else None)
        guess = _crossing(failed[0], other) if other else None
        if known is not None and known[0] > 0 and known[1] == 0:
            target = known[0] / (1 + min(step, FIRST_STEP))
        elif guess is not None:
            farthest = lowest / (1 + _REACH * step)
            guess /= 1 + self.resolution / 2
            target = _clamped(guess, farthest, lowest / (1 + self.resolution))
        chosen = min(self.grid.below(lowest), self.grid.nearest(target))
        return max(self.grid.least, chosen)


def _crossing(low: Trial, high: Trial) -> float | None:
    """Return the target at which p99 meets its limit, on the line through both."""
    first, second = low.headroom, high.headroom
    if first is None or second is None or first[1] == second[1]:
        return None
    slope = (second[1] - first[1]) / (second[0] - first[0] or math.inf)
    return first[0] + (1 - first[1]) / slope if slope < 0 else None


def _clamped(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def _shown(trial: Trial) -> str:
    return significant(trial.target_qps, 10)


def target_of(trial: Trial) -> float:
    """Return the target, to sort by."""
    return trial.target_qps
