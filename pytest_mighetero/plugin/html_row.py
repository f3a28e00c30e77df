"""The timeline of a run in its row of pytest-html's report."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.records.record_file import read_record
from pytest_mighetero.records.run_names import RECORD
from pytest_mighetero.show.pictures.timeline import timeline

if TYPE_CHECKING:
    from pytest_mighetero.plugin.execution import Execution

_NAME = "timeline"


def attach_timeline(report: pytest.TestReport, execution: Execution) -> None:
    """Give *report* the timeline of its run, where pytest-html 4 looks for pictures.

    It takes base64 alone as a picture, and anything else as the address of one; it
    writes a file beside its page, or the picture into it.
    """
    folder = None if execution.run is None else execution.run.case.folder
    if folder is None:
        return
    _attach(report, folder)


def renew_timeline(report: pytest.TestReport, folder: Path) -> None:
    """Have *report* show what the record in *folder* says by now."""
    before = getattr(report, "extras", [])
    kept = [each for each in before if each.get("name") != _NAME]
    report.extras = kept  # type: ignore[attr-defined]
    _attach(report, folder)


def picture_of(folder: Path | None) -> str | None:
    """Return the timeline of the run in *folder* as SVG; None where there is none."""
    if folder is None:
        return None
    try:
        return timeline(read_record(folder / RECORD)).svg()
    except Exception:  # noqa: BLE001 - it is worth no run
        return None


def _attach(report: pytest.TestReport, folder: Path) -> None:
    if (picture := picture_of(folder)) is None:
        return
    from pytest_html import extras

    content = base64.b64encode(picture.encode()).decode()
    before = getattr(report, "extras", [])
    report.extras = [*before, extras.svg(content, _NAME)]  # type: ignore[attr-defined]
