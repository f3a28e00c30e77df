"""What LoadGen says it ran with, against what it was asked for. Pure.

A harness may lose what it is asked for on the way: another run rewrites its user.conf,
an ``audit.config`` lies in its folder, ``main.py`` drops a flag it does not know (v1.1
to v3.0) or a value that is false (``--min_query_count=0``, all rounds).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from pytest_mighetero.readers.reader import Asked, Difference
from pytest_mighetero.readers.result import Result, TokenMetrics
from pytest_mighetero.terms.scenario import scenario_of

# What LoadGen warns of where an audit.config overrides its settings (v1.0 to 6.0).
OVERRIDDEN = "Found Audit Config file"
# LoadGen logs floating-point numbers with six digits.
_DIGITS = 1e-5
# Latencies go through conf files in whole milliseconds.
_CONF_STEP_NS = 1e6
_SEEDS = (
    "qsl_rng_seed",
    "sample_index_rng_seed",
    "schedule_rng_seed",
    "accuracy_log_rng_seed",
)
# What an audit's own audit.config may change: the mode (all), the order and the choice
# of the samples (TEST04, TEST05), and with them the count (compliance/*/audit.config).
_AUDITED = {
    "test_mode",
    "min_query_count",
    "performance_sample_count",
    "performance_sample_count_override",
    *_SEEDS,
}
_NAMES = ("scenario", "test_mode")
_LIMITS = ("latency_ms", "ttft_ms", "tpot_ms")
# By what the Makefiles of v2.1 and later multiply a Server target for audits.
_AUDIT_FACTORS = (0.92, 0.96)


class _Setting(NamedTuple):
    """Where LoadGen's log has what a flag of RUN_ARGS sets.

    Attributes:
        effective: the key below ``effective_``: what it made of the flag; "" where
            LoadGen makes something else of it by its own law.
        requested: the key below ``requested_``, what reached LoadGen; "" for the flag.
        step: what the value may be off by on its way.
        percent: whether it is said in percent from v2.0 on, and logged as a fraction.
    """

    effective: str = ""
    requested: str = ""
    step: float = 0.0
    percent: bool = False


_LATENCY = _Setting(step=_CONF_STEP_NS)
_PERCENTILE = _Setting("target_latency_percentile", percent=True)
# Harnesses make the first the second, unless that is said as well (v2.0 on).
_SAMPLES = _Setting("performance_sample_count", "performance_sample_count_override")

SETTINGS: Mapping[str, _Setting] = {
    "min_duration": _Setting("min_duration_ms", "min_duration_ms"),
    "max_duration": _Setting("max_duration_ms", "max_duration_ms"),
    "min_query_count": _Setting(),
    "max_query_count": _Setting("max_query_count"),
    "offline_expected_qps": _Setting("target_qps"),
    "server_target_qps": _Setting("target_qps"),
    "server_target_latency_ns": _Setting("target_latency_ns", step=_CONF_STEP_NS),
    "server_target_latency_percentile": _PERCENTILE,
    "single_stream_expected_latency_ns": _LATENCY,
    "single_stream_target_latency_percentile": _PERCENTILE,
    "multi_stream_expected_latency_ns": _LATENCY,
    "multi_stream_samples_per_query": _Setting("samples_per_query"),
    "multi_stream_target_latency_percentile": _PERCENTILE,
    # These three were in LoadGen up to v1.0.1 only.
    "multi_stream_target_qps": _Setting(),
    "multi_stream_target_latency_ns": _LATENCY,
    "multi_stream_max_async_queries": _Setting(),
    "performance_sample_count": _SAMPLES,
    "performance_sample_count_override": _SAMPLES,
    **{seed: _Setting(seed) for seed in _SEEDS},
}


def difference(asked: Asked, result: Result) -> Difference | None:
    """Return what a run had in place of what was asked for, or None."""
    if asked.name not in (*_NAMES, *_LIMITS, *SETTINGS):
        return None  # of what it says nothing
    every = [*_ran_with(asked, result)]
    other = [value for value in every if not _equal(asked, value)]
    if not other:
        return None
    shown = f"{other[0]:.10g}" if isinstance(other[0], float) else str(other[0])
    return Difference(
        f"asked for {asked.name} {asked.value} ({asked.said_by}), {result.tool} ran "
        f"with {shown}",
        _by_design(asked, every),
    )


def _by_design(asked: Asked, ran_with: list[object]) -> bool:
    if asked.name == "min_duration":  # TEST06 and later, and our own TEST04
        return all(value == 0 for value in ran_with)
    if asked.name != "server_target_qps":
        return asked.name in _AUDITED
    with suppress(ValueError):
        targets = [str(each * float(asked.value)) for each in _AUDIT_FACTORS]
        lower = [replace(asked, value=target) for target in targets]
        return any(all(_equal(each, value) for value in ran_with) for each in lower)
    return False


def _ran_with(asked: Asked, result: Result) -> Iterator[object]:
    """Yield what the log says of a setting, where it says anything."""
    said: list[object]
    if asked.name in _NAMES:
        said = [result.scenario if asked.name == "scenario" else result.mode]
    elif asked.name in _LIMITS:
        said = [_limits_of(result)[asked.name]]
    else:
        setting = SETTINGS[asked.name]
        said = [result.requested.get(setting.requested or asked.name)]
        said.append(result.settings.get(setting.effective))
    # LoadGen makes one query of all in Offline, and may raise it in SingleStream.
    if asked.name == "min_query_count" and scenario_of(result.scenario).keeps_count:
        said.append(result.settings.get("min_query_count"))
    yield from (value for value in said if value is not None)


def _limits_of(result: Result) -> Mapping[str, float | None]:
    """Return the limits that a run had, by what suites call them."""
    tokens = result.tokens or TokenMetrics()
    limits = (tokens.first_token_limit_ms, tokens.per_output_token_limit_ms)
    every = (result.target_latency_ms, *limits)
    return dict(zip(_LIMITS, every, strict=True))


def _equal(asked: Asked, ran_with: object) -> bool:
    if asked.name in _NAMES:
        name = asked.value
        if asked.name == "scenario":
            name = scenario_of(name).logged
        return name.lower() == str(ran_with).replace(" ", "").lower()
    setting = SETTINGS.get(asked.name, _Setting())
    if not setting.step and asked.value.isdigit() and isinstance(ran_with, int):
        return int(asked.value) == ran_with  # a seed has 64 bits
    try:
        wanted, found = float(asked.value), float(str(ran_with))
    except ValueError:
        return asked.value == str(ran_with)
    if setting.percent and wanted > 1:
        wanted /= 100
    return math.isclose(wanted, found, rel_tol=_DIGITS, abs_tol=setting.step)
