"""What a harness was asked for, against what LoadGen says it ran with. Pure.

A harness may lose what it is asked for on the way: another run rewrites its user.conf,
an ``audit.config`` lies in its folder, ``main.py`` drops a flag it does not know (v1.1
to v3.0) or a value that is false (``--min_query_count=0``, all rounds).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_mighetero.readers.result import Result
from pytest_mighetero.spec.flags import KNOWN_FLAGS, nearest_flag
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import Flag, RunArgs
from pytest_mighetero.terms.scenario import is_of_another, scenario_of

# What LoadGen warns of where an audit.config overrides its settings (v1.0 to 6.0).
_OVERRIDDEN = "Found Audit Config file"
# LoadGen logs floating-point numbers with six digits.
_DIGITS = 1e-5
# Latencies go through conf files in whole milliseconds.
_CONF_STEP_NS = 1e6
# What an audit's own audit.config may change: the mode (all), the order and the choice
# of the samples (TEST04, TEST05), and with them the count (compliance/*/audit.config).
_AUDITED = frozenset(
    {
        "test_mode",
        "min_query_count",
        "performance_sample_count",
        "performance_sample_count_override",
        "qsl_rng_seed",
        "sample_index_rng_seed",
        "schedule_rng_seed",
        "accuracy_log_rng_seed",
    }
)
# By what the Makefiles of v2.1 and later multiply a Server target for audits.
_AUDIT_FACTORS = (0.92, 0.96)


@dataclass(frozen=True)
class _Setting:
    """Where LoadGen's log has what a flag of RUN_ARGS sets.

    Attributes:
        requested: the key below ``requested_``: what reached LoadGen.
        effective: the key below ``effective_``: what it made of that; "" where LoadGen
            makes something else of it by its own law.
        step: what the value may be off by on its way.
        percent: whether it is said in percent from v2.0 on, and logged as a fraction.
    """

    requested: str
    effective: str = ""
    step: float = 0.0
    percent: bool = False


def _percentile(flag: str) -> _Setting:
    return _Setting(flag, "target_latency_percentile", percent=True)


def _same(name: str) -> _Setting:
    return _Setting(name, name)


_SETTINGS: Mapping[str, _Setting] = {
    "min_duration": _Setting("min_duration_ms", "min_duration_ms"),
    "max_duration": _Setting("max_duration_ms", "max_duration_ms"),
    "min_query_count": _Setting("min_query_count"),
    "max_query_count": _same("max_query_count"),
    "offline_expected_qps": _Setting("offline_expected_qps", "target_qps"),
    "server_target_qps": _Setting("server_target_qps", "target_qps"),
    "server_target_latency_ns": _Setting(
        "server_target_latency_ns", "target_latency_ns", _CONF_STEP_NS
    ),
    "server_target_latency_percentile": _percentile("server_target_latency_percentile"),
    "single_stream_expected_latency_ns": _Setting(
        "single_stream_expected_latency_ns", "", _CONF_STEP_NS
    ),
    "single_stream_target_latency_percentile": _percentile(
        "single_stream_target_latency_percentile"
    ),
    "multi_stream_expected_latency_ns": _Setting(
        "multi_stream_expected_latency_ns", "", _CONF_STEP_NS
    ),
    "multi_stream_samples_per_query": _Setting(
        "multi_stream_samples_per_query", "samples_per_query"
    ),
    "multi_stream_target_latency_percentile": _percentile(
        "multi_stream_target_latency_percentile"
    ),
    # These three were in LoadGen up to v1.0.1 only.
    "multi_stream_target_qps": _Setting("multi_stream_target_qps", ""),
    "multi_stream_target_latency_ns": _Setting(
        "multi_stream_target_latency_ns", "", _CONF_STEP_NS
    ),
    "multi_stream_max_async_queries": _Setting("multi_stream_max_async_queries", ""),
    # Harnesses make the first the second, unless that is said as well (v2.0 on).
    "performance_sample_count": _Setting(
        "performance_sample_count_override", "performance_sample_count"
    ),
    "performance_sample_count_override": _Setting(
        "performance_sample_count_override", "performance_sample_count"
    ),
    "qsl_rng_seed": _same("qsl_rng_seed"),
    "sample_index_rng_seed": _same("sample_index_rng_seed"),
    "schedule_rng_seed": _same("schedule_rng_seed"),
    "accuracy_log_rng_seed": _same("accuracy_log_rng_seed"),
}


@dataclass(frozen=True)
class Asked:
    """One thing that a harness was asked for.

    Attributes:
        name: ``scenario``, ``test_mode``, or a flag of RUN_ARGS.
        value: as it was said.
        said_by: what said it, for example ``--server_target_qps=150``.
    """

    name: str
    value: str
    said_by: str


def asked_of(pair: Pair, action: str, run_args: RunArgs) -> tuple[Asked, ...]:
    """Return what a launch asks of LoadGen; defaults are not asked for.

    Args:
        pair: its benchmark and scenario.
        action: its make target; ``run_harness`` asks for a performance run.
        run_args: what it is told. An unknown flag stands for the nearest known one: a
            harness that drops it has lost what was asked for.
    """
    words = run_args.by_name
    asked = {"scenario": Asked("scenario", pair.scenario, str(pair))}
    if action == "run_harness" and "test_mode" not in words:
        asked["test_mode"] = Asked("test_mode", "PerformanceOnly", action)
    for flag, said in words.items():
        known = flag if flag in KNOWN_FLAGS else nearest_flag(flag)
        setting = _SETTINGS.get(known or "")
        other = known is not None and is_of_another(known, pair.scenario)
        if known == "test_mode" or (setting is not None and not other):
            hint = "" if known == flag else f", which is no known flag: --{known}?"
            asked[known or ""] = Asked(known or "", said.value, f"{said}{hint}")
    _adjust(asked, words)
    count = asked.get("performance_sample_count")
    if count and ("performance_sample_count_override" in asked or count.value == "0"):
        del asked["performance_sample_count"]  # 0 means the harness's own choice
    return tuple(asked.values())


def _adjust(asked: dict[str, Asked], words: Mapping[str, Flag]) -> None:
    """Multiply the target by the factor that v2.1 and later know."""
    target, factor = asked.get("server_target_qps"), "server_target_qps_adj_factor"
    if target is not None and factor in words:
        by = words[factor]
        with suppress(ValueError):
            value = f"{float(target.value) * float(by.value):.10g}"
            asked[target.name] = Asked(target.name, value, f"{target.said_by} {by}")


def unknown_flags(run_args: RunArgs) -> dict[str, str | None]:
    """Return the flags that no harness of v1.0 to v3.0 has, with the nearest it has."""
    return {f: nearest_flag(f) for f in run_args.by_name if f not in KNOWN_FLAGS}


def overridden(result: Result) -> bool:
    """Tell whether an ``audit.config`` changed the settings of this run."""
    return any(_OVERRIDDEN in warning for warning in result.warnings)


def differences(asked: Iterable[Asked], result: Result) -> list[str]:
    """Say where LoadGen ran with something else than it was asked for.

    What its log does not say is no difference.
    """
    found = (_difference(each, result) for each in asked)
    return [difference for difference in found if difference is not None]


def audit_overrides(
    asked: Iterable[Asked], result: Result
) -> tuple[list[str], list[str]]:
    """Return what an audit changed by design, and what it did not mean to change.

    Both are sentences as ``differences`` has them.
    """
    every = [(_by_design(each, result), _difference(each, result)) for each in asked]
    meant = [said for by_design, said in every if said and by_design]
    return meant, [said for by_design, said in every if said and not by_design]


def _by_design(asked: Asked, result: Result) -> bool:
    ran_with = _ran_with(asked, result)
    if asked.name == "min_duration":  # TEST06 and later, and our own TEST04
        return all(value == 0 for value in ran_with)
    if asked.name == "server_target_qps":
        lower = [
            replace(asked, value=f"{factor * float(asked.value)}")
            for factor in _AUDIT_FACTORS
            if _is_number(asked.value)
        ]
        return any(all(_equal(each, value) for value in ran_with) for each in lower)
    return asked.name in _AUDITED


def _is_number(text: str) -> bool:
    with suppress(ValueError):
        return math.isfinite(float(text))
    return False


def _difference(asked: Asked, result: Result) -> str | None:
    for ran_with in _ran_with(asked, result):
        if not _equal(asked, ran_with):
            return (
                f"asked for {asked.name} {asked.value} ({asked.said_by}), LoadGen ran "
                f"with {_shown(ran_with)}"
            )
    return None


def _ran_with(asked: Asked, result: Result) -> list[object]:
    """Return what the log says of a setting, where it says anything."""
    if asked.name == "scenario":
        return [] if result.scenario is None else [result.scenario]
    if asked.name == "test_mode":
        return [] if result.mode is None else [result.mode]
    setting = _SETTINGS[asked.name]
    said = [result.requested.get(setting.requested)]
    said.append(result.settings.get(setting.effective))
    # LoadGen makes one query of all in Offline, and may raise it in SingleStream.
    if asked.name == "min_query_count" and scenario_of(result.scenario).keeps_count:
        said.append(result.settings.get("min_query_count"))
    return [value for value in said if value is not None]


def _equal(asked: Asked, ran_with: object) -> bool:
    if asked.name in ("scenario", "test_mode"):
        return asked.value.lower() == str(ran_with).replace(" ", "").lower()
    setting = _SETTINGS[asked.name]
    if not setting.step and asked.value.isdigit() and isinstance(ran_with, int):
        return int(asked.value) == ran_with  # a seed has 64 bits
    try:
        wanted, found = float(asked.value), float(str(ran_with))
    except ValueError:
        return asked.value == str(ran_with)
    if setting.percent and wanted > 1:
        wanted /= 100
    return math.isclose(wanted, found, rel_tol=_DIGITS, abs_tol=setting.step)


def _shown(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
