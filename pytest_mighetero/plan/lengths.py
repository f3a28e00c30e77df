"""Whether what a run is told to do can be done in the time it may take. Pure."""

from __future__ import annotations

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.durations import too_long, uncovered
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.suite import ANY_PROFILE


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
