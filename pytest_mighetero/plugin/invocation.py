"""What one invocation of pytest asks for: read, checked, and refused in one place."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.durations import check_lengths
from pytest_mighetero.plan.run_plan import check_tools
from pytest_mighetero.plugin.fixtures import MigheteroWarning
from pytest_mighetero.plugin.presence import SPOKEN_FLAG, run_spec
from pytest_mighetero.records.comparison.reference_files import load_references
from pytest_mighetero.records.results_folder import check_compared
from pytest_mighetero.spec.folders import check_results
from pytest_mighetero.spec.given import given, publishes_facts
from pytest_mighetero.spec.runspec import RunSpec, build_spec
from pytest_mighetero.terms.printable import printable


def check(config: pytest.Config) -> None:
    """Check what is asked for; warn of what is worth knowing of it."""
    for before, word in pairwise(config.invocation_params.args):
        is_flag = before.replace("_", "-") == f"--{SPOKEN_FLAG}"
        if is_flag and word.lower() in ("true", "false"):
            raise pytest.UsageError(
                f"{before} {word}: expected {before}={word}, in one word"
            )
    spec = run_spec(config)
    if hasattr(config, "workerinput"):  # its controller has a reporter, and says it
        if spec.slurm is not None:
            _in_step(config, config.workerinput)
        return
    if spec.save_reference and config.pluginmanager.is_blocked("terminal"):
        raise pytest.UsageError(
            f"{spec.said_by['mig-save-reference']}: the terminal reporter knows what "
            f"the runs came to; leave out -p no:terminal, or say --quiet instead"
        )
    _register_pages(config, spec)
    if spec.slurm is not None and not spec.listing:
        from pytest_mighetero.plugin.slurm.depot import Depot
        from pytest_mighetero.plugin.slurm.workers import SlurmWorkers

        config.pluginmanager.register(SlurmWorkers(config, spec), "mighetero-slurm")
        # After the page, it has its runs before that is written.
        depot = Depot(config, spec.results_dir)
        config.pluginmanager.register(depot, "mighetero-depot")
    for note in spec.notes:
        with suppress(MigheteroWarning):  # to nobody is this one an error
            config.issue_config_time_warning(MigheteroWarning(printable(note)), 2)


def _register_pages(config: pytest.Config, spec: RunSpec) -> None:
    """Register what writes pages of the runs, ours and pytest-html's."""
    if spec.report is not None and not config.getoption("collectonly"):
        from pytest_mighetero.plugin.report_file import register_report

        register_report(config, spec.report, spec.said_by["mig-report"])
    if config.getoption("htmlpath", None):
        from pytest_mighetero.plugin.html_columns import HtmlColumns

        config.pluginmanager.register(HtmlColumns(), "mighetero-html-columns")


def _in_step(config: pytest.Config, told: Mapping[str, Any]) -> None:
    """Make a worker one of a Slurm step, by what its controller has *told* it."""
    from pytest_mighetero.plugin.slurm.courier import join
    from pytest_mighetero.plugin.slurm.lost_worker import LostWorker
    from pytest_mighetero.plugin.slurm.misfits import CHANNEL, Telling

    join(config)
    config.pluginmanager.register(LostWorker(), "mighetero-slurm")
    if (channel := told.get(CHANNEL)) is not None:
        config.pluginmanager.register(Telling(channel), "mighetero-telling")


def checked_spec(config: pytest.Config) -> RunSpec:
    """Return what command line, ini file and suite ask for.

    Raises:
        pytest.UsageError: a value cannot be meant.
    """
    try:
        spec = build_spec(
            lambda key: given(config, key),
            config.invocation_params.dir,
            config.rootpath,
            device_kinds(),
        )
        check_tools(spec)
        check_lengths(spec)
        load_references(spec.references)
        check_compared(spec.compare, spec.said_by["mig-compare"])
        check_results(spec.results_dir, spec.said_by["results-dir"])
        publishes_facts(config)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    return spec
