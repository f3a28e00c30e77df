"""What a harness is asked for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from types import MappingProxyType

from pytest_mighetero.readers.reader import Asked
from pytest_mighetero.spec.flags import KNOWN_FLAGS, nearest_flag
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import Flag, RunArgs
from pytest_mighetero.terms.scenario import is_of_another, scenario_of


def asked_of_command(
    pair: Pair, values: Mapping[str, str], used: Collection[str]
) -> tuple[Asked, ...]:
    """Return what a command asks of its tool, in the words of RUN_ARGS.

    Args:
        pair: what it runs.
        values: what its placeholders stand for.
        used: the placeholders that are in it.
    """
    flag = scenario_of(pair.scenario).target_flag
    said = [Asked("scenario", pair.scenario, str(pair))]
    if flag is not None and "rate" in used:
        said.append(Asked(flag, values["rate"], f"{{rate}} = {values['rate']}"))
    for name, unit in (("seconds", "s"), ("ms", "ms")):
        if name in used:
            told = f"{{{name}}} = {values[name]} {unit}"
            said.append(Asked("min_duration", values["ms"], told))
    if "requests" in used:
        told = f"{{requests}} = {values['requests']}"
        said.append(Asked("min_query_count", values["requests"], told))
    return tuple(said)


def asked_of(
    pair: Pair,
    action: str,
    run_args: RunArgs,
    settings: Collection[str],
    limits: Mapping[str, float] = MappingProxyType({}),
) -> tuple[Asked, ...]:
    """Return what a launch asks of its tool; defaults are not asked for.

    ``run_harness`` asks for a performance run. An unknown flag stands for the nearest
    known one: a harness that drops it has lost what was asked for. *settings* are the
    flags of which the tool says what it ran with. *limits*, in ms by the names that
    suites have for them, are asked for with the scenario.
    """
    words = run_args.by_name
    asked = {"scenario": Asked("scenario", pair.scenario, str(pair))}
    if action == "run_harness" and "test_mode" not in words:
        asked["test_mode"] = Asked("test_mode", "PerformanceOnly", action)
    for flag, said in words.items():
        known = flag if flag in KNOWN_FLAGS else nearest_flag(flag)
        if known is None or is_of_another(known, pair.scenario):
            continue
        if known == "test_mode" or known in settings:
            hint = "" if known == flag else f", which is no known flag: --{known}?"
            asked[known] = Asked(known, said.value, f"{said}{hint}")
    _adjust(asked, words)
    count = asked.get("performance_sample_count")
    if count and ("performance_sample_count_override" in asked or count.value == "0"):
        del asked["performance_sample_count"]  # 0 means the harness's own choice
    if "server_target_latency_ns" not in words:
        said_by = f"limits of {pair}"
        asked |= {k: Asked(k, f"{ms:.10g}", said_by) for k, ms in limits.items()}
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
    """Return the flags that no harness of v1.0 to v6.0 has, with the nearest it has."""
    return {f: nearest_flag(f) for f in run_args.by_name if f not in KNOWN_FLAGS}
