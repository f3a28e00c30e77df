"""Margins and the verdict, by windows written down."""

from __future__ import annotations

import pytest

from pytest_mighetero.run.evidence.overlap import OverlapReport, margin
from pytest_mighetero.terms.window import TimedWindow


def window(begin: float, end: float, source: str = "loadgen") -> TimedWindow:
    return TimedWindow(begin, end, source)


MAIN = window(100.0, 110.0)


@pytest.mark.parametrize(
    ("beside", "start", "end", "covered"),
    [
        (window(90, 120), 10, 10, 1.0),
        (window(100, 110), 0, 0, 1.0),
        (window(105, 120), -5, 10, 0.5),
        (window(90, 104), 10, -6, 0.4),
        (window(120, 130), -20, 20, 0.0),
    ],
)
def test_margin(beside: TimedWindow, start: float, end: float, covered: float) -> None:
    found = margin("bert_offline", MAIN, [beside])
    assert (found.start_s, found.end_s) == (start, end)
    assert found.covered == pytest.approx(covered)


@pytest.mark.parametrize(
    ("windows", "required", "late", "early"),
    [
        ([(90, 120), (95, 115)], 5, 0, 0),
        ([(90, 120), (95, 115)], 5.1, 0, 1),
        ([(90, 120), (101, 115)], 5, 1, 0),
        ([(90, 120), (101, 109)], 0, 1, 1),
    ],
)
def test_report(
    windows: list[tuple[float, float]], required: float, late: int, early: int
) -> None:
    margins = tuple(margin("x", MAIN, [window(*each)]) for each in windows)
    report = OverlapReport(margins, required)
    assert (len(report.late), len(report.early)) == (late, early)
    assert report.ok is (late + early == 0)
    assert report.start_margin_s == min(100 - begin for begin, _ in windows)
    assert report.end_margin_s == min(end - 110 for _, end in windows)


def test_one_marker_makes_the_verdict_one_by_markers() -> None:
    loadgen = margin("a", MAIN, [window(90, 120)])
    marker = margin("b", MAIN, [window(90, 120, "marker")])
    assert OverlapReport((loadgen,), 0).source == "loadgen"
    assert OverlapReport((loadgen, marker), 0).source == "marker"


def test_windows_of_several_tools_name_them_all() -> None:
    other = margin("b", MAIN, [window(90, 120, "perfbench")])
    assert OverlapReport((other,), 0).source == "loadgen, perfbench"
