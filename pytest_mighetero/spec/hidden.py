"""What of everything that was said is a secret."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_mighetero.spec.names import ACTIONS
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.scenario import SCENARIOS
from pytest_mighetero.terms.secret import Secrets, secrets_of


def secrets_in(suite: Suite, said: Mapping[str, Any], paths: Iterable[Path]) -> Secrets:
    """Return what is not to be printed of *suite*, of options and of the environment.

    Args:
        suite: with its commands, their variables and values.
        said: the options' values, by field.
        paths: folders that are no secret, whatever they are called.
    """
    public = [*suite.benchmarks, *suite.groups, *SCENARIOS, *ACTIONS, *map(str, paths)]
    public += [each.config_ver for each in suite.benchmarks.values()]
    harnesses = suite.every_harness.values()
    commands = [each.command for each in harnesses]
    commands += [each.server.command for each in harnesses if each.server]
    tables = [each.values for each in harnesses]
    tables += [each.values for each in suite.benchmarks.values()]
    values = [
        (name, value)
        for table in tables
        for name, by_scenario in table.items()
        for value in by_scenario.values()
    ]
    texts = [{name: value} for name, value in values if isinstance(value, str)]
    commands += [value for _, value in values if not isinstance(value, str)]
    return secrets_of(
        suite.marked_secret,
        [*(each for spec in harnesses for each in spec.variables), *texts],
        (
            *said["main_cmd_prefix"],
            *said["main_runargs"].words,
            *(word for words in commands for word in words),
        ),
        os.environ,
        public,
    )
