"""GitHub's annotations of runs that fail before or after their test's own phase."""

from __future__ import annotations

from copy import copy

import pytest


class Annotation:
    """A plugin that has pytest-github-actions-annotate-failures see every failure.

    It annotates what fails in a test itself. A run whose backgrounds do not start, or
    end too early, fails in setup or teardown: that would be red without a word.
    """

    def __init__(self, manager: pytest.PytestPluginManager):
        self._manager = manager

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Show it the failure of another phase as one of the test."""
        other = self._manager.getplugin("annotate_errors")
        if other is None or not report.failed or not hasattr(report, "mighetero"):
            return
        if report.when in ("setup", "teardown"):
            shown = copy(report)
            shown.when = "call"
            other.pytest_runtest_logreport(shown)
