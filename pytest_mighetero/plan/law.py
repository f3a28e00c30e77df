"""How long the minimum query count makes a run take, by LoadGen's law. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.scenario import scenario_of
from pytest_mighetero.units import significant

# LoadGen asks for this much more than min_duration in Offline (v1.0 to 6.0).
_OFFLINE_FACTOR = 1.1


@dataclass(frozen=True)
class Law:
    """What is asked of main, whatever its minimum duration.

    Attributes:
        queries: min_query_count; in Offline, of samples.
        seconds_each: from one to the next, by the target or the expected latency.
        source: who says so: ``RUN_ARGS``, or a suite.
    """

    queries: float
    seconds_each: float
    source: str

    @property
    def seconds(self) -> float:
        """How long that takes."""
        return self.queries * self.seconds_each

    def __str__(self) -> str:
        queries = significant(self.queries, 10)
        rate = significant(1 / self.seconds_each, 6)
        return f"{queries} queries at {rate} QPS, by {self.source}"


def accuracy_only(config: RunSpec) -> bool:
    """Tell whether main goes through its data set once, however long that takes."""
    return config.main_runargs.text("test_mode") == "AccuracyOnly"


def law_of(
    config: RunSpec, pair: Pair, profile: str | None, *, fastest: bool = False
) -> Law | None:
    """Return what is asked of main, or None where its speed is not known.

    RUN_ARGS of main count before the suite's figures. Of a device of any profile, the
    slowest that the suite knows counts, or the *fastest*.
    """
    suite, said = config.suite, config.main_runargs
    if accuracy_only(config):
        return None
    queries = said.number("min_query_count") or suite.query_count(pair)
    # Of v1.0's harness in these two scenarios alone.
    if said.text("fast") and (fastest or scenario_of(pair.scenario).fast):
        queries = 1
    flag = scenario_of(pair.scenario).target_flag
    if flag is not None and (target := said.number(flag)):
        return Law(queries, 1 / target, "RUN_ARGS")
    version = config.config_ver_of(pair.benchmark)
    known = suite.figures(pair, profile, version)
    each = [1 / figure if flag else figure / 1e3 for figure in known]
    if not each:
        return None
    source = f"suite {suite.name}"
    return Law(queries, min(each) if fastest else max(each), source)


def seconds_by_law(config: RunSpec, pair: Pair, profile: str | None) -> float | None:
    """Return how long main will take at the least, or None where that is unknown.

    Offline is one query of ``max(min_query_count, 1.1 x min_duration x target)``
    samples; the others end after min_duration and min_query_count (LoadGen v1.0 to
    6.0).
    """
    law = law_of(config, pair, profile)
    if law is None:
        return None
    by_loadgen = config.suite.harness_of(pair.benchmark).makes
    at_once = by_loadgen and scenario_of(pair.scenario).one_query
    factor = _OFFLINE_FACTOR if at_once else 1.0
    return max(factor * config.main_duration, law.seconds)
