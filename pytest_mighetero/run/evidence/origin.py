"""Whether the files of a result are its launch's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.result import Result
from pytest_mighetero.terms.clock import Clock

_LATE_S = 1.5  # file systems may keep whole seconds


def files_of(result: Result, launch: Launch) -> list[Path]:
    """Return the files that a result may have been read from."""
    return [result.folder / name for name in launch.reader.names]


def foreign(
    files: Iterable[Path], launch: Launch, harness: HarnessProcess, clock: Clock
) -> str | None:
    """Say why the files of a log are not this launch's own, or None.

    LOG_DIR was empty at the launch, so a file in it is new, unless it is a link to
    another place or was written before the output's file was made beside LOG_DIR: by
    the clock of their file system, whoever's that is.
    """
    own = _real(launch.folder) / launch.log_dir.name
    set_back = sum(-step.by_s for step in clock.steps if step.by_s < 0)
    for path in filter(os.path.lexists, files):
        if own not in (real := _real(path)).parents:
            return f"{path} is a link to {real}, outside its LOG_DIR"
        try:
            older = harness.made - path.stat().st_mtime
        except OSError:  # it is gone, or a link to nothing
            continue
        if older > _LATE_S + set_back:
            return f"{path} was written {older:.1f} s before the launch"
    return None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises where links go round
