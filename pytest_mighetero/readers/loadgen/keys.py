"""The keys of LoadGen's logs, and what they say by them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

Values = Mapping[str, object]

PERCENTILE = "effective_target_latency_percentile"
OFFLINE = "result_samples_per_second"
SCHEDULED = "result_scheduled_samples_per_sec"
COMPLETED = "result_completed_samples_per_sec"
SAMPLES_PER_QUERY = "effective_samples_per_query"
# The completed ones are Server's.
TOKENS = ("result_completed_tokens_per_second", "result_tokens_per_second")
INFERRED_TOKENS = (
    "result_inferred_completed_tokens_per_second",
    "result_inferred_tokens_per_second",
)
# SingleStream has the estimate of its own percentile, and MultiStream's of the 99th.
ESTIMATES = ("early_stopping_latency_ss", "early_stopping_latency_ms")
# Of each figure its label, and its unit.
RATES = {
    OFFLINE: ("Samples per second", "samples/s"),
    SCHEDULED: ("Scheduled samples per second", "samples/s"),
    COMPLETED: ("Completed samples per second", "samples/s"),
    SAMPLES_PER_QUERY: ("Samples per query", "samples/query"),
    TOKENS[0]: ("Completed tokens per second", "tokens/s"),
    TOKENS[1]: ("Tokens per second", "tokens/s"),
    INFERRED_TOKENS[0]: ("Completed tokens per second (inferred)", "tokens/s"),
    INFERRED_TOKENS[1]: ("Tokens per second (inferred)", "tokens/s"),
}

# LoadGen v2.0 logs some counts as text.
_WRITTEN = re.compile(
    r"\s*[-+]?\d{1,300}(?:\.\d{1,300})?(?:[eE][-+]?\d{1,3})?\s*", re.ASCII
)


class LatencyKeys(NamedTuple):
    """The keys of one kind of latency.

    Attributes:
        of: with min, mean or max in it.
        percentile: with the percentile in it, to two decimals.
    """

    of: str
    percentile: str


PER_SAMPLE = LatencyKeys("result_{}_latency_ns", "result_{}_percentile_latency_ns")
PER_QUERY = LatencyKeys(
    "result_{}_query_latency_ns", "result_{}_percentile_per_query_latency_ns"
)
FIRST_TOKEN = LatencyKeys(
    "result_first_token_{}_latency_ns", "result_first_token_{}_percentile_latency_ns"
)
PER_TOKEN = LatencyKeys(
    "result_time_to_output_token_{}", "result_time_per_output_token_{}_percentile_ns"
)


def finite(value: object) -> float | None:
    """Return *value* where it is a finite number, or the text of one; else None.

    ``true`` and ``false`` are no numbers, nor is what a float cannot hold.
    """
    if isinstance(value, str) and _WRITTEN.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def number(values: Values, *keys: str) -> float | None:
    """Return the first of the keys' values that is a finite number."""
    numbers = (finite(values.get(key)) for key in keys)
    return next((each for each in numbers if each is not None), None)


def text(values: Values, *keys: str) -> str | None:
    """Return the first of the keys' values that is a text other than the empty one."""
    texts = (values.get(key) for key in keys)
    return next((t.strip() for t in texts if isinstance(t, str) and t.strip()), None)
