"""Which of the pairs that are asked for a suite's harness has. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.names import AUDITS
from pytest_mighetero.spec.parsers import scenario_names
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.spec.values import Values
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.scenario import SCENARIOS, is_bounded

Pairs = tuple[Pair, ...]


def asked_pairs(
    suite: Suite, values: Values, named: tuple[str, ...], action: str
) -> Pairs:
    """Return the pairs to measure among those asked for.

    A pair whose benchmark and scenario were both named must be supported; where only
    one of them was, the unsupported ones are not meant. Left out are those that the
    harness has no such configuration of, and those whose audit it does not judge.

    Raises:
        ConfigError: one of them was named and cannot run, or there is none.
    """
    said = values.value("main-scenario")
    every = said.raw == "all"
    scenarios = SCENARIOS if every else values.parsed("main-scenario", scenario_names)
    scenarios_named = said.explicit and not every
    supported = tuple(suite.pairs())
    wanted = dict.fromkeys(
        Pair(name, scenario)
        for name in named or suite.benchmarks
        for scenario in scenarios
    )
    pairs = tuple(pair for pair in wanted if pair in supported)
    missing = [str(pair) for pair in wanted if pair not in supported]
    if missing and ((named and scenarios_named) or not pairs):
        raise ConfigError(
            f"{_said_by(values)}: suite {suite.name} does not run "
            f"{', '.join(missing)}; supported: {', '.join(map(str, supported))}"
        )
    pairs = _configured(suite, pairs, values, named, scenarios_named)
    judged = tuple(pair for pair in pairs if not _unjudged(suite, [pair], action))
    if (problem := _unjudged(suite, pairs, action)) and (named or not judged):
        raise ConfigError(f"{values.value('main-action').said_by}: {problem}")
    if not values.of("mig-tune"):
        return judged
    if not (bounded := tuple(each for each in judged if is_bounded(each.scenario))):
        raise ConfigError(
            f"{values.value('mig-tune').said_by}: Server and Interactive alone have a "
            f"target QPS to search, and none of the selected pairs is one of theirs; "
            f"see --main-benchmark, --main-scenario"
        )
    return bounded


def _configured(
    suite: Suite,
    pairs: Pairs,
    values: Values,
    named: tuple[str, ...],
    scenarios_named: bool,
) -> Pairs:
    """Return those of which the harness has such a configuration."""
    config_ver = values.of("config-ver")
    found = tuple(p for p in pairs if not unconfigured(suite, [p], config_ver))
    # Of which a benchmark that was named must have one, whatever scenarios it has.
    left = {pair.benchmark for pair in found}
    lost = scenarios_named or any(pair.benchmark not in left for pair in pairs)
    problem = unconfigured(suite, pairs, config_ver)
    if problem and ((named and lost) or not found):
        raise ConfigError(
            f"{_said_by(values)}: {problem}. Name others, or say another --config-ver"
        )
    return found


def _said_by(values: Values) -> str:
    options = "main-benchmark", "main-scenario"
    return ", ".join(values.value(each).said_by for each in options)


def why_not(
    suite: Suite, pair: Pair, action: str, config_ver: str | None
) -> str | None:
    """Say why the harness of *suite* would measure, or judge, nothing of *pair*."""
    missing = unconfigured(suite, [pair], config_ver)
    return missing or _unjudged(suite, [pair], action)


def unconfigured(
    suite: Suite, pairs: Sequence[Pair], config_ver: str | None
) -> str | None:
    """Say of which *pairs* the harness has no configuration of that name, or None.

    Without a name that of the suite counts.
    """
    missing: dict[str, list[str]] = {}
    for pair in pairs:
        version = config_ver or suite.benchmarks[pair.benchmark].config_ver
        if not suite.has_configuration(pair, version):
            missing.setdefault(version, []).append(str(pair))
    lists = [
        f"no configuration --config_ver={version} of {', '.join(names)}"
        for version, names in missing.items()
    ]
    harness = f"the harness of suite {suite.name}"
    return f"{harness} has {' and '.join(lists)}" if lists else None


def _unjudged(suite: Suite, pairs: Sequence[Pair], action: str) -> str | None:
    """Say of which benchmarks the harness judges no such audit, or None.

    It runs it, judges nothing, and exits with code 0.
    """
    for pair in pairs:
        if action not in (known := suite.harness_of(pair.benchmark).actions):
            return f"what runs {pair.benchmark} has no {action}: {', '.join(known)}"
    audit = action.removeprefix("run_audit_")
    names = dict.fromkeys(pair.benchmark for pair in pairs)
    missing = [each for each in names if audit not in suite.benchmarks[each].audits]
    if audit not in AUDITS or not missing:
        return None
    return (
        f"the harness of suite {suite.name} does not support {audit.upper()} for "
        f"{', '.join(missing)}: it says so, judges nothing and exits with code 0. "
        f"Choose another audit, or other benchmarks"
    )
