"""Why a run is INVALID, and what LoadGen says about it, in sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_mighetero.loadgen.figures import limit_ms, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_mighetero.loadgen.result import LatencyStats, TokenMetrics

_BULLET = re.compile(r"(?:^|\s)\*\s+")
_SENTENCE_END = re.compile(r"(?<=\.)\s+(?:\*\s+)?")


def one_line(lines: str) -> str:
    """Return LoadGen's bulleted lines as sentences on one line."""
    parts = (" ".join(part.split()) for part in _BULLET.split(lines))
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def sentences(strung: str) -> tuple[str, ...]:
    """Return the texts that ``result_invalid_reason`` strings together."""
    return tuple(part for part in _SENTENCE_END.split(strung.strip()) if part)


def early_stopping_text(parts: Mapping[str, str]) -> str | None:
    """Return what LoadGen says of early stopping, on one line.

    Args:
        parts: Its text by ``""``, or for language models by ``TTFT`` and ``TPOT``, of
            which LoadGen leaves the first empty when the second fails.
    """
    said = [(name, one_line(lines)) for name, lines in parts.items()]
    lines = [f"{name}: {line}" if name else line for name, line in said if line]
    return " ".join(lines) or None


def _latency_text(
    name: str, percentile: float | None, stats: LatencyStats, limit: float | None
) -> str | None:
    if percentile is None or limit is None:
        return None
    latency = stats.percentiles_ms.get(percentile)
    if latency is None:
        return None
    return f"{percentile:g}th percentile {name} is {latency:.4g} ms, limit {limit:g} ms"


def _missed_latencies(
    values: Mapping[str, object],
    percentile: float | None,
    latency: LatencyStats,
    tokens: TokenMetrics | None,
) -> str:
    if tokens is None:
        limit = limit_ms(values, "effective_target_latency_ns")
        texts = [_latency_text("latency", percentile, latency, limit)]
    else:
        texts = [
            _latency_text(
                "TTFT", percentile, tokens.first_token, tokens.first_token_limit_ms
            ),
            _latency_text(
                "TPOT",
                percentile,
                tokens.per_output_token,
                tokens.per_output_token_limit_ms,
            ),
        ]
    return "; ".join(text for text in texts if text)


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _with_detail(sentence: str, detail: str) -> str:
    detail = detail.rstrip(".")
    return f"{sentence}: {detail}." if detail else f"{sentence}."


def invalid_reasons(
    values: Mapping[str, object],
    percentile: float | None,
    latency: LatencyStats,
    tokens: TokenMetrics | None,
    early_stopping: str | None,
) -> tuple[str, ...]:
    """Return a sentence for each condition of a VALID run that was not met.

    LoadGen's own ``result_invalid_reason`` is no source for this: it is advice, and
    empty when early stopping alone fails.

    Args:
        values: What the logs say.
        percentile: The percentile that a latency limit holds for, for instance 99.0.
        latency: The run's latencies.
        tokens: The figures of a language model, which is judged by TTFT and TPOT.
        early_stopping: What LoadGen says of early stopping, on one line.
    """
    reasons = []
    if values.get("result_perf_constraints_met") is False:
        detail = _missed_latencies(values, percentile, latency, tokens)
        reasons.append(_with_detail("Performance constraints not met", detail))
    if values.get("result_min_duration_met") is False:
        wanted = number(values, "effective_min_duration_ms")
        detail = "" if wanted is None else f"{wanted / 1e3:g} s were asked for"
        reasons.append(_with_detail("Minimum duration not met", detail))
    if values.get("result_min_queries_met") is False:
        wanted = number(values, "effective_min_query_count")
        detail = "" if wanted is None else f"{wanted:.0f} were asked for"
        reasons.append(_with_detail("Minimum query count not met", detail))
    if values.get("early_stopping_met") is False:
        parts = (early_stopping or "").split(". ")
        detail = "; ".join(_uncapitalised(part) for part in parts)
        reasons.append(_with_detail("Early stopping not satisfied", detail))
    return tuple(reasons)
