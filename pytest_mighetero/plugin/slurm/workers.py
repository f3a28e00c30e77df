"""The plugin of a controller whose xdist workers are steps of Slurm jobs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.presence import runs_tests
from pytest_mighetero.plugin.slurm import gateways, loopback, open_files
from pytest_mighetero.plugin.slurm.answers import Job
from pytest_mighetero.plugin.slurm.first_step import complaint_of
from pytest_mighetero.plugin.slurm.places import NoPlaceError, Places
from pytest_mighetero.plugin.slurm.unrun import Unrun
from pytest_mighetero.spec.given import publishes_facts
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.printable import printable, printable_line

STARTS = 3  # of a worker that does not start, each in a place of its own


def check_workers(config: pytest.Config) -> None:
    """Refuse ``--mig-slurm`` where there are no plain workers to be started.

    Raises:
        pytest.UsageError: xdist or -n is missing, or --tx says what workers are, or
            --dist that each runs all tests.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        raise pytest.UsageError(
            "--mig-slurm: workers are pytest-xdist's; install that, and say -n N"
        )
    if config.known_args_namespace.tx:
        raise pytest.UsageError(
            "--mig-slurm: says what workers are, as --tx does; leave out --tx, and say "
            "-n N"
        )
    if not config.option.numprocesses:
        raise pytest.UsageError(
            "--mig-slurm: say how many workers there are to be, -n N"
        )
    if config.option.dist == "each":
        raise pytest.UsageError(
            "--mig-slurm: spreads tests, each of which runs once; leave out --dist=each"
        )


class SlurmWorkers:
    """Has every worker start in an allocation, and tells what became of lost ones."""

    def __init__(self, config: pytest.Config, spec: RunSpec):
        assert spec.slurm is not None
        self._config, self._spec = config, spec
        self._places: Places | None = None
        self._at: dict[str, Job] = {}  # by the ids of the workers, on one node each
        self._lost: dict[object, tuple[Job, Job]] = {}  # where, and as it is now
        self._setup: dict[str, pytest.TestReport] = {}
        self._unrun = Unrun(config)
        config.pluginmanager.register(self._unrun, "mighetero-unrun")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse what cannot be, before any test starts."""
        if runs_tests(self._config):
            check_workers(self._config)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        """Give each worker its place; go on with fewer where Slurm has fewer."""
        self._config.add_cleanup(self._close)
        try:
            open_files.allow(len(specs), loopback.files(self._config))
            outer = os.environ.get("SLURM_JOB_ID", "")
            self._places = Places(self._config, self._spec, outer, self._say)
            words = self._places.first(len(specs))
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
        del specs[len(words) :]
        self._config.option.tx = ["popen"] * len(words)  # how many xdist waits for
        for spec, each in zip(specs, words, strict=True):
            spec.python = each
        seats = (f"{s.id} in {self._places.job(s.python)}" for s in specs)
        self._say(f"workers {', '.join(seats)}")
        # xdist, which it builds on, is there by now.
        from pytest_mighetero.plugin.slurm.dealer import Dealer

        dealer = Dealer(self._unrun.refuse, self._differ)
        self._config.pluginmanager.register(dealer, "mighetero-dealer")
        self._config.pluginmanager.register(loopback.Loopback(), "mighetero-loopback")
        session = self._config.pluginmanager.getplugin("dsession")
        group = session.nodemanager.group
        group.makegateway = partial(self._gateway, group.makegateway)
        clone = session._clone_node  # noqa: SLF001 - no hook can keep it from that
        session._clone_node = partial(self._replace, session, clone)  # noqa: SLF001

    def _gateway(self, make: Callable[[Any], Any], spec: Any) -> Any:
        """Start a worker, elsewhere if it does not start in its place."""
        places = self._places
        assert places is not None
        for left in reversed(range(STARTS)):
            job = places.job(spec.python)
            try:
                gateway, node = gateways.start(make, spec)
            except gateways.NotStartedError:
                now = places.slurm.job(job.number)
                why = complaint_of(spec.python) if now.lives else now.fate
                why = why or f"no answer in {gateways.START_S:g} s"
                if not left or (places.slurm.outer and now.lives):
                    break
                self._say(f"worker {spec.id} did not start in {job}: {why}")
                self._move(spec, why)
            else:
                self._at[spec.id] = replace(job, node=node or job.node)
                return gateway
        raise self._given_up(f"worker {spec.id} does not start in {job}: {why}")

    def _move(self, spec: Any, why: str) -> None:
        """Have a worker's next start be in another place."""
        assert self._places is not None
        try:
            spec.python = self._places.instead(spec.python, why)
        except NoPlaceError as error:
            raise self._given_up(str(error)) from error

    def _given_up(self, why: str) -> BaseException:
        """Return what ends the session, and report the tests that it leaves."""
        if not self._unrun.collected:
            return pytest.UsageError(f"--mig-slurm: {why}")
        self._unrun.report(printable(why))
        return pytest.exit.Exception(why, returncode=1)

    def _replace(self, session: Any, clone: Callable[[Any], object], node: Any) -> None:
        """Have a worker start in place of a lost one, if there is a test for it."""
        sched, why = session.sched, session.shouldstop
        if sched.collection is not None and not sched.pending:
            why = why or "no test is left for one"
        if why:
            self._say(f"no worker instead of {node.gateway.id}: {why}")
            return
        if node in self._lost and not (now := self._lost[node][1]).lives:
            self._move(node.gateway.spec, now.fate)
        clone(node)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Find out why a worker is lost."""
        spec = node.gateway.spec
        if not error or self._places is None or spec.python not in self._places:
            return
        job = self._at.get(spec.id, self._places.job(spec.python))
        now = self._places.slurm.job(job.number)
        self._lost[node] = job, now
        fate = _fate(now)
        self._unrun.lost[spec.id] = f"in {job}: {fate}"
        self._say(f"worker {spec.id} in {job} is lost: {fate}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what was known of a test before its worker was lost."""
        if report.when == "setup":
            self._setup[report.nodeid] = report
        elif report.when == "teardown":
            self._setup.pop(report.nodeid, None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        """Say where the worker was, and what Slurm says of it."""
        where = self._lost.get(getattr(report, "node", None))
        if where is None:
            return
        job, now = where
        report.longrepr = printable(f"Lost with its worker in {job}: {_fate(now)}.")
        known = self._setup.get(report.nodeid)
        facts: dict[str, object] = {"node": job.node, "slurm_job": job.number}
        facts |= dict(known.user_properties if known else ())
        report.user_properties = list(facts.items())
        xml = self._config.stash.get(xml_key, None)
        if xml is not None and publishes_facts(self._config):
            testcase = xml.node_reporter(report)  # it takes those of teardown alone
            for name, value in facts.items():
                testcase.add_property(name, value)

    def _say(self, text: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(printable_line(f"mighetero: slurm: {text}"), flush=True)

    def _differ(self, text: str) -> None:
        self._say(text)
        self._unrun.differ = printable_line(text)

    def _close(self) -> None:
        if self._places is not None:
            self._places.slurm.close()


def _fate(job: Job) -> str:
    """Return what became of a worker in a job that is as it is now."""
    return f"its step ended, {job.fate}" if job.lives else job.fate
