"""Which of the pairs that are asked for a suite's harness has. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.names import AUDITS
from pytest_mighetero.spec.parsers import scenario_names
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.spec.values import Values
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.scenario import SCENARIOS, is_bounded


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes:
        pairs: those of the suite among the benchmarks and scenarios asked for.
        action: make target of main.
        config_ver: explicit ``--config-ver``, or None for the suite's.
        benchmarks_named: whether the benchmarks were named one by one.
        scenarios_named: whether the scenarios were.
    """

    pairs: tuple[Pair, ...]
    action: str
    config_ver: str | None
    benchmarks_named: bool
    scenarios_named: bool


def asked_pairs(
    suite: Suite, values: Values, named: tuple[str, ...], action: str
) -> tuple[Pair, ...]:
    """Return the pairs to measure among those asked for.

    A pair whose benchmark and scenario were both named must be supported; where only
    one of them was, the unsupported ones are not meant.

    Raises:
        ConfigError: one of them was named and cannot run, or there is none.
    """
    said = values.value("main-scenario")
    every = said.raw == "all"
    scenarios = SCENARIOS if every else values.parsed("main-scenario", scenario_names)
    supported = tuple(suite.pairs())
    wanted = [
        Pair(name, scenario)
        for name in named or suite.benchmarks
        for scenario in scenarios
    ]
    missing = [str(pair) for pair in wanted if pair not in supported]
    pairs = tuple(dict.fromkeys(pair for pair in wanted if pair in supported))
    scenarios_named = said.explicit and not every
    if missing and ((named and scenarios_named) or not pairs):
        raise ConfigError(
            f"--main-benchmark, --main-scenario: suite {suite.name} does not run "
            f"{', '.join(missing)}; supported: {', '.join(map(str, supported))}"
        )
    config_ver = values.of("config-ver")
    wanted_pairs = Wanted(pairs, action, config_ver, bool(named), scenarios_named)
    pairs = offered(suite, wanted_pairs)
    if not values.of("mig-tune"):
        return pairs
    if not (bounded := tuple(each for each in pairs if is_bounded(each.scenario))):
        raise ConfigError(
            "--mig-tune: Server alone has a target QPS to search, and none of the "
            "selected pairs is a Server pair; see --main-benchmark, --main-scenario"
        )
    return bounded


def offered(suite: Suite, wanted: Wanted) -> tuple[Pair, ...]:
    """Return the pairs that the harness of *suite* has, and judges.

    Left out are those without a configuration of that ``config_ver``, and those whose
    audit the harness runs, does not judge, and exits with code 0 from.

    Raises:
        ConfigError: one of those was named, or a benchmark was of which there is no
            other; or there is no other at all.
    """
    configured = [
        p for p in wanted.pairs if not unconfigured(suite, [p], wanted.config_ver)
    ]
    left = {pair.benchmark for pair in configured}
    empty = any(pair.benchmark not in left for pair in wanted.pairs)
    named = wanted.benchmarks_named and (wanted.scenarios_named or empty)
    problem = unconfigured(suite, wanted.pairs, wanted.config_ver)
    if problem and (named or not configured):
        raise ConfigError(
            f"--main-benchmark, --main-scenario: {problem}. Name others, or say "
            f"another --config-ver"
        )
    judged = [p for p in configured if not _unjudged(suite, [p], wanted.action)]
    problem = _unjudged(suite, configured, wanted.action)
    if problem and (wanted.benchmarks_named or not judged):
        raise ConfigError(f"--main-action: {problem}")
    return tuple(judged)


def why_not(
    suite: Suite, pair: Pair, action: str, config_ver: str | None
) -> str | None:
    """Say why the harness of *suite* would measure, or judge, nothing of *pair*."""
    missing = unconfigured(suite, [pair], config_ver)
    return missing or _unjudged(suite, [pair], action)


def unconfigured(
    suite: Suite, pairs: Iterable[Pair], config_ver: str | None
) -> str | None:
    """Say of which *pairs* the harness has no such configuration, or None.

    Args:
        suite: which configurations there are.
        pairs: what is to run.
        config_ver: explicit ``--config-ver``, or None for the suite's.
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


def _unjudged(suite: Suite, pairs: Iterable[Pair], action: str) -> str | None:
    """Say of which benchmarks the harness judges no such audit, or None."""
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
