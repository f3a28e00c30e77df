"""From logged keys and values to figures: pure functions, the same for both files.

``values`` is what the logs say by the keys of the detail log, whichever file said it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from pytest_mighetero.loadgen.result import LatencyStats, Metric, TokenMetrics
from pytest_mighetero.loadgen.summary import SAMPLES_PER_QUERY
from pytest_mighetero.loadgen.version import parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping

_NS_PER_MS = 1e6

_OFFLINE_KEY = "result_samples_per_second"
SCHEDULED_KEY = "result_scheduled_samples_per_sec"
COMPLETED_KEY = "result_completed_samples_per_sec"
_SINGLE_STREAM_KEY = "result_90.00_percentile_latency_ns"
_MULTI_STREAM_KEY = "result_99.00_percentile_per_query_latency_ns"

_RATES = {
    _OFFLINE_KEY: ("samples per second", "samples/s"),
    SCHEDULED_KEY: ("scheduled samples per second", "samples/s"),
    COMPLETED_KEY: ("completed samples per second", "samples/s"),
    SAMPLES_PER_QUERY: ("samples per query", "samples/query"),
}
_LATENCIES = {
    _SINGLE_STREAM_KEY: "90th percentile latency",
    _MULTI_STREAM_KEY: "99th percentile latency",
}

_PER_SAMPLE = re.compile(r"result_(\d+\.\d+)_percentile_latency_ns")
_PER_QUERY = re.compile(r"result_(\d+\.\d+)_percentile_per_query_latency_ns")
_FIRST_TOKEN = re.compile(r"result_first_token_(\d+\.\d+)_percentile_latency_ns")
_PER_TOKEN = re.compile(r"result_time_per_output_token_(\d+\.\d+)_percentile_ns")


def number(values: Mapping[str, object], *keys: str) -> float | None:
    """Return the first of the keys' values that is a finite number."""
    for key in keys:
        value = values.get(key)
        if (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and math.isfinite(value)
        ):
            return float(value)
    return None


def text(values: Mapping[str, object], *keys: str) -> str | None:
    """Return the first of the keys' values that is a text other than the empty one."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def milliseconds(values: Mapping[str, object], *keys: str) -> float | None:
    """Return the first of the keys' numbers, which are nanoseconds, in ms."""
    nanoseconds = number(values, *keys)
    return None if nanoseconds is None else nanoseconds / _NS_PER_MS


def limit_ms(values: Mapping[str, object], *keys: str) -> float | None:
    """Return a limit in ms; LoadGen writes 0 where there is none."""
    return milliseconds(values, *keys) or None


def percent(values: Mapping[str, object], key: str) -> float | None:
    """Return a fraction, as LoadGen logs percentiles, in percent: 0.99 as 99.0."""
    fraction = number(values, key)
    return None if fraction is None else round(fraction * 100, 6)


def metric_of(
    values: Mapping[str, object],
    scenario: str | None,
    loadgen_version: str | None,
    summary_key: str | None,
) -> Metric | None:
    """Return the metric of a scenario as MLPerf defines it.

    Server's is the scheduled rate before LoadGen v4.1, the completed one since (#1719;
    v4.0 too for language models). MultiStream's is the samples per query before v2.0,
    the 99th percentile of the query latency since (#1049).

    Args:
        values: What the logs say.
        scenario: The scenario.
        loadgen_version: Decides where the summary does not.
        summary_key: The key of the figure that the summary gives as the result, which
            is LoadGen's own word on it.

    Returns:
        None when the logs do not give it: AccuracyOnly, killed runs.
    """
    version = parse_version(loadgen_version)
    key: str | None = None
    if scenario == "Offline":
        key = _OFFLINE_KEY
    elif scenario == "SingleStream":
        key = _SINGLE_STREAM_KEY
    elif scenario == "Server":
        key = summary_key
        if key not in (SCHEDULED_KEY, COMPLETED_KEY):
            key = _server_key(values, version)
    elif scenario == "MultiStream":
        key = summary_key
        if key not in (SAMPLES_PER_QUERY, _MULTI_STREAM_KEY) and version is not None:
            key = SAMPLES_PER_QUERY if version < (2, 0) else _MULTI_STREAM_KEY
    # The samples per query are a setting: only a run that came to a result has it.
    value = None if key is None else number(values, key)
    if key is None or value is None or "result_validity" not in values:
        return None
    if key in _LATENCIES:
        return Metric(_LATENCIES[key], value / _NS_PER_MS, "ms", higher_is_better=False)
    name, unit = _RATES[key]
    return Metric(name, value, unit, higher_is_better=True)


def _server_key(
    values: Mapping[str, object], version: tuple[int, int] | None
) -> str | None:
    if version is None:
        said = [key for key in (SCHEDULED_KEY, COMPLETED_KEY) if key in values]
        return said[0] if len(said) == 1 else None
    token_model = values.get("requested_use_token_latencies") is True
    if version >= (4, 1) or (version == (4, 0) and token_model):
        return COMPLETED_KEY
    return SCHEDULED_KEY


def _percentiles(
    values: Mapping[str, object], pattern: re.Pattern[str]
) -> dict[float, float]:
    found = {}
    for key in values:
        match = pattern.fullmatch(key)
        value = milliseconds(values, key) if match is not None else None
        if match is not None and value is not None:
            found[float(match[1])] = value
    return dict(sorted(found.items()))


def latency_of(values: Mapping[str, object], scenario: str | None) -> LatencyStats:
    """Return the latencies: per query in MultiStream where logged, else per sample."""
    per_query = _percentiles(values, _PER_QUERY)
    if scenario == "MultiStream" and per_query:
        return LatencyStats(
            milliseconds(values, "result_min_query_latency_ns"),
            milliseconds(values, "result_mean_query_latency_ns"),
            milliseconds(values, "result_max_query_latency_ns"),
            per_query,
        )
    return LatencyStats(
        milliseconds(values, "result_min_latency_ns"),
        milliseconds(values, "result_mean_latency_ns"),
        milliseconds(values, "result_max_latency_ns"),
        _percentiles(values, _PER_SAMPLE),
    )


def tokens_of(values: Mapping[str, object]) -> TokenMetrics | None:
    """Return the figures of a language model, or None when the logs have none."""
    tokens = TokenMetrics(
        number(
            values, "result_completed_tokens_per_second", "result_tokens_per_second"
        ),
        number(
            values,
            "result_inferred_completed_tokens_per_second",
            "result_inferred_tokens_per_second",
        ),
        LatencyStats(
            milliseconds(values, "result_first_token_min_latency_ns"),
            milliseconds(values, "result_first_token_mean_latency_ns"),
            milliseconds(values, "result_first_token_max_latency_ns"),
            _percentiles(values, _FIRST_TOKEN),
        ),
        LatencyStats(
            milliseconds(values, "result_time_to_output_token_min"),
            milliseconds(values, "result_time_to_output_token_mean"),
            milliseconds(values, "result_time_to_output_token_max"),
            _percentiles(values, _PER_TOKEN),
        ),
        limit_ms(values, "requested_server_ttft_latency"),
        limit_ms(values, "requested_server_tpot_latency"),
    )
    return None if tokens == TokenMetrics() else tokens
