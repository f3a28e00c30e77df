"""How long the backgrounds must run to cover main: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_mighetero.config import RunConfig
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.planning import TARGET_FLAGS, audit_of, run_arg_of
from pytest_mighetero.suite import Pair
from pytest_mighetero.units import format_duration

# The reference script's factor on main's min_duration; here on what main will take.
MAIN_FACTOR = 1.2
# From the first background's first query to main's: the others' start and main's own,
# up to 42 s of it between StartTest and the first query (DLRM on a MIG slice, v1.0).
STARTUP_S = 150.0
# LoadGen asks for this much more than min_duration in Offline (v1.0 to 6.0).
_OFFLINE_FACTOR = 1.1
# An audit is at most so many runs, with 20 s of sleep each: two trials of TEST01 and
# TEST05, three of TEST04's two (closed/NVIDIA/Makefile, v1.0 and v1.1).
_AUDIT_RUNS = {"test01": 2, "test04": 6, "test05": 2}
_AUDIT_SLEEP_S = 20.0
# Mains at full length for which the backgrounds of a search are planned at once.
_SEARCH_RUNS = 4

Source = Literal["history", "loadgen", "reference", "automatic", "option", "retry"]


@dataclass(frozen=True)
class Recorded:
    """What an earlier run of the same main took.

    Attributes:
        lead_s: seconds from the first background's first query to main's.
        main_s: length of main's timed window in seconds.
    """

    lead_s: float
    main_s: float


@dataclass(frozen=True)
class BackgroundTime:
    """The backgrounds' ``--min_duration`` and where it comes from.

    Attributes:
        seconds: how long.
        source: ``history`` of this main, ``loadgen``'s law, the ``reference``
            script's formula; ``automatic``; the user's ``option``; a ``retry``.
    """

    seconds: float
    source: Source


def loadgen_seconds(config: RunConfig, pair: Pair, profile: str | None) -> float | None:
    """Return how long LoadGen will make main take, or None where that is unknown.

    Offline is one query of ``max(min_query_count, 1.1 x min_duration x target)``
    samples; Server ends after min_duration and min_query_count (LoadGen v1.0 to 6.0).
    RUN_ARGS of main count before the suite's figures.
    """
    known = config.suite.target_qps(pair, profile, config.config_ver_of(pair.benchmark))
    flag = TARGET_FLAGS.get(pair.scenario, "")
    target = run_arg_of(config.main_runargs, flag) or known
    if target is None or not flag:
        return None
    floor = config.suite.query_counts.get(pair.scenario, 0)
    floor = run_arg_of(config.main_runargs, "min_query_count") or floor
    factor = _OFFLINE_FACTOR if pair.scenario == "offline" else 1.0
    return max(factor * config.main_duration, floor / target)


def background_time(
    config: RunConfig,
    pair: Pair,
    profile: str | None = None,
    recorded: Recorded | None = None,
    mains: Sequence[Pair] = (),
) -> BackgroundTime:
    """Return how long the backgrounds of *pair* run.

    Args:
        config: the run's settings.
        pair: what is measured.
        profile: of main's device.
        recorded: what an earlier run of it took, if there was one.
        mains: every main that they serve, one after another; empty for this one.

    Raises:
        ConfigError: this main needs longer than a background may run.
    """
    if config.background_duration == "automatic":
        return BackgroundTime(config.background_timeout, "automatic")
    if config.background_duration != "planned":
        time = BackgroundTime(config.background_duration, "option")
    else:
        time = planned_time(config, pair, profile, recorded)
    if time.seconds > config.background_timeout:
        raise ConfigError(
            f"--background-benchmark-duration: the backgrounds of {pair} would run "
            f"{format_duration(time.seconds)} (by {time.source}), more than the "
            f"{format_duration(config.background_timeout)} of "
            f"--background-benchmark-timeout; raise the timeout, or shorten main"
        )
    if mains and time.source != "option":
        every = sum(planned_time(config, each, profile).seconds for each in mains)
        every *= _SEARCH_RUNS if config.tune else 1
        every = max(time.seconds, min(every, config.background_timeout))
        return BackgroundTime(every, time.source)
    return time


def planned_time(
    config: RunConfig,
    pair: Pair,
    profile: str | None = None,
    recorded: Recorded | None = None,
) -> BackgroundTime:
    """Return what is long enough for one main, from the backgrounds' start on."""
    main, source = _main_time(config, pair, profile, recorded)
    lead = min(config.start_time_buffer, STARTUP_S) + config.settle_time
    if recorded is not None:
        lead = max(lead, MAIN_FACTOR * recorded.lead_s)
    if source == "reference":
        lead = config.start_time_buffer + config.settle_time
    return BackgroundTime(lead + main + config.end_time_buffer_min, source)


def time_left(
    config: RunConfig,
    pair: Pair,
    profile: str | None = None,
    recorded: Recorded | None = None,
) -> float:
    """Return the seconds that backgrounds which are up must have left for a main."""
    main, _ = _main_time(config, pair, profile, recorded)
    startup = min(config.start_time_buffer, STARTUP_S)
    return startup + main + config.end_time_buffer_min


def _main_time(
    config: RunConfig, pair: Pair, profile: str | None, recorded: Recorded | None
) -> tuple[float, Source]:
    """Return the seconds that main takes at most, and how that is known."""
    if recorded is not None:
        return MAIN_FACTOR * recorded.main_s, "history"
    known = loadgen_seconds(config, pair, profile)
    seconds = config.main_duration if known is None else known
    source: Source = "reference" if known is None else "loadgen"
    return MAIN_FACTOR * _whole_action(config, seconds), source


def _whole_action(config: RunConfig, seconds: float) -> float:
    """Return what the action takes whose every run takes *seconds*."""
    audit = audit_of(config.action)
    return _AUDIT_RUNS[audit] * (seconds + _AUDIT_SLEEP_S) if audit else seconds
