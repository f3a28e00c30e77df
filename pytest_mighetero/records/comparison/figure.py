"""What of a finished run is compared with other runs. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.facts import Facts, flag, number
from pytest_mighetero.terms.pair import audit_of
from pytest_mighetero.terms.scenario import is_bounded

_TTFT, _TPOT = "p99 TTFT", "p99 TPOT"
_FACTS = (
    *("target_qps", "p99_ms", "latency_limit_ms"),
    *("ttft_p99_ms", "ttft_limit_ms", "tpot_p99_ms", "tpot_limit_ms"),
)


@dataclass(frozen=True)
class Latency:
    """A latency of a Server run at the 99th percentile, beside its limit.

    Attributes:
        name: ``p99``; of language models ``p99 TTFT`` and ``p99 TPOT``.
        ms: what it was; None where not known.
        limit_ms: what it may be; None where not known.
    """

    name: str
    ms: float | None
    limit_ms: float | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A VALID run, by the figures that MLPerf judges it by.

    Attributes:
        scenario: ``offline``, ``server``, ``singlestream`` or ``multistream``.
        value: of the scenario's metric, in ``unit``.
        unit: ``samples/s``, ``tokens/s``, ``ms`` or ``samples/query``.
        target_qps: Server: the rate that was asked for; None elsewhere.
        p99_ms: Server: the 99th percentile of the latency; None elsewhere, and for a
            language model, which is judged by ``ttft`` and ``tpot``.
        limit_ms: Server: the limit on it; likewise.
        tuned: Server: whether the target is the highest that a search found VALID.
        invalid_above: Server: the next target that was INVALID, by a search or
            back-off; infinite where a search met none, None where nothing was tried.
    """

    scenario: str
    value: float
    unit: str
    target_qps: float | None = None
    p99_ms: float | None = None
    limit_ms: float | None = None
    tuned: bool = False
    ttft: Latency | None = None
    tpot: Latency | None = None
    invalid_above: float | None = None

    @property
    def resolution(self) -> float:
        """By how much its device may bear more than the target, 0.01 for 1 %."""
        if not self.target_qps or self.invalid_above is None:
            return 0.0
        return max(0.0, self.invalid_above / self.target_qps - 1)

    @property
    def latencies(self) -> tuple[Latency, ...]:
        """Server: what it is judged by."""
        if self.ttft is not None and self.tpot is not None:
            return self.ttft, self.tpot
        return (Latency("p99", self.p99_ms, self.limit_ms),)

    @property
    def limit_percent(self) -> float | None:
        """Of a language model: TTFT or TPOT in percent of its limit, the nearer."""
        if self.ttft is None:
            return None
        pairs = [(each.ms, each.limit_ms) for each in self.latencies]
        shares = [100 * ms / limit for ms, limit in pairs if ms and limit]
        return max(shares) if len(shares) == len(pairs) else None

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value of the metric is better: all but latencies."""
        return self.unit != "ms"


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
        if not is_bounded(scenario):
            return Measurement(scenario, value, unit)
        target, p99, limit, *tokens = (number(facts, name) for name in _FACTS)
        above = _invalid_above(facts)
    except ValueError:
        return None
    tuned = flag(facts, "tuned") is True
    measured = Measurement(
        *(scenario, value, unit, target), tuned=tuned, invalid_above=above
    )
    if all(each is None for each in tokens):
        return replace(measured, p99_ms=p99, limit_ms=limit)
    ttft, tpot = Latency(_TTFT, *tokens[:2]), Latency(_TPOT, *tokens[2:])
    return replace(measured, ttft=ttft, tpot=tpot)


def _invalid_above(facts: Facts) -> float | None:
    """Return the nearest target above that did not hold."""
    name = "tuned_invalid_above"
    if facts.get(name) == "none":
        return math.inf
    return number(facts, name if facts.get(name) else "target_qps_invalid")


def of_result(result: Result) -> Measurement | None:
    """Return the measurement that LoadGen's logs hold.

    Returns:
        None unless it was VALID, and the logs are not damaged.
    """
    if not result.valid or result.metric is None or result.scenario is None:
        return None
    if result.damage:
        return None
    scenario, metric = result.scenario.lower(), result.metric
    plain = Measurement(scenario, metric.value, metric.unit)
    if not is_bounded(scenario):
        return plain
    plain = replace(plain, target_qps=result.target_qps)
    tokens = result.tokens
    if tokens is None or not tokens.are_judged:
        p99_ms = result.percentiles_ms.get(99.0)
        return replace(plain, p99_ms=p99_ms, limit_ms=result.target_latency_ms)
    first = tokens.first_token.percentiles_ms.get(99.0)
    each = tokens.per_output_token.percentiles_ms.get(99.0)
    return replace(
        plain,
        ttft=Latency(_TTFT, first, tokens.first_token_limit_ms),
        tpot=Latency(_TPOT, each, tokens.per_output_token_limit_ms),
    )
