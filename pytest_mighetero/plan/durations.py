"""How long the backgrounds must run to cover main: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.law import accuracy_only, law_of
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, audit_of
from pytest_mighetero.terms.scenario import scenario_of
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


def loadgen_seconds(config: RunSpec, pair: Pair, profile: str | None) -> float | None:
    """Return how long LoadGen will make main take, or None where that is unknown.

    Offline is one query of ``max(min_query_count, 1.1 x min_duration x target)``
    samples; the others end after min_duration and min_query_count (LoadGen v1.0 to
    6.0). RUN_ARGS of main count before the suite's figures. Of a device of any
    profile, the slowest that the suite knows counts.
    """
    law = law_of(config, pair, profile)
    if law is None:
        return None
    factor = _OFFLINE_FACTOR if scenario_of(pair.scenario).one_query else 1.0
    return max(factor * config.main_duration, law.seconds)


def background_time(
    config: RunSpec,
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
        ConfigError: this main needs longer than a background may run, or than it was
            told to.
    """
    if problem := too_long(config, pair, profile, recorded):
        raise ConfigError(problem)
    if problem := uncovered(config, pair, profile):
        raise ConfigError(problem)
    time = _time_of(config, pair, profile, recorded)
    if mains and time.source not in ("option", "automatic"):
        every = sum(planned_time(config, each, profile).seconds for each in mains)
        every *= _SEARCH_RUNS if config.tune else 1
        every = max(time.seconds, min(every, config.background_timeout))
        return BackgroundTime(every, time.source)
    return time


def _time_of(
    config: RunSpec, pair: Pair, profile: str | None, recorded: Recorded | None
) -> BackgroundTime:
    if config.background_duration == "automatic":
        return BackgroundTime(config.background_timeout, "automatic")
    if config.background_duration != "planned":
        return BackgroundTime(config.background_duration, "option")
    return planned_time(config, pair, profile, recorded)


def planned_time(
    config: RunSpec,
    pair: Pair,
    profile: str | None = None,
    recorded: Recorded | None = None,
) -> BackgroundTime:
    """Return what is long enough for one main, from the backgrounds' start on."""
    main, source = main_time(config, pair, profile, recorded)
    lead = lead_of(config, source, recorded)
    return BackgroundTime(lead + main + config.end_time_buffer_min, source)


def lead_of(config: RunSpec, source: Source, recorded: Recorded | None) -> float:
    """Return the seconds from the backgrounds' start to main's, at most."""
    lead = min(config.start_time_buffer, STARTUP_S) + config.settle_time
    if recorded is not None:
        lead = max(lead, MAIN_FACTOR * recorded.lead_s)
    if source == "reference":
        lead = config.start_time_buffer + config.settle_time
    return lead


def time_left(
    config: RunSpec,
    pair: Pair,
    profile: str | None = None,
    recorded: Recorded | None = None,
) -> float:
    """Return the seconds that backgrounds which are up must have left for a main."""
    main, _ = main_time(config, pair, profile, recorded)
    startup = min(config.start_time_buffer, STARTUP_S)
    return startup + main + config.end_time_buffer_min


def main_time(
    config: RunSpec, pair: Pair, profile: str | None, recorded: Recorded | None
) -> tuple[float, Source]:
    """Return the seconds that main takes at most, and how that is known."""
    if recorded is not None:
        return MAIN_FACTOR * recorded.main_s, "history"
    known = loadgen_seconds(config, pair, profile)
    seconds = config.main_duration if known is None else known
    source: Source = "reference" if known is None else "loadgen"
    return MAIN_FACTOR * _whole_action(config, seconds), source


def _whole_action(config: RunSpec, seconds: float) -> float:
    """Return what the action takes whose every run takes *seconds*."""
    audit = audit_of(config.action)
    return _AUDIT_RUNS[audit] * (seconds + _AUDIT_SLEEP_S) if audit else seconds


def too_long(
    config: RunSpec,
    pair: Pair,
    profile: str | None,
    recorded: Recorded | None = None,
    *,
    alone: bool = False,
) -> str | None:
    """Say with its calculation that a run would take longer than it may, or None.

    Args:
        config: the run's settings.
        pair: what is measured.
        profile: of main's device.
        recorded: what an earlier run of it took, if there was one.
        alone: whether nothing runs beside it.
    """
    limit, told = config.background_timeout, config.background_duration
    option, remedy = "timeout", "raise it"
    if not alone and isinstance(told, float) and told > limit:
        option, remedy = "duration", "raise the timeout"
        what, seconds = f"the backgrounds of {pair} would run", told
        how = "by option"
    elif not alone and told == "planned":
        main, source = main_time(config, pair, profile, recorded)
        law = law_of(config, pair, profile)
        by_law = source == "loadgen" and law and law.seconds > config.main_duration
        lead, end = lead_of(config, source, recorded), config.end_time_buffer_min
        what, seconds = f"the backgrounds of {pair} would run", lead + main + end
        how = (
            f"by {source}: {_shown(lead)} until main runs + {MAIN_FACTOR} x "
            f"{_shown(main / MAIN_FACTOR)} of main{f' ({law})' if by_law else ''} + "
            f"{_shown(end)} end buffer"
        )
    else:
        seconds, how = _least(config, pair, profile)
        what = f"{pair} takes at the least"
    if seconds <= limit:
        return None
    return (
        f"--background-benchmark-{option}: {what} {_shown(seconds)} ({how}), more than "
        f"the {_shown(limit)} of --background-benchmark-timeout; {remedy}, or shorten "
        f"main (--main-benchmark-duration, or RUN_ARGS' --min_query_count)"
    )


def uncovered(config: RunSpec, pair: Pair, profile: str | None) -> str | None:
    """Say that backgrounds of a given length can never cover main, or None.

    With ``--lenient`` they need not; ``--overlap-retries`` finds a length that does, up
    to the timeout.
    """
    told, option = config.background_duration, "duration"
    if told == "planned" or config.lenient:
        return None
    if config.overlap_retries and told != "automatic":
        return None
    if told == "automatic":
        told, option = config.background_timeout, "timeout"
    main, why = _least(config, pair, profile)
    needed = config.settle_time + main + config.end_time_buffer_min
    if told >= needed or not config.backgrounds_of(pair.benchmark):
        return None
    return (
        f"--background-benchmark-{option}: backgrounds of {_shown(told)} cannot cover "
        f"{pair}, for which they need at the least {_shown(needed)}: "
        f"{_shown(config.settle_time)} settle time + {_shown(main)} of main ({why}) + "
        f"{_shown(config.end_time_buffer_min)} end buffer; say a longer one, or "
        f"--background-benchmark-duration=planned"
    )


def _least(config: RunSpec, pair: Pair, profile: str | None) -> tuple[float, str]:
    """Return what main takes at the least, and why.

    That is its own length, or what LoadGen's query count demands of the fastest device
    that it could be on. TEST04 issues each sample once, and so does AccuracyOnly.
    """
    if audit_of(config.action) == "test04" or accuracy_only(config):
        return 0.0, "each sample once"
    law = law_of(config, pair, profile, fastest=True)
    if law is not None and law.seconds > config.main_duration:
        return law.seconds, str(law)
    return config.main_duration, "--main-benchmark-duration"


def _shown(seconds: float) -> str:
    """Write a length for people: exact while short, in hours when long."""
    exact = format_duration(seconds)
    if seconds < 3600 or len(exact) < 4:
        return exact
    return f"{seconds / 3600:.1f} h"
