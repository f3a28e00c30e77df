"""The target QPS that a search may try: what the harness takes, and no finer. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_FINE = 4  # steps at the least from one end to another that is as near as wanted
_EXACT = 1e-6  # of a step: what a quotient is off by


@dataclass(frozen=True)
class Grid:
    """The targets to choose from.

    Attributes:
        whole: whether the harness takes whole numbers alone: 1, 2, 3...; else any, of
            which round ones are chosen.
        resolution: the wanted gap between two ends, 0.01 for 1 %.
    """

    whole: bool
    resolution: float

    def down(self, target: float) -> float:
        """Return the highest on the grid that is not above *target*."""
        return self._at(target, math.floor)

    def up(self, target: float) -> float:
        """Return the lowest on the grid that is not below *target*."""
        return self._at(target, math.ceil)

    def nearest(self, target: float) -> float:
        """Return that on the grid which is nearest."""
        return self._at(target, round)

    def above(self, target: float) -> float:
        """Return the lowest on the grid above *target*."""
        return _plain(self.down(target) + self._step(target))

    def below(self, target: float) -> float:
        """Return the highest on the grid below *target*."""
        return _plain(self.up(target) - self._step(target))

    @property
    def least(self) -> float:
        """The lowest target there is; any above 0 where fractions are taken."""
        return 1.0 if self.whole else 0.0

    def taken(self, target: float) -> float:
        """Return *target*, or the nearest that the harness takes instead."""
        return max(1.0, round(target)) if self.whole else target

    def taken_below(self, target: float) -> float:
        """Return *target*, or the next lower one that the harness takes instead."""
        return max(1.0, math.floor(target)) if self.whole else target

    def taken_above(self, target: float) -> float:
        """Return *target*, or the next higher one that the harness takes instead."""
        return float(math.ceil(target)) if self.whole else target

    def closed(self, low: float, high: float) -> bool:
        """Whether two ends are as near as wanted, or have none between them."""
        if self.whole and high - low <= 1:
            return True
        return (high - low) / low <= self.resolution * (1 + _EXACT)

    def _step(self, near: float) -> float:
        if self.whole:
            return 1.0
        return 10.0 ** math.floor(math.log10(near * self.resolution / _FINE))

    def _at(self, target: float, rounded: Callable[[float], int]) -> float:
        steps = target / (step := self._step(target))
        near = round(steps)
        exact = abs(steps - near) <= _EXACT
        return _plain((near if exact else rounded(steps)) * step)


def _plain(target: float) -> float:
    """Return it without what sums and products of fractions are off by."""
    return float(f"{target:.12g}")
