"""From logged keys and values to figures: pure functions, the same for both files.

``values`` is what the logs say by the keys of the detail log, whichever file said it.
"""

from __future__ import annotations

import re

from pytest_mighetero.readers.loadgen import keys
from pytest_mighetero.readers.loadgen.keys import LatencyKeys, Values, number
from pytest_mighetero.readers.loadgen.windows import parse_version
from pytest_mighetero.readers.result import LatencyStats, Metric, TokenMetrics
from pytest_mighetero.terms.scenario import scenario_of

_NS_PER_MS = 1e6
_INFERRED = " (inferred)"

_SINGLE_STREAM_KEY = "result_90.00_percentile_latency_ns"
_MULTI_STREAM_KEY = "result_99.00_percentile_per_query_latency_ns"
_SINGLE_STREAM_ESTIMATE, _MULTI_STREAM_ESTIMATE = keys.ESTIMATES

_LATENCIES = {
    _SINGLE_STREAM_KEY: "90th percentile latency",
    _MULTI_STREAM_KEY: "99th percentile latency",
}
_ESTIMATES = {_SINGLE_STREAM_ESTIMATE: 90.0, _MULTI_STREAM_ESTIMATE: 99.0}


def milliseconds(values: Values, *names: str) -> float | None:
    """Return the first of the keys' numbers, which are nanoseconds, in ms."""
    nanoseconds = number(values, *names)
    return None if nanoseconds is None else nanoseconds / _NS_PER_MS


def limit_ms(values: Values, *names: str) -> float | None:
    """Return a limit in ms; LoadGen writes 0 where there is none."""
    return milliseconds(values, *names) or None


def percent(values: Values, key: str) -> float | None:
    """Return a fraction, as LoadGen logs percentiles, in percent: 0.99 as 99.0."""
    fraction = number(values, key)
    if fraction is None or not 0 < fraction <= 1:
        return None
    return round(fraction * 100, 6)


def metric_of(
    values: Values, scenario: str | None, version: str | None, summary_key: str | None
) -> Metric | None:
    """Return the metric of a scenario as MLCommons' submission checker takes it.

    Server's is the scheduled rate before LoadGen v4.1, the completed one since (#1719;
    v4.0 too for language models); Server's and Offline's is the rate of tokens where
    LoadGen counted, or inferred, tokens. SingleStream's and MultiStream's is the
    early-stopping estimate of the latency since v2.0, but the percentile itself for
    language models, whose estimate is of the first token. MultiStream's was the samples
    per query before v2.0 (#1049).

    LoadGen's own word on it is *summary_key*, that of the figure which the summary
    gives as the result; the version decides where there is none. Where early stopping
    had too few queries for an estimate it is the percentile, and None where the logs do
    not give it: AccuracyOnly, killed runs.
    """
    key = _metric_key(values, scenario, parse_version(version), summary_key)
    # The samples per query are a setting: only a run that came to a result has it.
    value = None if key is None else number(values, key)
    if key is None or value is None or value < 0 or "result_validity" not in values:
        return None
    if key in _ESTIMATES:
        percentile = percent(values, keys.PERCENTILE) or _ESTIMATES[key]
        name = f"early-stopping estimate of the {percentile:g}th percentile latency"
    elif key in _LATENCIES:
        name = _LATENCIES[key]
    else:
        label, unit = keys.RATES[key]
        name = label.lower()
        if name.endswith(_INFERRED):
            name = f"inferred {name.removesuffix(_INFERRED)}"
        return Metric(name, value, unit, higher_is_better=True)
    return Metric(name, value / _NS_PER_MS, "ms", higher_is_better=False)


def _metric_key(
    values: Values,
    scenario: str | None,
    version: tuple[int, int] | None,
    summary_key: str | None,
) -> str | None:
    kind = scenario_of(scenario)
    if scenario == "SingleStream":
        return _estimate_or(_SINGLE_STREAM_ESTIMATE, _SINGLE_STREAM_KEY, values)
    if scenario == "MultiStream":
        return _multi_stream_key(values, version, summary_key)
    if kind.figure == "latency":
        return None
    for key in (*keys.TOKENS, *keys.INFERRED_TOKENS):
        if key in values:
            return key
    if _counts_tokens(values) and (kind.one_query or version != (4, 0)):
        return keys.TOKENS[0]  # which is missing: the log was cut off before it
    known = summary_key in (keys.SCHEDULED, keys.COMPLETED)
    of_server = summary_key if known else _server_key(values, version)
    return keys.OFFLINE if kind.one_query else of_server


def _multi_stream_key(
    values: Values, version: tuple[int, int] | None, key: str | None
) -> str | None:
    if key not in (keys.SAMPLES_PER_QUERY, _MULTI_STREAM_KEY):
        if version is None:
            return None
        key = keys.SAMPLES_PER_QUERY if version < (2, 0) else _MULTI_STREAM_KEY
    if key == keys.SAMPLES_PER_QUERY:
        return key
    return _estimate_or(_MULTI_STREAM_ESTIMATE, _MULTI_STREAM_KEY, values)


def _estimate_or(estimate: str, percentile: str, values: Values) -> str:
    """Return the key of the estimate; LoadGen writes 0 where it could make none."""
    made = values.get(estimate) not in (None, 0)
    return estimate if made and not _counts_tokens(values) else percentile


def _counts_tokens(values: Values) -> bool:
    """Tell whether LoadGen was told to count tokens, as it is for language models."""
    return values.get("requested_use_token_latencies") is True


def _server_key(values: Values, version: tuple[int, int] | None) -> str | None:
    if version is None:
        said = [key for key in (keys.SCHEDULED, keys.COMPLETED) if key in values]
        return said[0] if len(said) == 1 else None
    if version >= (4, 1) or (version == (4, 0) and _counts_tokens(values)):
        return keys.COMPLETED
    return keys.SCHEDULED


def _latencies(values: Values, names: LatencyKeys) -> LatencyStats:
    shortest, mean, longest = (
        milliseconds(values, names.of.format(each)) for each in ("min", "mean", "max")
    )
    percentile = re.compile(names.percentile.format(r"(\d{1,3}\.\d{1,9})"))
    found = {
        float(match[1]): ms
        for match in map(percentile.fullmatch, values)
        if match is not None and (ms := milliseconds(values, match[0])) is not None
    }
    return LatencyStats(shortest, mean, longest, dict(sorted(found.items())))


def latency_of(values: Values, scenario: str | None) -> LatencyStats:
    """Return the latencies: per query in MultiStream where logged, else per sample."""
    per_query = _latencies(values, keys.PER_QUERY)
    if scenario == "MultiStream" and per_query.percentiles_ms:
        return per_query
    return _latencies(values, keys.PER_SAMPLE)


def tokens_of(values: Values) -> TokenMetrics | None:
    """Return the figures of a language model, or None when the logs have none.

    LoadGen v4.0's ``result_token_throughput`` of Server is none: it is not in the unit
    it should be.
    """
    tokens = TokenMetrics(
        number(values, *keys.TOKENS),
        number(values, *keys.INFERRED_TOKENS),
        _latencies(values, keys.FIRST_TOKEN),
        _latencies(values, keys.PER_TOKEN),
        limit_ms(values, "requested_server_ttft_latency"),
        limit_ms(values, "requested_server_tpot_latency"),
    )
    return None if tokens == TokenMetrics() else tokens
