"""What a run of a benchmark may come to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mighetero.spec.tables import finite, key, number


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of one benchmark in one scenario; None for no such limit.

    They are the verdict where its tool has none of its own; one that has says which
    limits on latencies it took, and those are compared with these.

    Attributes:
        ttft_ms: on the time to the first token, in milliseconds.
        tpot_ms: on the time per output token.
        latency_ms: on the time of a whole request.
        percentile: of those that are judged, 99 for the 99th.
        failed: how many requests may fail; None for none, of a tool that counts them.
        seconds: how long the timed part lasts at the least.
        requests: how many requests complete at the least.
    """

    ttft_ms: float | None = key(finite, None)
    tpot_ms: float | None = key(finite, None)
    latency_ms: float | None = key(finite, None)
    percentile: float = key(number(lambda v: 0 < v <= 100, "a percentile"), 99.0)
    failed: float | None = key(
        number(lambda v: 0 <= v < math.inf, "a number from 0"), None
    )
    seconds: float | None = key(finite, None)
    requests: float | None = key(finite, None)

    @property
    def latencies(self) -> Mapping[str, float]:
        """Those on latencies, by their keys."""
        said = {name: getattr(self, name) for name in _LATENCIES}
        return {name: ms for name, ms in said.items() if ms is not None}

    @property
    def counts(self) -> list[str]:
        """The keys of those on what a run did."""
        return [name for name in _COUNTS if getattr(self, name) is not None]


_COUNTS = ("failed", "seconds", "requests")
_LATENCIES = ("latency_ms", "ttft_ms", "tpot_ms")
NO_LIMITS = Limits()
