"""The pytest plugin: options, header, session, summary. The rest is imported late.

pytest loads this module in every run on a machine where the package is installed, so
it imports nothing but pytest and the table of options.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plugin.fixtures import KEEPER, MigheteroWarning
from pytest_mighetero.plugin.protocol import is_run
from pytest_mighetero.plugin.selection.collection import pytest_report_collectionfinish
from pytest_mighetero.plugin.settings import RUN_SPEC, anything_said, run_spec
from pytest_mighetero.plugin.spelled import apart, spelled
from pytest_mighetero.spec.markers import MARKERS
from pytest_mighetero.spec.options import OPTIONS, Option
from pytest_mighetero.terms.printable import printable

if TYPE_CHECKING:
    from pytest_mighetero.plugin.controller import InFlight

SAVED: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every option, each with dashes and with underscores, and its ini key."""
    group = parser.getgroup("mighetero", "heterogeneous MIG runs of MLPerf")
    for option in OPTIONS:
        flag = {"action": "store_const", "const": True}
        how = flag if option.metavar is None else {"metavar": option.metavar}
        _add(group, option.name, option, option.help, **how)
        for value, names in spelled(option.name):
            said = {"action": "store_const", "const": value, "dest": option.key}
            group.addoption(*names, help=argparse.SUPPRESS, default=None, **said)
        if option.alias:
            _add(group, option.alias, option, argparse.SUPPRESS, **how)
        if option.no_help:
            off = {"action": "store_const", "const": False}
            _add(group, f"no-{option.name}", option, option.no_help, **off)
        parser.addini(option.key, f"--{option.name}: {option.help}", default=None)
    parser.addini(
        "mig_junit_properties",
        "write a run's facts as properties of its junit testcase; false keeps "
        "xunit2 files valid against Jenkins' schema",
        type="bool",
        default=True,
    )


def _add(
    group: pytest.OptionGroup, name: str, option: Option, text: str, **how: Any
) -> None:
    """Add one option; its spelling with underscores works and is not in the help."""
    how |= {"dest": option.key, "default": None}
    group.addoption(f"--{name}", help=text.replace("%", "%%"), **how)
    if "-" in name:
        hidden = f"--{name.replace('-', '_')}"
        group.addoption(hidden, help=argparse.SUPPRESS, **how)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; check the options of a run that has any."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if anything_said(config):
        if problem := apart(config.invocation_params.args):
            raise pytest.UsageError(problem)
        run = run_spec(config)
        if run.save_reference:
            _check_reporter(config)
        if not hasattr(config, "workerinput"):  # xdist's controller says it
            _warn_of(config, run.notes)


def _warn_of(config: pytest.Config, notes: Iterable[str]) -> None:
    """Warn, with -q, too; to nobody who turns warnings into errors is this one."""
    for note in notes:
        with suppress(MigheteroWarning):
            config.issue_config_time_warning(MigheteroWarning(printable(note)), 3)


