"""The target QPS of main: how RUN_ARGS say it, and what to try after an INVALID run.

Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from pytest_mighetero.config import RunConfig
from pytest_mighetero.loadgen import LoadGenResult
from pytest_mighetero.planning import TARGET_FLAGS
from pytest_mighetero.suite import Pair


def with_target(config: RunConfig, pair: Pair, target: float) -> RunConfig:
    """Return the settings with *target* QPS for main.

    NVIDIA's harness takes Server's as a whole number (v1.0 to v3.0).
    """
    flag = TARGET_FLAGS[pair.scenario]
    return _with_words(config, {flag: f"{target:.10g}"})


def probing(config: RunConfig, seconds: float) -> RunConfig:
    """Return the settings for a short run: LoadGen's query count would lengthen it."""
    short = _with_words(config, {"min_query_count": "1"})
    return replace(short, main_duration=seconds)


def _with_words(config: RunConfig, said: Mapping[str, str]) -> RunConfig:
    flags = tuple(f"--{name}=" for name in said)
    others = [word for word in config.main_runargs if not word.startswith(flags)]
    words = (*others, *(f"--{name}={value}" for name, value in said.items()))
    return replace(config, main_runargs=words)


def backed_off(result: LoadGenResult, step: float) -> float | None:
    """Return the target to try after an INVALID run; None where none would help.

    Server is lowered where its latency is over the limit. Offline is changed as
    LoadGen recommends: raised where the run was too short, and then to the measured
    rate at least, since LoadGen sizes its one query by the target.

    Args:
        result: of the run.
        step: the fraction by which to change.
    """
    target = result.target_qps
    if result.valid is not False or not target:
        return None
    if result.scenario == "Server":
        lowered = math.floor(round(target * (1 - step), 6))  # 280 and not 279.99...
        lower = min(lowered, math.ceil(target) - 1)
        return lower if _too_slow(result) and lower >= 1 else None
    if result.scenario != "Offline":
        return None
    said = " ".join(result.recommendations).lower()
    if "increase" in said:
        measured = result.metric.value if result.metric else 0.0
        return float(f"{max(target * (1 + step), measured):.6g}")
    if "reduce" in said or "decrease" in said:
        return float(f"{target * (1 - step):.6g}")
    return None


def _too_slow(result: LoadGenResult) -> bool:
    p99, limit = result.percentiles_ms.get(99.0), result.target_latency_ms
    over = p99 is not None and limit is not None and p99 > limit
    return over or any("Reduce target QPS" in said for said in result.recommendations)
