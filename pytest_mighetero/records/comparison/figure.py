"""What of a finished run is compared with other runs. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.facts import Facts, flag, number
from pytest_mighetero.terms.pair import audit_of
from pytest_mighetero.terms.scenario import is_bounded

# The latencies that a Server run is judged by, and where facts have them.
_PLAIN = {"p99": ("p99_ms", "latency_limit_ms")}
_OF_TOKENS = {
    "p99 TTFT": ("ttft_p99_ms", "ttft_limit_ms"),
    "p99 TPOT": ("tpot_p99_ms", "tpot_limit_ms"),
}


@dataclass(frozen=True)
class Latency:
    """A latency at the 99th percentile, beside its limit; None where not known.

    Attributes:
        name: ``p99``; of language models ``p99 TTFT`` and ``p99 TPOT``.
    """

    name: str
    ms: float | None = None
    limit_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A VALID run, by the figures that MLPerf judges it by.

    Attributes:
        value: of the scenario's metric, in ``unit``.
        unit: ``samples/s``, ``tokens/s``, ``ms`` or ``samples/query``.
        target_qps: Server: the rate that was asked for; None elsewhere.
        latencies: Server: what it is judged by; of a language model TTFT and TPOT.
        tuned: Server: whether the target is the highest that a search found VALID.
        invalid_above: Server: the next target that was INVALID, by a search or
            back-off; infinite where a search met none, None where nothing was tried.
        lower: whether a suite says of a tool's figure that less is better.
    """

    scenario: str
    value: float
    unit: str
    target_qps: float | None = None
    latencies: tuple[Latency, ...] = (Latency("p99"),)
    tuned: bool = False
    invalid_above: float | None = None
    lower: bool = False

    @property
    def resolution(self) -> float:
        """By how much its device may bear more than the target, 0.01 for 1 %."""
        if not self.target_qps or self.invalid_above is None:
            return 0.0
        return max(0.0, self.invalid_above / self.target_qps - 1)

    @property
    def limit_percent(self) -> float | None:
        """The latency that is nearest its limit, in percent of that."""
        known = [(x.ms, x.limit_ms) for x in self.latencies]
        shares = [100 * ms / limit for ms, limit in known if ms and limit]
        return max(shares) if len(shares) == len(known) else None


def of_facts(facts: Facts) -> Measurement | None:
    """Return the measurement that a run's facts hold.

    Returns:
        None unless it was VALID by undamaged logs and, as far as is known, the overlap
        held. An audit measures nothing for others to be compared with.
    """
    return None if audit_of(facts.get("action", "")) else figure_of(facts)


def figure_of(facts: Facts) -> Measurement | None:
    """Return what ``of_facts`` does, of audits, too: TEST04's is its part A's."""
    held = flag(facts, "overlap_ok") is not False and "damage" not in facts
    scenario, unit = facts.get("scenario"), facts.get("unit")
    if not (held and flag(facts, "validity")) or scenario is None or unit is None:
        return None
    try:
        value = number(facts, "value")
        if value is None or value < 0:
            return None
        lower = facts.get("better") == "lower"
        measured = Measurement(scenario, value, unit, lower=lower)
        return _of_server(measured, facts) if is_bounded(scenario) else measured
    except ValueError:
        return None


def _of_server(measured: Measurement, facts: Facts) -> Measurement:
    """Add what is compared of a Server run alone.

    Raises:
        ValueError: a figure is none.
    """
    said = any(name in facts for names in _OF_TOKENS.values() for name in names)
    tuned_above = facts.get("tuned_invalid_above")
    above = "tuned_invalid_above" if tuned_above else "target_qps_invalid"
    return replace(
        measured,
        target_qps=number(facts, "target_qps"),
        latencies=tuple(
            Latency(name, number(facts, ms), number(facts, limit))
            for name, (ms, limit) in (_OF_TOKENS if said else _PLAIN).items()
        ),
        tuned=flag(facts, "tuned") is True,
        invalid_above=math.inf if tuned_above == "none" else number(facts, above),
    )


def of_result(result: Result, scenario: str | None = None) -> Measurement | None:
    """Return the measurement that LoadGen's logs hold.

    Its scenario is what their folder says, where LoadGen has no name for it.

    Returns:
        None unless it was VALID, and the logs are not damaged.
    """
    metric, scenario = result.metric, scenario or result.scenario
    if not result.valid or result.damage or metric is None or scenario is None:
        return None
    measured = Measurement(scenario.lower(), metric.value, metric.unit)
    if not is_bounded(scenario):
        return measured
    bounds = result.bounds_at(99.0)
    names = _PLAIN if len(bounds) == 1 else _OF_TOKENS
    latencies = tuple(
        Latency(name, bound.ms, bound.limit_ms)
        for name, bound in zip(names, bounds, strict=True)
    )
    return replace(measured, target_qps=result.target_qps, latencies=latencies)
