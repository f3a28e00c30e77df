"""The plugin of a controller whose xdist workers are steps of Slurm jobs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.console.view import View
from pytest_mighetero.plugin.slurm import gateways, open_files, request
from pytest_mighetero.plugin.slurm.allocations import Slurm
from pytest_mighetero.plugin.slurm.answers import Job
from pytest_mighetero.plugin.slurm.first_step import check_places, complaint_of
from pytest_mighetero.plugin.slurm.unrun import Unrun
from pytest_mighetero.plugin.slurm.waiting import Waiting
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.printable import printable, printable_line

STARTS = 3  # of a worker whose job ends each time before
PATIENCE = 30.0  # seconds for a new allocation while other workers live


def check_workers(config: pytest.Config) -> None:
    """Refuse ``--mig-slurm`` where there are no plain workers to be started.

    Raises:
        pytest.UsageError: xdist or -n is missing, or --tx says what workers are.
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


class SlurmWorkers:
    """Has every worker start in an allocation, and tells what became of lost ones."""

    def __init__(self, config: pytest.Config, spec: RunSpec):
        assert spec.slurm is not None
        self._config, self._spec = config, spec
        self._slurm: Slurm | None = None
        self._jobs: dict[str, Job] = {}  # by the words of the workers in it
        self._instead: dict[str, str] = {}  # of the words whose job has ended
        self._at: dict[str, Job] = {}  # by the ids of the workers, on one node each
        self._lost: dict[object, tuple[Job, str]] = {}
        self._setup: dict[str, pytest.TestReport] = {}
        self._unrun = Unrun(config)
        config.pluginmanager.register(self._unrun, "mighetero-unrun")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse what cannot be, before any test starts."""
        if not self._config.option.collectonly:
            check_workers(self._config)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        """Give each worker its place; go on with fewer where Slurm has fewer."""
        self._config.add_cleanup(self._close)
        try:
            open_files.allow(len(specs))
            words = self._usable(self._places(len(specs)))
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
        del specs[len(words) :]
        self._config.option.tx = ["popen"] * len(words)  # how many xdist waits for
        for spec, each in zip(specs, words, strict=True):
            spec.python = each
        places = (f"{s.id} in {_named(self._jobs[s.python])}" for s in specs)
        self._say(f"workers {', '.join(places)}")
        # xdist, which it builds on, is there by now.
        from pytest_mighetero.plugin.slurm.dealer import Dealer

        dealer = Dealer(self._unrun.refuse)
        self._config.pluginmanager.register(dealer, "mighetero-dealer")
        group = self._config.pluginmanager.getplugin("dsession").nodemanager.group
        group.makegateway = partial(self._gateway, group.makegateway)

    def _places(self, count: int) -> list[str]:
        assert self._spec.slurm is not None
        outer = os.environ.get("SLURM_JOB_ID", "")
        if word := request.own(self._spec.slurm, outer):
            raise ConfigError(
                f"--mig-slurm: {word} is set for each worker, which has one "
                f"{'step' if outer else 'node'} of its own; leave it out, and say with "
                f"-n N how many there are"
            )
        self._slurm = slurm = Slurm(self._spec.slurm, outer)
        if outer:
            return self._steps(slurm, count)
        packed = self._spec.slurm_packed
        asked = -(-count // packed)
        got, why = self._allocate(asked, self._spec.slurm_timeout)
        if not got:
            raise ConfigError(
                f"--mig-slurm: Slurm gave no allocation for "
                f"{' '.join(self._spec.slurm)!r} "
                f"(--mig-slurm-timeout={self._spec.slurm_timeout:g}s): {why}"
            )
        if len(got) < asked:
            self._say(
                f"{len(got)} of {asked} allocations, and goes on with them: {why}"
            )
        return [w for job in got for w in [self._enter(job)] * packed][:count]

    def _usable(self, words: list[str]) -> list[str]:
        """Return those of the places that Slurm gives all at once."""
        assert self._slurm is not None
        slurm = self._slurm
        tried = words if slurm.outer else list(self._jobs)
        places = [(self._jobs[each], each) for each in tried]
        numbers = {job.number for job, _ in places}
        asks_nvml = self._spec.suite.kind.mig and not self._spec.devices
        mig = {each for each in numbers if asks_nvml and slurm.has_mig(each)}
        refused = check_places(places, self._spec.results_dir, slurm.name, mig)
        left = list(words)
        why = dict.fromkeys(f"{_named(job)}: {said}" for (job, _), said in refused)
        for (_, each), _ in refused:
            left = [w for w in left if w != each] if not slurm.outer else left[:-1]
        if not left:
            raise ConfigError(
                f"--mig-slurm: no place for a worker in {'; '.join(why)}; ask for "
                f"less, or end the steps that have it"
            )
        if refused:
            self._say(
                f"places for {len(left)} of {len(words)} workers, and goes on with "
                f"them; no more in {'; '.join(why)}"
            )
        return left

    def _steps(self, slurm: Slurm, count: int) -> list[str]:
        if self._spec.slurm_packed != 1:
            raise ConfigError(
                f"--mig-slurm-packed={self._spec.slurm_packed}: inside job "
                f"{slurm.outer} every worker is a step of it; leave it out"
            )
        job = slurm.job(slurm.outer)
        if not job.lives:
            raise ConfigError(
                f"--mig-slurm: SLURM_JOB_ID names job {slurm.outer}, which {job.fate}"
            )
        assert self._spec.slurm is not None
        words = request.step(slurm.outer, self._spec.slurm, sys.executable, slurm.name)
        self._jobs[words] = job
        return [words] * count

    def _allocate(self, count: int, timeout: float) -> tuple[list[Job], str]:
        assert self._slurm is not None
        view = View(self._config, self._spec.heartbeat)
        begin = time.monotonic()

        def tell(said: str) -> None:
            view.announce(f"slurm: {said}")
            view.show(Waiting(said, time.monotonic() - begin))

        try:
            return self._slurm.allocate(count, timeout, tell)
        finally:
            view.clear()

    def _enter(self, job: Job) -> str:
        assert self._slurm is not None
        words = request.worker(job.number, sys.executable, self._slurm.name)
        self._jobs[words] = job
        return words

    def _gateway(self, make: Callable[[Any], Any], spec: Any) -> Any:
        """Start a worker, elsewhere if its job ends before."""
        for _ in range(STARTS):
            job = self._jobs[spec.python]
            try:
                gateway, node = gateways.start(make, spec)
            except gateways.NotStartedError:
                lost = self._fate(job)
                if not lost:
                    break
                self._say(f"worker {spec.id} did not start in {_named(job)}: {lost}")
                spec.python = self._place_instead(spec.python, lost)
            else:
                self._at[spec.id] = replace(job, node=node or job.node)
                return gateway
        why = complaint_of(spec.python) or f"no answer in {gateways.START_S:g} s"
        raise self._given_up(f"worker {spec.id} does not start in {_named(job)}: {why}")

    def _fate(self, job: Job) -> str:
        """Say what has become of a job that does not live, else nothing."""
        assert self._slurm is not None
        now = self._slurm.job(job.number)
        return "" if now.lives else f"the job {now.fate}"

    def _given_up(self, why: str) -> BaseException:
        """Return what ends the session, and report the tests that it leaves."""
        if not self._unrun.collected:
            return pytest.UsageError(f"--mig-slurm: {why}")
        self._unrun.report(printable(why))
        return pytest.exit.Exception(why, returncode=1)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Find out why a worker is lost, and where the one in its place can start."""
        spec = node.gateway.spec
        if not error or self._slurm is None or spec.python not in self._jobs:
            return
        job = self._at.get(spec.id, self._jobs[spec.python])
        fate = self._fate(job)
        lost = fate or "its step ended, the job goes on"
        self._lost[node] = job, lost
        self._say(f"worker {spec.id} in {_named(job)} is lost: {lost}")
        if fate:
            spec.python = self._place_instead(spec.python, lost)

    def _place_instead(self, words: str, lost: str) -> str:
        """Return a place for a worker instead of that of *words*, whose job ended."""
        assert self._slurm is not None
        lives = self._slurm.living(job.number for job in self._jobs.values())
        kept = (w for w in self._jobs if w not in self._instead)
        living = [w for w in kept if self._jobs[w].number in lives]
        if (instead := self._instead.get(words)) in living:
            return instead  # of another worker that was in it
        job = self._jobs[words]
        limit = min(self._spec.slurm_timeout, PATIENCE) if living else None
        got: list[Job] = []
        why = "the job is not this session's to ask for again"
        if not self._slurm.outer:
            got, why = self._allocate(1, limit or self._spec.slurm_timeout)
        if got:
            self._instead[words] = self._enter(got[0])
            return self._instead[words]
        if living:  # leases keep the two from each other's GPU
            self._say(f"no allocation instead ({why}): its worker joins another's")
            return living[0]
        end = f"{_named(job)}: {lost}, and there is no other place: {why}"
        raise self._given_up(end)

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
        job, lost = self._lost.get(getattr(report, "node", None), (None, ""))
        if job is None:
            return
        report.longrepr = printable(f"Lost with its worker in {_named(job)}: {lost}.")
        known = self._setup.get(report.nodeid)
        facts: dict[str, object] = {"node": job.node, "slurm_job": job.number}
        facts |= dict(known.user_properties if known else ())
        report.user_properties = list(facts.items())
        xml = self._config.stash.get(xml_key, None)
        if xml is not None and self._config.getini("mig_junit_properties"):
            testcase = xml.node_reporter(report)  # it takes those of teardown alone
            for name, value in facts.items():
                testcase.add_property(name, value)

    def _say(self, text: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(printable_line(f"mighetero: slurm: {text}"), flush=True)

    def _close(self) -> None:
        if self._slurm is not None:
            self._slurm.close()


def _named(job: Job) -> str:
    return f"job {job.number} on {job.node}"
