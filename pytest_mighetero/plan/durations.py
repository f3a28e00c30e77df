"""How long the backgrounds must run to cover main: one law, in one place. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.law import accuracy_only, law_of, seconds_by_law
from pytest_mighetero.spec.device_names import ANY_PROFILE
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, audit_of
from pytest_mighetero.units import format_duration

# The reference script's factor on main's min_duration; here on what main will take.
MAIN_FACTOR = 1.2
# From the first background's first query to main's: the others' start and main's own,
# up to 42 s of it between StartTest and the first query (DLRM on a MIG slice, v1.0).
STARTUP_S = 150.0
# An audit is at most so many runs, with 20 s of sleep each: two trials of TEST01 and
# TEST05, three of TEST04's two (closed/NVIDIA/Makefile, v1.0 and v1.1); later ones are
# one (v4.1 to v6.0).
_AUDIT_RUNS = {"test01": 2, "test04": 6, "test05": 2}
# Their audit.config says how many samples, and no duration (compliance/*/audit.config).
_COUNTED_AUDITS = ("test04", "test06", "test07", "test09")
_AUDIT_SLEEP_S = 20.0
# Mains at full length for which the backgrounds of a search are planned at once.
_SEARCH_RUNS = 4
# The options that say how long main is, and how long a run may take.
_MAIN, _TIMEOUT = "main-benchmark-duration", "background-benchmark-timeout"


@dataclass(frozen=True)
class Recorded:
    """What an earlier run of the same main took, in seconds.

    Attributes:
        lead_s: from the first background's first query to main's.
        main_s: main's timed window.
    """

    lead_s: float
    main_s: float


@dataclass(frozen=True)
class BackgroundTime:
    """The backgrounds' ``--min_duration`` and where it comes from.

    Attributes:
        source: ``history`` of this main, the law of the reader's tool (``loadgen``),
            the ``reference`` script's formula; ``automatic``; the user's ``option``; a
            ``retry``.
    """

    seconds: float
    source: str


@dataclass(frozen=True)
class Cover:
    """What backgrounds have to cover: the law of their length. All in seconds.

    Attributes:
        lead: from their start to main's.
        main: what main takes, as far as is known.
        buffer: by which they must outlast it.
        source: how main's length is known.
    """

    lead: float
    main: float
    buffer: float
    source: str = "history"

    @property
    def seconds(self) -> float:
        """How long that is, with room for a main that takes longer."""
        return self.lead + MAIN_FACTOR * self.main + self.buffer


def cover_of(
    config: RunSpec, pair: Pair, profile: str | None, recorded: Recorded | None
) -> Cover:
    """Return what backgrounds have to cover that start before one main."""
    buffer, settle = config.end_time_buffer_min, config.settle_time
    lead = min(config.start_time_buffer, STARTUP_S) + settle
    if recorded is not None:
        lead = max(lead, MAIN_FACTOR * recorded.lead_s)
        return Cover(lead, recorded.main_s, buffer)
    known = seconds_by_law(config, pair, profile)
    main = known or config.main_duration
    if audit := audit_of(config.action):
        main = _AUDIT_RUNS.get(audit, 1) * (main + _AUDIT_SLEEP_S)
    if known is None:
        return Cover(config.start_time_buffer + settle, main, buffer, "reference")
    spec = config.suite.harness_of(pair.benchmark)
    return Cover(lead, main, buffer, spec.reader if spec.makes else "command")


def background_time(
    config: RunSpec,
    pair: Pair,
    profile: str | None = None,
    recorded: Recorded | None = None,
    mains: Sequence[Pair] = (),
) -> BackgroundTime:
    """Return how long the backgrounds of *pair* run, on a device of that profile.

    *mains* are all that they serve, one after another; none for this one alone.

    Raises:
        ConfigError: this main needs longer than a background may run, or than it was
            told to.
    """
    problem = too_long(config, pair, profile, recorded)
    if problem := problem or uncovered(config, pair, profile):
        raise ConfigError(problem)
    limit, told = config.background_timeout, config.background_duration
    if told == "automatic":
        return BackgroundTime(limit, "automatic")
    if told != "planned":
        return BackgroundTime(told, "option")
    cover = cover_of(config, pair, profile, recorded)
    every = sum(cover_of(config, each, profile, None).seconds for each in mains)
    every *= _SEARCH_RUNS if config.tune else 1
    return BackgroundTime(max(cover.seconds, min(every, limit)), cover.source)


def time_left(
    config: RunSpec,
    pair: Pair,
    profile: str | None = None,
    recorded: Recorded | None = None,
) -> float:
    """Return the seconds that backgrounds which are up must have left for a main."""
    startup = min(config.start_time_buffer, STARTUP_S)
    return replace(cover_of(config, pair, profile, recorded), lead=startup).seconds


def check_lengths(config: RunSpec) -> None:
    """Check every pair, as far as its device is known, before anything starts.

    A pair that alone of several is too long is left to its test, which is skipped: one
    that nobody named must not fail a session for the numbers of its suite.

    Raises:
        ConfigError: every pair, or one whose benchmark was named, takes longer than it
            may, or cannot be covered by the backgrounds.
    """
    profile = config.main_profile or (ANY_PROFILE if config.devices else None)
    problems = {}
    for pair in config.pairs:
        alone = not config.backgrounds_of(pair.benchmark)
        problem = too_long(config, pair, profile, alone=alone)
        if problem := problem or uncovered(config, pair, profile):
            problems[pair] = problem
    named = [pair for pair in problems if pair.benchmark in config.asked]
    if problems and (named or len(problems) == len(config.pairs)):
        problem = problems[named[0] if named else next(iter(problems))]
        raise ConfigError("\n".join([problem, *config.notes]))


def too_long(
    config: RunSpec,
    pair: Pair,
    profile: str | None,
    recorded: Recorded | None = None,
    *,
    alone: bool = False,
) -> str | None:
    """Say with its calculation that a run would take longer than it may, or None."""
    limit, told = config.background_timeout, config.background_duration
    option, remedy = "", f"shorten main (--{_MAIN}, or RUN_ARGS' --min_query_count)"
    if not alone and isinstance(told, float) and told > limit:
        option = "background-benchmark-duration"
        remedy = f"a shorter --{option}"
        what, seconds = f"the backgrounds of {pair} would run", told
        how = "by option"
    elif not alone and told == "planned":
        cover = cover_of(config, pair, profile, recorded)
        law = None if recorded else law_of(config, pair, profile)
        by_law = f" ({law})" if law and law.seconds > config.main_duration else ""
        option = "" if recorded or by_law else _MAIN
        what, seconds = f"the backgrounds of {pair} would run", cover.seconds
        how = (
            f"by {cover.source}: {_shown(cover.lead)} until main runs + {MAIN_FACTOR} "
            f"x {_shown(cover.main)} of main{by_law} + {_shown(cover.buffer)} end "
            f"buffer"
        )
    else:
        seconds, how = _least(config, pair, profile)
        option = _MAIN if how == config.said_by[_MAIN] else ""
        what = f"{pair} takes at the least"
    if seconds <= limit:
        return None
    blamed = [config.said_by[each] for each in (option, _TIMEOUT) if each]
    return (
        f"{', '.join(blamed)}: {what} {_shown(seconds)} ({how}), more than the "
        f"{_shown(limit)} of --{_TIMEOUT}; say --{_TIMEOUT}={_room(seconds)}, or "
        f"{remedy}"
    )


def uncovered(config: RunSpec, pair: Pair, profile: str | None) -> str | None:
    """Say that backgrounds of a given length can never cover main, or None.

    With ``--lenient`` they need not; ``--overlap-retries`` finds a length that does.
    """
    told, option = config.background_duration, "background-benchmark-duration"
    if told == "automatic":
        told, option = config.background_timeout, _TIMEOUT
    elif told == "planned" or config.overlap_retries:
        return None
    main, why = _least(config, pair, profile)
    needed = config.settle_time + main + config.end_time_buffer_min
    alone = not config.backgrounds_of(pair.benchmark)
    if told >= needed or config.lenient or alone:
        return None
    return (
        f"{config.said_by[option]}: backgrounds of {_shown(told)} cannot cover {pair}, "
        f"for which they need at the least {_shown(needed)}: "
        f"{_shown(config.settle_time)} settle time + {_shown(main)} of main ({why}) + "
        f"{_shown(config.end_time_buffer_min)} end buffer; say a longer one, or "
        f"--background-benchmark-duration=planned"
    )


def _least(config: RunSpec, pair: Pair, profile: str | None) -> tuple[float, str]:
    """Return what main takes at the least, and why.

    That is its own length, or what the query count demands of the fastest device that
    it could be on. TEST04 issues each sample once, and so does AccuracyOnly; others
    issue so many.
    """
    if audit_of(config.action) in _COUNTED_AUDITS or accuracy_only(config):
        return 0.0, "each sample once"
    law = law_of(config, pair, profile, fastest=True)
    if law is not None and law.seconds > config.main_duration:
        return law.seconds, str(law)
    return config.main_duration, config.said_by[_MAIN]


def _room(seconds: float) -> str:
    """Write a length in whole hours, minutes or seconds, no shorter than that."""
    unit = next((size for size in (3600, 60) if seconds >= size), 1)
    return format_duration(math.ceil(seconds / unit) * unit)


def _shown(seconds: float) -> str:
    """Write a length for people: exact while short, in hours when long."""
    exact = format_duration(seconds)
    if seconds < 3600 or len(exact) < 4:
        return exact
    return f"{seconds / 3600:.1f} h"
