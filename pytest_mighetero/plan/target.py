"""What main is told of its target, and how long it runs, in a trial. Pure."""

from __future__ import annotations

from dataclasses import replace

from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.scenario import scenario_of
from pytest_mighetero.units import significant


def with_target(config: RunSpec, pair: Pair, target: float) -> RunSpec:
    """Return the settings with *target* QPS for main.

    NVIDIA's harness takes Server's as a whole number (v1.0 to v3.0).
    """
    flag = scenario_of(pair.scenario).target_flag or ""
    told = config.main_runargs.having(**{flag: significant(target, 10)})
    return replace(config, main_runargs=told)


def probing(config: RunSpec, seconds: float) -> RunSpec:
    """Return the settings for a short run: LoadGen's query count would lengthen it."""
    told = config.main_runargs.having(min_query_count="1")
    return replace(config, main_runargs=told, main_duration=seconds)
