"""The target QPS of main: how RUN_ARGS say it, and what to try after an INVALID run.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_mighetero.plan.advice import next_target
from pytest_mighetero.readers.loadgen import LoadGenResult
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.scenario import scenario_of
from pytest_mighetero.units import significant


def with_target(config: RunSpec, pair: Pair, target: float) -> RunSpec:
    """Return the settings with *target* QPS for main.

    NVIDIA's harness takes Server's as a whole number (v1.0 to v3.0).
    """
    flag = scenario_of(pair.scenario).target_flag
    return _with_words(config, {str(flag): significant(target, 10)})


def probing(config: RunSpec, seconds: float) -> RunSpec:
    """Return the settings for a short run: LoadGen's query count would lengthen it."""
    short = _with_words(config, {"min_query_count": "1"})
    return replace(short, main_duration=seconds)


def _with_words(config: RunSpec, said: Mapping[str, str]) -> RunSpec:
    flags = tuple(f"--{name}=" for name in said)
    others = [word for word in config.main_runargs if not word.startswith(flags)]
    words = (*others, *(f"--{name}={value}" for name, value in said.items()))
    return replace(config, main_runargs=words)


def backed_off(result: LoadGenResult, step: float) -> float | None:
    """Return the target to try after an INVALID run; see ``advice.next_target``."""
    return next_target(result, step)
