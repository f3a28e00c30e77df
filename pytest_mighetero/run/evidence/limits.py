"""A verdict for tools that have none of their own: by the suite's limits. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from pytest_mighetero.readers.result import Result, TokenMetrics
from pytest_mighetero.spec.limits import Limits
from pytest_mighetero.terms.scenario import is_bounded, scenario_of
from pytest_mighetero.units import significant

# Some requests may be missing, and of those that come at random some more.
_KEPT = 0.9
_DEVIATIONS = 3.0
_RATE_UNIT = "requests/s"


def judged(result: Result, limits: Limits, scenario: str, rate: float | None) -> Result:
    """Return *result* with the verdict, the limits and the scenario that a suite says.

    A figure that is limited and not known, as of too few samples, is INVALID. The
    target is the *rate* that was asked for where the tool does not say it; where a
    target is to be kept, in Server, answers that come more slowly are INVALID.
    """
    reasons = tuple(_missed(result, limits))
    if rate and is_bounded(scenario_of(scenario).logged):
        reasons += tuple(_behind(result, rate))
    return replace(
        result,
        scenario=scenario_of(scenario).logged,
        valid=not reasons,
        judged_by="limits",
        target_qps=result.target_qps or rate,
        invalid_reasons=(*result.invalid_reasons, *reasons),
        target_latency_ms=limits.latency_ms or result.target_latency_ms,
        target_latency_percentile=limits.percentile,
        tokens=_limited(result.tokens, limits),
    )


def _limited(tokens: TokenMetrics | None, limits: Limits) -> TokenMetrics | None:
    if tokens is None and not (limits.ttft_ms or limits.tpot_ms):
        return None
    return replace(
        tokens or TokenMetrics(),
        first_token_limit_ms=limits.ttft_ms,
        per_output_token_limit_ms=limits.tpot_ms,
    )


def failures(result: Result, limits: Limits) -> Iterator[str]:
    """Say that more requests failed than may, or that nobody knows."""
    if result.failed is None and limits.failed is not None:
        yield f"{result.tool} does not say how many requests failed"
    elif (result.failed or 0) > (limits.failed or 0):
        yield f"{result.failed} requests failed, {limits.failed or 0:g} may"


def nothing_done(result: Result) -> bool:
    """Tell whether a tool says itself that it has done nothing at all."""
    metric = result.metric
    nothing = metric is not None and metric.higher_is_better and not metric.value
    return nothing if result.completed is None else not result.completed


def _missed(result: Result, limits: Limits) -> Iterator[str]:
    yield from failures(result, limits)
    if nothing_done(result):
        yield "no request completed"
    tokens, at = result.tokens or TokenMetrics(), limits.percentile
    figures = (
        ("TTFT", tokens.first_token.percentiles_ms.get(at), limits.ttft_ms),
        ("TPOT", tokens.per_output_token.percentiles_ms.get(at), limits.tpot_ms),
        ("latency", result.percentiles_ms.get(at), limits.latency_ms),
    )
    for name, ms, limit in figures:
        if limit is not None and ms is None:
            yield (
                f"p{at:g} {name} is unknown, limit {significant(limit, 4)} ms: "
                f"{result.tool} does not say it, or had too few samples"
            )
        elif limit is not None and ms is not None and ms > limit:
            yield (
                f"p{at:g} {name} {significant(ms, 4)} ms, limit "
                f"{significant(limit, 4)} ms"
            )
    seconds = _seconds(result)
    counts = (
        ("seconds", seconds, limits.seconds),
        ("completed requests", result.completed, limits.requests),
    )
    for what, count, least in counts:
        if least is not None and (count is None or count < least):
            known = "unknown" if count is None else significant(count, 6)
            yield f"{what}: {known}, at least {significant(least, 10)}"


def _seconds(result: Result) -> float | None:
    return result.duration_s or (result.window.seconds if result.window else None)


def _behind(result: Result, rate: float) -> Iterator[str]:
    """Say that requests were not answered at *rate*, as far as that is known.

    The last ones are under way once all are issued, for as long as requests usually
    take: not as long as the last of a queue that grows.
    """
    metric, seconds, done = result.metric, _seconds(result), result.completed
    if done is not None and seconds:
        found = (done + (result.failed or 0)) / seconds
        behind = found * seconds < _least(rate * (seconds - _usual_s(result)))
    elif metric is not None and metric.unit == _RATE_UNIT:
        found = metric.value
        least = _least(rate * seconds) / seconds if seconds else rate / 2
        behind = found < least
    else:
        return
    if behind:
        yield (
            f"{significant(found, 4)} requests/s were answered of the "
            f"{significant(rate, 10)} that were asked for"
        )


def _least(expected: float) -> float:
    return _KEPT * expected - _DEVIATIONS * math.sqrt(max(0.0, expected))


def _usual_s(result: Result) -> float:
    """Return the latency of most requests, in seconds; 0 where none is known."""
    known = [ms for at, ms in sorted(result.percentiles_ms.items()) if at >= 50]
    return known[0] / 1000 if known else 0.0
