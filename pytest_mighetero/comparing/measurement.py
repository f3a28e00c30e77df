"""What of a finished run is compared with other runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mighetero.loadgen import LoadGenResult


@dataclass(frozen=True)
class Measurement:
    """A VALID run, by the figures that MLPerf judges it by.

    Attributes:
        scenario: ``offline``, ``server``, ``singlestream`` or ``multistream``.
        value: of the scenario's metric, in ``unit``.
        unit: ``samples/s``, ``ms`` or ``samples/query``.
        target_qps: Server: the rate that was asked for; None elsewhere.
        p99_ms: Server: the 99th percentile of the latency; None elsewhere.
        limit_ms: Server: the limit on it; None elsewhere.
        tuned: Server: whether the target is the highest that a search found VALID.
    """

    scenario: str
    value: float
    unit: str
    target_qps: float | None = None
    p99_ms: float | None = None
    limit_ms: float | None = None
    tuned: bool = False

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value of the metric is better: all but latencies."""
        return self.unit != "ms"


def of_facts(facts: Mapping[str, str]) -> Measurement | None:
    """Return the measurement that a run's facts hold.

    Returns:
        None unless it was VALID and, as far as is known, the overlap held.
    """
    try:
        if facts["validity"] != "VALID" or facts.get("overlap_ok", "true") != "true":
            return None
        value, unit, scenario = float(facts["value"]), facts["unit"], facts["scenario"]
        if scenario != "server":
            return Measurement(scenario, value, unit)
        names = ("target_qps", "p99_ms", "latency_limit_ms")
        target, p99, limit = (float(facts[n]) if n in facts else None for n in names)
        tuned = facts.get("tuned") == "true"
        return Measurement(scenario, value, unit, target, p99, limit, tuned)
    except (KeyError, ValueError):
        return None


def of_result(result: LoadGenResult) -> Measurement | None:
    """Return the measurement that LoadGen's logs hold, or None unless it was VALID."""
    if not result.valid or result.metric is None or result.scenario is None:
        return None
    scenario = result.scenario.lower()
    metric = result.metric
    if scenario != "server":
        return Measurement(scenario, metric.value, metric.unit)
    return Measurement(
        scenario,
        metric.value,
        metric.unit,
        result.target_qps,
        result.percentiles_ms.get(99.0),
        result.target_latency_ms,
    )
