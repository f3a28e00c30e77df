"""What a run came to in columns of pytest-html's table."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest

from pytest_mighetero.records.facts import Facts
from pytest_mighetero.show.report import cell
from pytest_mighetero.terms.printable import printable_line

# pytest-html sorts by text alone, so a number's column has no order to offer.
_HEADINGS = {"value": False, "p99": False, "valid": True, "margin s": False}
_P99 = {"p99_ms": "", "ttft_p99_ms": "TTFT ", "tpot_p99_ms": "TPOT "}


class HtmlColumns:
    """A plugin that adds columns: the figure, p99, validity, by what it was covered."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, float], Facts] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add the headings, before that of the links."""
        cells[-1:-1] = [
            f'<th class="sortable" data-column-type="{name}">{name}</th>'
            if sortable
            else f"<th>{name}</th>"
            for name, sortable in _HEADINGS.items()
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what is known: pytest-html makes all rows of a test at its end."""
        if facts := getattr(report, "mighetero", None):
            self._facts[_execution(report)] = facts

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(
        self, report: pytest.TestReport, cells: list[str]
    ) -> None:
        """Add the cells; empty ones for what is no run."""
        if not cells:  # another plugin leaves the row out
            return
        facts = self._facts.get(_execution(report), {})
        cells[-1:-1] = [
            f'<td class="col-{name.split()[0]}">{escape(printable_line(text))}</td>'
            for name, text in zip(_HEADINGS, _texts(facts), strict=True)
        ]


def _execution(report: Any) -> tuple[str, float]:
    """Return whose report it is: reruns of a test have rows of their own."""
    return report.nodeid, getattr(report, "mighetero_began", 0.0)


def _texts(facts: Facts) -> tuple[str, str, str, str]:
    value = (
        f"{cell(facts, 'value')} {facts.get('unit', '')}" if "value" in facts else ""
    )
    latencies = [
        f"{said}{cell(facts, name)} ms" for name, said in _P99.items() if name in facts
    ]
    valid = cell(facts, "validity") if "validity" in facts else ""
    margin = cell(facts, "end_margin_s") if "end_margin_s" in facts else ""
    return value, ", ".join(latencies), valid, margin
