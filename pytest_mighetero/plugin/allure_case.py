"""A run in Allure's report: labels to filter by, parameters to read, its timeline."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_mighetero.plugin.execution import execution_of
from pytest_mighetero.plugin.html_row import picture_of
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.terms.printable import printable_line

_LABELS = ("benchmark", "scenario")
_PARAMETERS = (*_LABELS, "run", "backgrounds")


def describe(item: pytest.Item) -> None:
    """Tell Allure of the run of the present test, of whose teardown it has not heard.

    Its own parameter of such a test would be the ``repr`` of ours. Parameters that
    change from run to run are excluded: the history of a test goes on.
    """
    import allure

    dynamic: Any = allure.dynamic  # its types are partial
    dynamic.parameter("main", item.callspec.id)  # type: ignore[attr-defined]
    execution = execution_of(item)
    if execution.run is None:
        return
    case = execution.run.case
    facts = case.ledger.facts
    device = _device(facts)
    for name in _LABELS:
        if name in facts:
            dynamic.label(name, printable_line(facts[name]))
    for name in _PARAMETERS:
        if name in facts:
            dynamic.parameter(name, printable_line(facts[name]), excluded=True)
    if device:
        dynamic.label("device", device)
        dynamic.parameter("device", device, excluded=True)
    if (drawn := picture_of(case.folder)) is not None:
        allure.attach(drawn, "timeline", allure.attachment_type.SVG)


def _device(facts: Facts) -> str:
    names = (facts.get(name, "") for name in ("device_uuid", "device_profile"))
    return printable_line(" ".join(filter(None, names)))
