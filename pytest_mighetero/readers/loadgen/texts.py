"""Why a run is INVALID, and what LoadGen says about it, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pytest_mighetero.readers.loadgen.figures import number
from pytest_mighetero.readers.loadgen.numbers import Values
from pytest_mighetero.readers.result import LatencyBound
from pytest_mighetero.units import significant

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


def _missed(bounds: Iterable[LatencyBound]) -> str:
    return "; ".join(
        f"{each.percentile:g}th percentile {each.name} is "
        f"{significant(each.ms, 4)} ms, limit {significant(each.limit_ms, 6)} ms"
        for each in bounds
        if each.missed and each.ms is not None and each.limit_ms is not None
    )


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _with_detail(sentence: str, detail: str) -> str:
    detail = detail.rstrip(".")
    return f"{sentence}: {detail}." if detail else f"{sentence}."


def invalid_reasons(
    values: Values, bounds: Iterable[LatencyBound], early_stopping: str | None
) -> tuple[str, ...]:
    """Return a sentence for each condition of a VALID run that was not met.

    LoadGen's own ``result_invalid_reason`` is no source for this: it is advice, and
    empty when early stopping alone fails.

    Args:
        values: What the logs say.
        bounds: The latencies that LoadGen judges the run by.
        early_stopping: What LoadGen says of early stopping, on one line.
    """
    reasons = []
    if values.get("result_perf_constraints_met") is False:
        reasons.append(_with_detail("Performance constraints not met", _missed(bounds)))
    if values.get("result_min_duration_met") is False:
        wanted = number(values, "effective_min_duration_ms")
        detail = (
            "" if wanted is None else f"{significant(wanted / 1e3, 6)} s were asked for"
        )
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
