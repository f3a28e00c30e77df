"""The tests that no worker ran: a junit file without them would look complete."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import pytest

from pytest_mighetero.plugin.annotation import MADE_HERE

NO_WORKER = "there was no worker left for it, see --max-worker-restart"
UNFIT = "the workers that were left could not run it"
OUTCOMES = {"passed", "failed", "skipped"}  # others say that it is run again


class Unrun:
    """Follows which of the collected tests are reported; a plugin of the controller.

    Attributes:
        collected: whether it is known yet which tests there are.
        differ: what is said of workers that have found different tests, if any have.
        lost: what became of workers that are lost, by their ids.
    """

    def __init__(self, config: pytest.Config):
        self._config = config
        self._left: dict[str, None] = {}
        self._setup: dict[str, pytest.TestReport] = {}
        self.collected = False
        self.differ = ""
        self.lost: dict[str, str] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note every test, once."""
        if not self.collected:
            self._left, self.collected = dict.fromkeys(ids), True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Forget a test that has ended, or whose worker is lost."""
        if report.when == "setup":
            self._setup[report.nodeid] = report
        elif report.when != "call" and report.outcome in OUTCOMES:
            self._left.pop(report.nodeid, None)

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        """Count a lost test as a failure, unless a plugin has it run again."""
        if report.failed:
            self._count()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Report what is left where xdist ends for want of workers, without a word."""
        why = NO_WORKER
        try:
            result = yield
        except RuntimeError as error:  # the last one ended, and others were expected
            if "no active workers" not in str(error) or not self._left:
                raise
            result, why = True, self.differ or UNFIT
        self.report(why)
        if not self.collected:
            self._report_lost()
        return result

    def _report_lost(self) -> None:
        """Report workers of which none has told which tests there are."""
        for worker, why in self.lost.items():
            text = f"Lost before it had told which tests there are: {why}."
            report = pytest.CollectReport(worker, "failed", text, [])
            self._config.hook.pytest_collectreport(report=report)

    def refuse(self, nodeid: str, why: str, asked: bool) -> None:
        """Report a test that can run nowhere; one nobody *asked* for is skipped."""
        path = nodeid.partition("::")[0]
        report = pytest.TestReport(
            nodeid,
            (path, None, nodeid),
            keywords={},
            outcome="failed" if asked else "skipped",
            longrepr=why if asked else (path, 0, why),
            when="setup",
        )
        setattr(report, MADE_HERE, True)
        self._config.hook.pytest_runtest_logreport(report=report)
        self._left.pop(nodeid, None)
        if asked:
            self._count()

    def _count(self) -> None:
        """Have ``--maxfail`` count a failure that no worker has reported."""
        session = self._config.pluginmanager.getplugin("dsession")
        session.countfailures += 1
        failed, most = session.countfailures, session.maxfail
        if most and failed >= most and not session.shouldstop:
            session.shouldstop = f"stopping after {failed} failures"

    def report(self, why: str) -> None:
        """Report what is left as errors."""
        for nodeid in list(self._left):
            path, known = nodeid.partition("::")[0], self._setup.get(nodeid)
            report = pytest.TestReport(
                nodeid,
                (path, None, nodeid),
                keywords={},
                outcome="failed",
                longrepr=f"Not run, or not to its end: {why}.",
                when="teardown" if known else "setup",
                user_properties=known.user_properties if known else (),
            )
            setattr(report, MADE_HERE, True)
            if known and hasattr(known, "node"):  # the same testcase
                report.node = known.node  # type: ignore[attr-defined]
            self._config.hook.pytest_runtest_logreport(report=report)
