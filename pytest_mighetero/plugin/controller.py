"""The controller of xdist workers: what it says of runs that an interrupt cut off."""

from __future__ import annotations

import pytest

Location = tuple[str, "int | None", str]


class InFlight:
    """Follows the runs that workers have begun; a plugin of the controller.

    A worker that is interrupted with its controller cannot report any more, and a
    junit file without the test would look as if nobody had asked for it.
    """

    def __init__(self, config: pytest.Config, names: frozenset[str]):
        self._config, self._names = config, names
        self._begun: dict[str, Location] = {}
        self._setup: dict[str, pytest.TestReport] = {}

    def pytest_runtest_logstart(self, nodeid: str, location: Location) -> None:
        """Remember a run by its id."""
        # Beside the parameters of others: pytest-repeat's, those of a test's own.
        said = f"-{nodeid.partition('[')[2].removesuffix(']')}-"
        if any(f"-{name}-" in said for name in self._names):
            self._begun[nodeid] = location
            self._setup.pop(nodeid, None)  # of an earlier execution

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what is known after setup; forget a run that has ended or crashed."""
        if report.when == "setup":
            self._setup[report.nodeid] = report
        elif report.when != "call":
            self._begun.pop(report.nodeid, None)

    def report_interrupted(self, reason: str) -> None:
        """Report every run in flight as an error."""
        for nodeid, location in list(self._begun.items()):
            known = self._setup.get(nodeid)
            report = pytest.TestReport(
                nodeid,
                location,
                keywords={},
                outcome="failed",
                longrepr=f"Interrupted by {reason} in an xdist worker, which stops "
                f"every harness; the record below --results-dir has what was known.",
                when="teardown" if known else "setup",
                user_properties=known.user_properties if known else (),
            )
            if known and hasattr(known, "node"):
                report.node = known.node  # type: ignore[attr-defined]
            self._config.hook.pytest_runtest_logreport(report=report)
