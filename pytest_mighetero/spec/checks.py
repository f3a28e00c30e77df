"""Whether the settings of a run go together. Pure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.device_names import unknown_to_all
from pytest_mighetero.spec.filled import used_by
from pytest_mighetero.spec.offer import unconfigured
from pytest_mighetero.terms.make import unsafe_for_make
from pytest_mighetero.terms.scenario import scenario_of

if TYPE_CHECKING:
    from pytest_mighetero.spec.runspec import RunSpec
    from pytest_mighetero.terms.pair import Pair


def check_together(config: RunSpec) -> None:
    """Check what one option means beside another.

    Raises:
        ConfigError: two of them cannot be meant together.
    """
    if config.tune and config.action != "run_harness":
        raise ConfigError(
            f"{config.said_by['mig-tune']}: an audit ({config.action}) has no "
            f"target to search; leave --main-action at run_harness"
        )
    _check_devices(config)
    _check_harnesses(config)
    for pair in config.pairs:
        _check_config_ver(config, pair)
    _check_words(config)
    _check_backgrounds(config)


def _check_devices(config: RunSpec) -> None:
    suite = config.suite
    if config.devices and not suite.kind.mig:
        raise ConfigError(
            f"{config.said_by['mig-devices']}: suite {suite.name} runs on "
            f"simulated instances, it takes no MIG UUIDs"
        )
    mains = dict.fromkeys(pair.benchmark for pair in config.pairs)
    for name in config.devices:
        if problem := unknown_to_all(suite, mains, name):
            raise ConfigError(f"{config.said_by['mig-devices']}: {problem}")
    if config.gpu and (config.devices or not suite.kind.knows_gpus):
        listed = config.said_by["mig-devices"] if config.devices else ""
        source = listed or f"suite {suite.name}"
        raise ConfigError(
            f"{config.said_by['mig-gpu']}: only NVML knows GPUs, and {source} "
            f"does not ask it"
        )


def _check_harnesses(config: RunSpec) -> None:
    suite = config.suite
    harnesses = suite.every_harness.values()
    starts = any(each.start_from_device for each in harnesses)
    if config.start_from_device and not starts:
        raise ConfigError(
            f"{config.said_by['start-from-device']}: the harness of suite "
            f"{suite.name} has no device memory to start from"
        )
    target = config.main_runargs.number("server_target_qps") or 0.0
    whole = any(suite.harness_of(p.benchmark).whole_targets for p in config.pairs)
    if whole and not target.is_integer():
        raise ConfigError(
            f"{config.said_by['main-benchmark-runargs']}: expected a whole number as "
            f"server_target_qps, found {target:.10g}: the harness of "
            f"suite {suite.name} takes no other (harness.whole_targets)"
        )
    told = [
        name
        for each in harnesses
        for name, value in each.make_variables.items()
        if "{python}" in value
    ]
    if told and (lost := unsafe_for_make(sys.executable, "it")):
        raise ConfigError(
            f"{sys.executable!r}, this Python's path, is {told[0]} for make, which "
            f"{lost}; make a venv in a folder of letters, digits and _./,=:+@%^-"
        )


def _check_config_ver(config: RunSpec, pair: Pair) -> None:
    suite = config.suite
    spec = suite.harness_of(pair.benchmark)
    if config.config_ver and not spec.config_ver:
        said = "say its accuracy with --main-benchmark-runargs=--accuracy_target=0.999"
        instead = f"{said}, and " if spec.makes else ""
        raise ConfigError(
            f"{config.said_by['config-ver']}: the harness of suite {suite.name} that "
            f"runs {pair} has no --config_ver: {instead}leave this option out"
        )


def _check_words(config: RunSpec) -> None:
    """Check that a main that was named, or any, can be told what is said of it."""
    problems = {pair: lost_words(config, pair) for pair in config.pairs}
    for pair, problem in problems.items():
        if problem and (pair.benchmark in config.asked or all(problems.values())):
            raise ConfigError(problem)


def lost_words(config: RunSpec, pair: Pair) -> str | None:
    """Say what of what is said of main would not reach the command of *pair*, or None.

    A pair that nobody named is refused for it when it runs: -k and -m may leave it out.
    """
    suite = config.suite
    if suite.harness_of(pair.benchmark).makes:
        return None
    used = used_by(suite, pair)
    flag = scenario_of(pair.scenario).target_flag
    taken = {flag} if used & {"rate", "requests"} else set()
    taken |= {"min_query_count"} if "requests" in used else set()
    lost = [each for each in config.main_runargs.by_name if each not in taken]
    if lost and "run_args" not in used:
        words = ", ".join(f"--{each}" for each in sorted(filter(None, taken)))
        return (
            f"{config.said_by['main-benchmark-runargs']}: --{lost[0]} would not reach "
            f"{pair}, whose command has no {{run_args}}; it takes {words or 'none'}"
        )
    changes = {"mig-tune": config.tune, "target-qps-backoff": config.target_backoff}
    for option in [name for name, said in changes.items() if said]:
        if not used & {"rate", "requests"}:
            return (
                f"{config.said_by[option]}: the command of {pair} takes no "
                f"{{rate}}: it has no target to change"
            )
    return None


def _check_backgrounds(config: RunSpec) -> None:
    suite = config.suite
    names = {n for pair in config.pairs for n in config.backgrounds_of(pair.benchmark)}
    for name in sorted(names):
        accepted = suite.benchmarks[name].scenarios
        if config.beside(name).scenario not in accepted:
            raise ConfigError(
                f"{config.said_by['background-scenario']}: {name} does not run in "
                f"{config.background_scenario} (accepted: {', '.join(accepted)}); "
                f"leave it out of --background-benchmarks or choose another"
            )
    beside = [config.beside(name) for name in sorted(names)]
    problem = unconfigured(suite, beside, config.config_ver)
    missing = [p for p in beside if unconfigured(suite, [p], config.config_ver)]
    if problem and (config.backgrounds_named or missing == beside):
        raise ConfigError(
            f"{config.said_by['background-benchmarks']}, "
            f"{config.said_by['background-scenario']}: {problem}. Choose "
            f"others, or say another --config-ver"
        )
