"""A pytest session with runs, and its hooks: pytest has them once it means a run."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import pytest
from _pytest.junitxml import xml_key

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plugin.console.terminal import outlive
from pytest_mighetero.plugin.execution import begin, execution_of, judged, told
from pytest_mighetero.plugin.interrupts import InFlight, Interrupts, tethered
from pytest_mighetero.plugin.outcome import excuse_of
from pytest_mighetero.plugin.presence import is_run
from pytest_mighetero.records.archive import Archive, ResultsFolder
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.environment import withheld
from pytest_mighetero.terms.printable import printable

if TYPE_CHECKING:
    from pytest_mighetero.plugin.console.display import Viewer
    from pytest_mighetero.plugin.tally import Tally
    from pytest_mighetero.run.backgrounds.keeper import Keeper
    from pytest_mighetero.run.outlook import Outlook
    from pytest_mighetero.terms.pair import Pair

_Phases = Generator[None, object, object]


class Session:
    """A plugin of a session in which options, or tests that ask for main, mean runs."""

    def __init__(self, config: pytest.Config, spec: RunSpec):
        self._config, self.spec = config, spec
        self.archive: Archive = ResultsFolder(
            spec.results_dir, spec.said_by["results-dir"]
        )
        self.keeper: Keeper | None = None  # once a test has run
        self.met_run_test = False  # whether a test was collected that asks for main
        self.bound: list[Pair] = []  # those that markers bind tests to
        self.tally: Tally | None = None  # of the interference matrix
        self.deselected = 0  # isolated runs
        self.saved: list[str] = []  # what became of references, in lines
        self._interrupts = Interrupts()
        self._reported: tuple[str, str | None] = "", None

    @cached_property
    def id(self) -> str:
        """What all records of one pytest run have in common, those of its workers."""
        worker = getattr(self._config, "workerinput", {})
        xdist = self._config.pluginmanager.getplugin("dsession")
        nodes = getattr(xdist, "nodemanager", None)
        common = worker.get("testrunuid") or getattr(nodes, "testrunuid", None)
        return str(common or uuid.uuid4().hex)

    @property
    def _runs_nothing(self) -> bool:
        return self.spec.dryrun or bool(self._config.getoption("collectonly"))

    @cached_property
    def viewer(self) -> Viewer:
        """Who shows what runs do."""
        from pytest_mighetero.plugin.console.view import View
        from pytest_mighetero.plugin.console.workers import relay_of

        return relay_of(self._config) or View(self._config, self.spec.heartbeat)

    @cached_property
    def outlook(self) -> Outlook:
        """What the runs of the session take."""
        from pytest_mighetero.run.outlook import Outlook

        return Outlook(self.spec)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Outlive what the session is watched through."""
        outlive(self._config)

    def pytest_report_header(self) -> list[str]:
        """Say what the runs use."""
        from pytest_mighetero.plugin.console.view import INSTALL, lacks_extra
        from pytest_mighetero.show.inventory import geometry

        spec = self.spec
        about = spec.suite.description
        suite = f"{spec.suite.name} ({about})" if about else spec.suite.name
        folders = dict.fromkeys(map(str, spec.harness_dirs.values()))
        made = f", harness folder {', '.join(folders)}" if folders else ""
        lines = [f"suite {suite}{made}"]
        lines += [geometry(spec), *spec.notes]
        if lacks_extra(self._config):
            lines.append(INSTALL)
        if names := withheld(os.environ, spec.suite.environment):
            lines.append(
                f"no harness gets your {', '.join(names)}, which can change what it "
                f"exits with; [harness.environment] of a suite file can set them"
            )
        return [printable(f"mighetero: {line}") for line in lines]

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> list[str]:
        """Say how isolated runs are run, or the nearest ids, where nothing is."""
        from pytest_mighetero.plugin.selection.suggestion import hints

        return [f"mighetero: {hint}" for hint in hints(self._config, self, items)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> _Phases:
        """Have every run stopped and reported, whatever ends the session."""
        with self.guarded():
            return (yield)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Meanwhile, keep the junit file true and report what is interrupted."""
        from pytest_mighetero.plugin.selection.pairs import possible_ids

        config, manager = self._config, self._config.pluginmanager
        config.add_cleanup(self._interrupts.restore)
        outlive(config)
        if (xml := config.stash.get(xml_key, None)) is not None:
            from pytest_mighetero.plugin.junit_file import JunitFile

            manager.register(JunitFile(config, xml), "mighetero-junit-file")
        if os.environ.get("GITHUB_ACTIONS") == "true" and not _is_worker(config):
            from pytest_mighetero.plugin.annotation import Annotation

            manager.register(Annotation(manager), "mighetero-annotation")
        in_flight = InFlight(config, possible_ids(config))
        if manager.hasplugin("dsession"):
            manager.register(in_flight, "mighetero-in-flight")
        if self.spec.aggressors and not (self._runs_nothing or _is_worker(config)):
            from pytest_mighetero.plugin.tally import Tally

            self.tally = Tally(config, self.spec, self.id)
            manager.register(self.tally, "mighetero-tally")
        self._interrupts.install()
        manager.register(self._interrupts, "mighetero-interrupts")
        try:
            with tethered(config, self._interrupts.interrupt):
                yield
        except KeyboardInterrupt as interrupt:
            in_flight.report_interrupted(str(interrupt) or "Ctrl-C")
            raise
        finally:
            self._interrupts.ignore()
            if self.tally is not None:
                self.tally.conclude()
            try:
                self._end_kept()  # by a test whose successor never came
            except HarnessError as error:
                text = self.spec.secrets.mask(str(error))
                pytest.exit(text, returncode=pytest.ExitCode.INTERNAL_ERROR)

    def _end_kept(self) -> None:
        if self.keeper is not None:
            self.keeper.end()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> _Phases:
        """Report an interrupted run while there still is a session."""
        if not is_run(item):
            return (yield)
        execution = execution_of(item)
        execution.following = nextitem
        try:
            return (yield)
        except (KeyboardInterrupt, pytest.exit.Exception) as interrupt:
            self._report_interrupted(item, str(interrupt) or "Ctrl-C")
            raise
        finally:
            execution.forget()

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: object) -> None:
        """Note the limit of an item, which is to be that of each execution."""
        if is_run(item):
            execution_of(item).limit = settings

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> _Phases:
        """Begin anew: a plugin may have executed the item before."""
        if not is_run(item):
            return (yield)
        begin(item)
        with told(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> _Phases:
        """Fail a test that swallows what main came to, or passes without measuring."""
        if not is_run(item):
            return (yield)
        with judged(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write the record before anybody hears of the phase; carry facts along."""
        report = yield
        if is_run(item):
            execution_of(item).add(report)
            report.mighetero_excuse = excuse_of(item)  # type: ignore[attr-defined]
            if report.when == "teardown":
                self._hand_out(item, report)
        return report

    def _hand_out(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Give other plugins' reports what is known at the end."""
        if self._config.getoption("htmlpath", None):
            from pytest_mighetero.plugin.html_row import attach_timeline

            attach_timeline(report, execution_of(item))
        if self._config.pluginmanager.hasplugin("allure_listener"):
            from pytest_mighetero.plugin.allure_case import describe

            describe(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which report was made public last."""
        self._reported = report.nodeid, report.when

    def _report_interrupted(self, item: pytest.Item, reason: str) -> None:
        """Stop the run and report it as an error; pytest would not mention it."""
        execution = execution_of(item)
        run = execution.run
        doing = "it was prepared" if run is None else run.display.doing
        execution.passed = False  # teardown has nothing left to judge
        text = f"Interrupted by {reason} while {doing}; every harness was stopped."
        try:
            try:
                if run is not None:
                    run.case.close()
            finally:
                self._end_kept()
        except HarnessError as error:
            masked = self.spec.secrets.mask(str(error))
            text = f"Interrupted by {reason} while {doing}. {masked}"
        except KeyboardInterrupt:
            text += " It was interrupted again meanwhile."
        self._interrupts.ignore()
        over = "teardown" in execution.made
        if over and self._reported == (item.nodeid, "teardown"):
            return
        if run is not None:
            item.add_report_section("teardown", "stdout", run.block)

        def fail() -> None:
            raise pytest.fail.Exception(text, pytrace=False) from None

        begun = bool(execution.made)
        # Of a worker that Slurm ends, its controller says it, and what Slurm says.
        worker = hasattr(self._config, "workerinput")
        lost = worker and self.spec.slurm is not None and reason == "SIGTERM"
        _report(item, "teardown" if begun else "setup", fail, publish=not lost)
        if not begun:
            _report(item, "teardown", lambda: None, publish=not lost)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Shorten what is said again, write references; not in an xdist worker."""
        if not _is_worker(self._config):
            from pytest_mighetero.plugin.console.sections import finish

            finish(session, self)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _report(
    item: pytest.Item, when: str, action: Callable[[], None], *, publish: bool
) -> None:
    call = pytest.CallInfo.from_call(action, when)  # type: ignore[arg-type]
    try:
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    except Exception:  # noqa: BLE001 - another plugin's, of a test that pytest let go of
        report = pytest.TestReport.from_item_and_call(item, call)
        execution_of(item).add(report)
    if not publish:
        return
    try:
        item.ihook.pytest_runtest_logreport(report=report)
    except OSError:
        return  # an xdist worker whose controller is gone
