"""The timeline of a run in its row of pytest-html's report."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.records.run_names import RECORD
from pytest_mighetero.show.pictures.timeline import timeline

if TYPE_CHECKING:
    from pytest_mighetero.plugin.execution import Execution


def attach_timeline(report: pytest.TestReport, execution: Execution) -> None:
    """Give *report* the timeline of its run, where pytest-html 4 looks for pictures.

    It takes base64 alone as a picture, and anything else as the address of one; it
    writes a file beside its page, or the picture into it.
    """
    folder = None if execution.run is None else execution.run.case.folder
    if folder is None:
        return
    try:
        picture = timeline(read_record(folder / RECORD)).svg()
    except (FileNotFoundError, RecordError):  # its test has failed for that
        return
    from pytest_html import extras

    content = base64.b64encode(picture.encode()).decode()
    before = getattr(report, "extras", [])
    report.extras = [*before, extras.svg(content, "timeline")]  # type: ignore[attr-defined]
