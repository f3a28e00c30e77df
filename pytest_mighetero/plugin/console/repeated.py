"""One error of many tests, shown once: a machine without NVML fails every run alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest


def shorten(stats: Mapping[str, Sequence[object]]) -> None:
    """Have the terminal show an error of several runs once.

    Args:
        stats: the terminal reporter's. junit has each run's whole text by then.
    """
    first: dict[str, str] = {}
    for report in stats.get("error", ()):
        if not isinstance(report, pytest.TestReport) or not hasattr(
            report, "mighetero"
        ):
            continue
        before = first.setdefault(str(report.longrepr), report.nodeid)
        if before != report.nodeid:
            report.longrepr = f"As for {before}."
