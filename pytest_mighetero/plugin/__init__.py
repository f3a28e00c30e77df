"""The plugin as pytest loads it: the hooks that any pytest run calls, in that order.

pytest imports this in every run on a machine where the package is installed: a hook
asks first whether there is a run of ours, and then imports what does the work. What
only a session with runs needs is a plugin of its own, ``session.Session``.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mighetero.plugin.fixtures import MigheteroWarning, background, main, mig_gpu
from pytest_mighetero.plugin.presence import (
    SESSION,
    SPOKEN_FLAG,
    anything_said,
    is_run,
    run_spec,
    runs_tests,
    session_of,
)
from pytest_mighetero.spec.markers import MARKERS
from pytest_mighetero.spec.options import GROUPS, JUNIT_PROPERTIES

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_mighetero.spec.declaration import Option

__all__ = ("MigheteroWarning", "background", "main", "mig_gpu")

_SPOKEN = {
    True: ("true", "True", "TRUE", "1", "yes", "on"),
    False: ("false", "False", "FALSE", "0", "no", "off"),
}


class _Spellings(argparse.Action):
    """Other spellings of options with a value: one action, not one for each."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Keep the value as that of the option."""
        key, bare = self.const[0][option_string], self.const[1]
        if values is self.const and key not in bare:  # there is none
            parser.error(f"argument {option_string}: expected one argument")
        setattr(namespace, key, bare[key] if values is self.const else values)


def _grouped(
    parser: pytest.Parser,
) -> Iterator[tuple[Option, pytest.OptionGroup]]:
    """Yield each option and the group of the help that it stands in."""
    for title, options in GROUPS.items():
        group = parser.getgroup(f"mighetero {title}", f"heterogeneous runs: {title}")
        for option in options:
            yield option, group


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every option and its ini key; no spelling but that with dashes is in help."""
    spellings: dict[str, str] = {}
    bare: dict[str, str] = {}

    def add_flag(
        group: pytest.OptionGroup, key: str, text: str, *names: str, const: bool
    ) -> None:
        how: dict[str, Any] = {"action": "store_const", "const": const, "dest": key}
        for spelling in dict.fromkeys((*names, *(n.replace("-", "_") for n in names))):
            group.addoption(f"--{spelling}", default=None, help=text, **how)
            text = argparse.SUPPRESS

    for option, group in _grouped(parser):
        key, name, text = option.key, option.name, option.told.replace("%", "%%")
        if option.metavar is None:
            add_flag(group, key, text, name, const=True)
        else:
            how = {"dest": key, "metavar": option.metavar}
            if option.bare:
                how |= {"nargs": "?", "const": option.bare}
                bare[key] = option.bare
            group.addoption(f"--{name}", default=None, help=text, **how)
            further = (key, option.alias, option.alias.replace("-", "_"))
            spellings |= {
                f"--{each}": key for each in further if each not in ("", name)
            }
        if option.no_help:
            add_flag(group, key, option.no_help, f"no-{name}", const=False)
        if name == SPOKEN_FLAG:
            for const, words in _SPOKEN.items():
                spoken = [f"{name}={word}" for word in words]
                add_flag(group, key, argparse.SUPPRESS, *spoken, const=const)
        parser.addini(key, f"--{name}: {option.told}", default=None)
    group.addoption(
        *spellings,
        action=_Spellings,
        const=(spellings, bare),
        nargs="?",
        dest="mig_spellings",
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )
    parser.addini(
        JUNIT_PROPERTIES,
        "write a run's facts as properties of its junit testcase; false keeps "
        "xunit2 files valid against Jenkins' schema (default: true)",
        type="bool",
        default=True,
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """List what there is to run on, where that is asked for, and run nothing."""
    if not anything_said(config):
        return None
    spec = run_spec(config)
    if spec.slurm is not None and not runs_tests(config):
        config.option.dist = "no"  # what pytest shows takes no worker
    if spec.slurm is not None and hasattr(config, "workerinput"):
        from pytest_mighetero.plugin.slurm.loopback import open_port

        open_port(config.workerinput)
    if not spec.listing:
        return None
    from pytest_mighetero.errors import DeviceError
    from pytest_mighetero.show.inventory import listing
    from pytest_mighetero.terms.printable import printable

    try:
        for line in listing(spec):
            print(printable(line))
    except DeviceError as error:
        raise pytest.UsageError(str(error)) from None
    return int(pytest.ExitCode.OK)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Give ``-n auto`` one worker for each GPU that can be leased."""
    if not anything_said(config):
        return None
    if run_spec(config).slurm is not None:
        if not runs_tests(config):
            return 0
        raise pytest.UsageError(
            "-n auto: how many workers --mig-slurm is to start depends on no GPU of "
            "this machine; say -n N"
        )
    from pytest_mighetero.show.inventory import leasable_gpus

    return leasable_gpus(run_spec(config))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Have an xdist worker tell this controller what its runs do, if it has any."""
    from pytest_mighetero.plugin.console.workers import listen

    listen(node)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; check what is asked for, if anything is."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if anything_said(config):
        from pytest_mighetero.plugin.invocation import check

        check(config)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Name the nearest ids where an argument has none in its brackets."""
    try:
        return (yield)
    except pytest.UsageError as error:
        config = session.config
        if SESSION not in config.stash:
            raise
        from pytest_mighetero.plugin.selection.suggestion import for_nodeids

        hints = for_nodeids(run_spec(config), config.args)
        raise pytest.UsageError(*error.args, *hints) from None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Keep pytest from walking through every folder of every run for tests."""
    results = config.rootpath / "results"
    if SESSION in config.stash:
        results = run_spec(config).results_dir
    if collection_path != results:
        return None
    from pytest_mighetero.records.run_names import holds_runs_alone

    return holds_runs_alone(results) or None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test that asks for our ``main`` over the pairs to measure."""
    if "main" in metafunc.fixturenames:
        from pytest_mighetero.plugin.ownership import takes_pairs

        if takes_pairs(metafunc):
            from pytest_mighetero.plugin.selection.pairs import parameters

            metafunc.parametrize("main", parameters(metafunc), indirect=True)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Select and order the runs, and give each a timeout beyond its own deadlines."""
    if any(map(is_run, items)):
        from pytest_mighetero.plugin.console.workers import tell_of_runs
        from pytest_mighetero.plugin.selection.order import arrange

        tell_of_runs(config)
        arrange(config, session_of(config), items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse a method of unittest that asks for a run."""
    result = yield  # it may be one to skip
    if type(item).__name__ == "TestCaseFunction":
        from pytest_mighetero.plugin.ownership import refuse_method

        refuse_method(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a test fail that could not measure, though it is marked xfail."""
    report = yield
    if call.excinfo is not None:
        from pytest_mighetero.plugin.outcome import unexcuse

        unexcuse(report, call.excinfo.value)
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Show every run of the session, those of xdist's workers, too."""
    session = config.stash.get(SESSION, None)
    no_tests = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if session and no_tests and config.pluginmanager.hasplugin("dsession"):
        for line in session.pytest_report_collectionfinish([]):  # it collects none
            terminalreporter.write_line(line)
    saved = session.saved if session else []
    tally = session.tally if session else None
    groups = terminalreporter.stats.values()
    ran = any(hasattr(each, "mighetero") for group in groups for each in group)
    if saved or tally or ran:
        from pytest_mighetero.plugin.console.sections import summarize

        summarize(terminalreporter, saved, tally)
