"""Whether the settings of a run go together. Pure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.device_names import unknown_to
from pytest_mighetero.spec.offer import unconfigured
from pytest_mighetero.terms.make import unsafe_for_make
from pytest_mighetero.terms.pair import Pair

if TYPE_CHECKING:
    from pytest_mighetero.spec.runspec import RunSpec


def check_together(config: RunSpec) -> None:
    """Check what one option means beside another.

    Raises:
        ConfigError: two of them cannot be meant together.
    """
    suite = config.suite
    if config.tune and config.action != "run_harness":
        raise ConfigError(
            f"--mig-tune: an audit ({config.action}) has no target to search; leave "
            f"--main-action at run_harness"
        )
    if config.devices and not suite.kind.mig:
        raise ConfigError(
            f"--mig-devices: suite {suite.name} runs on simulated instances, "
            f"it takes no MIG UUIDs"
        )
    for name in config.devices:
        if problem := unknown_to(suite, name):
            raise ConfigError(f"--mig-devices: {problem}")
    if config.gpu and (config.devices or not suite.kind.knows_gpus):
        source = "--mig-devices" if config.devices else f"suite {suite.name}"
        raise ConfigError(
            f"--mig-gpu: only NVML knows GPUs, and {source} does not ask it"
        )
    if config.start_from_device and not suite.harness.start_from_device:
        raise ConfigError(
            f"--start-from-device: the harness of suite {suite.name} has no device "
            f"memory to start from"
        )
    told = [k for k, v in suite.harness.make_variables.items() if "{python}" in v]
    if told and (lost := unsafe_for_make(sys.executable, "it")):
        raise ConfigError(
            f"{sys.executable!r}, this Python's path, is {told[0]} for make, which "
            f"{lost}; make a venv in a folder of letters, digits and _./,=:+@%^-"
        )
    _check_backgrounds(config)


def _check_backgrounds(config: RunSpec) -> None:
    suite = config.suite
    names = {n for pair in config.pairs for n in config.backgrounds_of(pair.benchmark)}
    for name in sorted(names):
        accepted = suite.benchmarks[name].scenarios
        if config.background_scenario not in accepted:
            raise ConfigError(
                f"--background-scenario: {name} does not run in "
                f"{config.background_scenario} (accepted: {', '.join(accepted)}); "
                f"leave it out of --background-benchmarks or choose another"
            )
    beside = [Pair(name, config.background_scenario) for name in sorted(names)]
    problem = unconfigured(suite, beside, config.config_ver)
    missing = [p for p in beside if unconfigured(suite, [p], config.config_ver)]
    if problem and (config.backgrounds_named or missing == beside):
        raise ConfigError(
            f"--background-benchmarks, --background-scenario: {problem}. Choose "
            f"others, or say another --config-ver"
        )
