"""The picture of a run beside its record, once that is complete."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.records.run_names import RECORD, TIMELINE

if TYPE_CHECKING:
    from pytest_mighetero.plugin.handle import Run


def draw_timeline(run: Run, report: pytest.TestReport) -> None:
    """Draw the timeline of a run, from its record, which has no secrets any more.

    It is worth no run: where it cannot be drawn or written that is only said.
    """
    if (folder := run.case.folder) is not None and (said := redraw(folder)):
        try:
            run.warn(said)
        except Warning:  # the session takes warnings for errors
            report.sections.append(("mighetero", run.spec.secrets.mask(said)))


def redraw(folder: Path) -> str:
    """Draw the timeline of the run in *folder*; say why, where that is in vain.

    One that says something else than the record is not left there.
    """
    from pytest_mighetero.records.record_file import read_record
    from pytest_mighetero.show.pictures.svg import write_svg
    from pytest_mighetero.show.pictures.timeline import timeline

    path = folder / TIMELINE
    try:
        write_svg(path, timeline(read_record(folder / RECORD)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the run is measured
        with suppress(OSError):
            path.unlink()
        why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        return f"the timeline of the run, {path}, could not be drawn: {why}"
    return ""
