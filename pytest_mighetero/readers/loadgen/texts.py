"""Why a run is INVALID, and what LoadGen says about it, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pytest_mighetero.readers.loadgen.keys import Values, number
from pytest_mighetero.readers.result import LatencyBound
from pytest_mighetero.units import significant

_BULLET = re.compile(r"(?:^|\s)\*\s+")
_SENTENCE_END = re.compile(r"(?<=\.)\s+(?:\*\s+)?")


def sentences(strung: str) -> tuple[str, ...]:
    """Return the texts that ``result_invalid_reason`` strings together."""
    return tuple(part for part in _SENTENCE_END.split(strung.strip()) if part)


def early_stopping_text(parts: Mapping[str, str]) -> str | None:
    """Return what LoadGen says of early stopping, on one line.

    Args:
        parts: Its text by ``""``, or for language models by ``TTFT`` and ``TPOT``, of
            which LoadGen leaves the first empty when the second fails.
    """
    said = {name: _one_line(lines) for name, lines in parts.items()}
    lines = [f"{name}: {line}" if name else line for name, line in said.items() if line]
    return " ".join(lines) or None


def _one_line(lines: str) -> str:
    """Return LoadGen's bulleted lines as sentences on one line."""
    parts = (" ".join(part.split()) for part in _BULLET.split(lines))
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def invalid_reasons(
    values: Values, bounds: Iterable[LatencyBound], early_stopping: str | None
) -> tuple[str, ...]:
    """Return a sentence for each condition of a VALID run that was not met.

    LoadGen's own ``result_invalid_reason`` is no source for this: it is advice, and
    empty when early stopping alone fails.
    """
    duration = number(values, "effective_min_duration_ms")
    count = number(values, "effective_min_query_count")
    seconds = None if duration is None else significant(duration / 1e3, 6)
    parts = map(_uncapitalised, (early_stopping or "").split(". "))
    conditions = {
        "result_perf_constraints_met": (
            "Performance constraints not met",
            _missed(bounds),
        ),
        "result_min_duration_met": (
            "Minimum duration not met",
            "" if seconds is None else f"{seconds} s were asked for",
        ),
        "result_min_queries_met": (
            "Minimum query count not met",
            "" if count is None else f"{count:.0f} were asked for",
        ),
        "early_stopping_met": ("Early stopping not satisfied", "; ".join(parts)),
    }
    reasons = []
    for key, (sentence, detail) in conditions.items():
        if values.get(key) is False:
            why = detail.rstrip(".")
            reasons.append(f"{sentence}: {why}." if why else f"{sentence}.")
    return tuple(reasons)


def _missed(bounds: Iterable[LatencyBound]) -> str:
    return "; ".join(
        f"{each.percentile:g}th percentile {each.name} is "
        f"{significant(each.ms, 4)} ms, limit {significant(each.limit_ms, 6)} ms"
        for each in bounds
        if each.missed and each.ms and each.limit_ms
    )


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
