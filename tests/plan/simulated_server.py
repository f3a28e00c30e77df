"""A device as LoadGen's Server scenario sees it: one queue, and its p99."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from pytest_mighetero.plan.trial import Trial

FULL_S = 600.0
PROBE_S = 60.0


@dataclass(frozen=True)
class SimulatedServer:
    """A device that answers so many queries per second, in one queue.

    Attributes:
        capacity: queries per second it can answer.
        base_ms: p99 of an idle device.
        limit_ms: LoadGen's limit on p99.
        knee: 1 for a single queue, whose p99 is ``base_ms / (1 - load)``; more for
            one whose p99 stays flat for longer and then rises steeply.
        noise: by what fraction, at most, each run's capacity is off.
        spike: the fraction of probes that something disturbs.
        refusal: why LoadGen calls every run INVALID, whatever its latency.
        seed: of the noise.
    """

    capacity: float
    base_ms: float = 10.0
    limit_ms: float = 100.0
    knee: float = 1.0
    noise: float = 0.0
    spike: float = 0.0
    refusal: str = ""
    seed: int = 0

    def run(self, target: float, *, full: bool) -> Trial:
        """Run at *target* queries per second."""
        chance = random.Random(f"{self.seed} {target} {full}")
        capacity = self.capacity * (1 + self.noise * chance.uniform(-1, 1))
        seconds = FULL_S if full else PROBE_S
        # LoadGen's schedule is fixed, but comes close to the target only.
        scheduled = target * (0.998 if full else 1.005)
        p99 = self._p99_ms(scheduled / capacity, capacity, seconds)
        if not full and chance.random() < self.spike:
            p99 += 10 * self.limit_ms
        drained = seconds * max(1.0, scheduled / capacity) + self.base_ms / 1e3
        reason = self.refusal or ("p99 over the limit" if p99 > self.limit_ms else "")
        return Trial(
            target,
            full,
            # A probe is too short for LoadGen, always.
            valid=full and not reason,
            p99_ms=p99,
            limit_ms=self.limit_ms,
            scheduled_qps=scheduled,
            completed_qps=scheduled * seconds / drained,
            tool="LoadGen",
            reason=reason or ("" if full else "min_duration not met"),
        )

    def _p99_ms(self, load: float, capacity: float, seconds: float) -> float:
        """A steady queue, which a short run does not reach; a backlog beyond it."""
        soon = self.base_ms + 2500 * math.sqrt(seconds / capacity)
        steady = math.inf
        if load < 1:
            steady = self.base_ms * (1 + load**self.knee / (1 - load))
        return min(steady, soon) + 1e3 * seconds * max(0.0, load - 1)

    def highest(self) -> int:
        """Return the highest VALID target at full length; 0 if there is none."""
        low, high = 0, 2 * math.ceil(self.capacity) + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.run(middle, full=True).valid:
                low = middle
            else:
                high = middle
        return low