def _check_reporter(config: pytest.Config) -> None:
    # A worker of xdist has none; its controller saves.
    if config.pluginmanager.is_blocked("terminal") and not hasattr(
        config, "workerinput"
    ):
        raise pytest.UsageError(
            "--mig-save-reference: the terminal reporter knows what the runs came to; "
            "leave out -p no:terminal, or say --quiet instead"
        )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """List what there is to run on, where that is asked for, and run nothing."""
    if not anything_said(config) or not run_spec(config).listing:
        return None
    from pytest_mighetero.errors import DeviceError
    from pytest_mighetero.show.inventory import listing

    try:
        for line in listing(run_spec(config)):
            print(printable(line))
    except DeviceError as error:
        raise pytest.UsageError(str(error)) from None
    return int(pytest.ExitCode.OK)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Give ``-n auto`` one worker for each GPU that can be leased."""
    if not anything_said(config):
        return None
    from pytest_mighetero.show.inventory import leasable_gpus

    return leasable_gpus(run_spec(config))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what the runs of this session use, where options or ini say any of it."""
    if RUN_SPEC not in config.stash:
        return []
    from pytest_mighetero.show.inventory import geometry
    from pytest_mighetero.terms.environment import withheld

    run = config.stash[RUN_SPEC]
    suite = f"{run.suite.name} ({run.suite.description})"
    lines = [
        f"mighetero: suite {suite}, harness folder {run.harness_dir}",
        f"mighetero: {geometry(run)}",
        *(f"mighetero: {note}" for note in run.notes),
    ]
    if names := withheld(os.environ, run.suite.harness.environment):
        lines.append(
            f"mighetero: no harness gets your {', '.join(names)}, which can change "
            f"what it exits with; [harness.environment] of a suite file can set them"
        )
    return [printable(line) for line in lines]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Have a session with runs outlive what it is watched through."""
    if RUN_SPEC in session.config.stash:
        from pytest_mighetero.plugin.console.terminal import outlive

        outlive(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Let SIGTERM and SIGHUP end a session with runs as Ctrl-C does."""
    config = session.config
    # The controller of xdist workers has no items; it has the options.
    if RUN_SPEC not in config.stash and not any(map(is_run, session.items)):
        return (yield)
    from pytest_mighetero.plugin.interrupts import INTERRUPTS, Interrupts
    from pytest_mighetero.plugin.tether import tethered

    interrupts = config.stash[INTERRUPTS] = Interrupts()
    config.add_cleanup(interrupts.restore)
    from pytest_mighetero.plugin.console.terminal import outlive
    from pytest_mighetero.plugin.execution import LOGGED, Logged
    from pytest_mighetero.plugin.junit_file import set_room_aside

    outlive(config)
    set_room_aside(config)
    config.stash[LOGGED] = Logged(config)
    config.pluginmanager.register(config.stash[LOGGED], "mighetero-logged")
    in_flight = _follow_workers(config)
    interrupts.install()
    try:
        with tethered(config, interrupts.interrupt):
            return (yield)
    except KeyboardInterrupt as interrupt:
        if in_flight is not None:
            in_flight.report_interrupted(config, str(interrupt) or "Ctrl-C")
        raise
    finally:
        interrupts.ignore()
        _end_kept(config)


def _end_kept(config: pytest.Config) -> None:
    """End backgrounds that a test left up whose successor never came."""
    if KEEPER in config.stash:
        try:
            config.stash[KEEPER].end()
        except HarnessError as error:
            text = run_spec(config).secrets.mask(str(error))
            pytest.exit(text, returncode=pytest.ExitCode.INTERNAL_ERROR)


def _follow_workers(config: pytest.Config) -> InFlight | None:
    if not config.pluginmanager.hasplugin("dsession"):
        return None
    from pytest_mighetero.plugin.controller import InFlight
    from pytest_mighetero.plugin.selection.pairs import possible_ids

    in_flight = InFlight(possible_ids(config))
    config.pluginmanager.register(in_flight, "mighetero-in-flight")
    return in_flight


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Shorten what is said again, write references; not in an xdist worker."""
    config = session.config
    if RUN_SPEC not in config.stash or hasattr(config, "workerinput"):
        return
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        from pytest_mighetero.plugin.console.repeated import shorten

        shorten(reporter.stats)
    if not config.stash[RUN_SPEC].save_reference:
        return
    from pytest_mighetero.errors import MigheteroError
    from pytest_mighetero.plugin.console.tables import run_reports, save_references

    reports = run_reports(reporter.stats) if reporter is not None else []
    try:
        config.stash[SAVED] = save_references(config.stash[RUN_SPEC], reports)
    except MigheteroError as error:
        config.stash[SAVED] = [f"no reference was saved: {error}"]
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Show every run of the session, and what a dry run would start."""
    no_tests = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if no_tests and config.pluginmanager.hasplugin("dsession"):  # which collects none
        for line in pytest_report_collectionfinish(config, []):
            terminalreporter.write_line(line)
    groups = terminalreporter.stats.values()
    if any(hasattr(each, "mighetero") for group in groups for each in group):
        from pytest_mighetero.plugin.console.tables import run_reports, sections

        for title, lines in sections(run_reports(terminalreporter.stats)):
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(printable(line))
    if SAVED in config.stash:
        terminalreporter.section("references")
        for line in config.stash[SAVED]:
            terminalreporter.write_line(printable(line))
