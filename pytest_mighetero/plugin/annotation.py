"""GitHub's annotations of runs that fail before or after their test's own phase."""

from __future__ import annotations

from copy import copy

import pytest

# On a report that the controller makes of a run, for no worker does.
MADE_HERE = "mighetero_made_here"


class Annotation:
    """A plugin that has pytest-github-actions-annotate-failures see every failure.

    It annotates what fails in a test itself. A run whose backgrounds do not start, or
    end too early, fails in setup or teardown, and one whose worker is lost in none of
    them: that would be red without a word.
    """

    def __init__(self, manager: pytest.PytestPluginManager):
        self._manager = manager
        self._runs: set[str] = set()  # by their ids, as far as they have been heard of

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Show it the failure of another phase as one of the test."""
        if hasattr(report, "mighetero") or hasattr(report, MADE_HERE):
            self._runs.add(report.nodeid)
        other = self._manager.getplugin("annotate_errors")
        if other is None or not report.failed or report.nodeid not in self._runs:
            return
        if report.when != "call":  # of a lost worker's test it is "???"
            shown = copy(report)
            shown.when = "call"
            other.pytest_runtest_logreport(shown)
