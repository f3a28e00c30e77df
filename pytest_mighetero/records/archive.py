"""Where the runs of a session are kept, and the earlier ones are looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pytest_mighetero.records.run_names import make_folder


class Archive(Protocol):
    """Makes the folders of runs; has those of earlier ones be up to date."""

    def make(self, name: str) -> Path:
        """Make a new folder for one run.

        Raises:
            HarnessError: it cannot be made.
        """
        ...

    def refresh(self, pair: str) -> None:
        """Have every record of *pair* where earlier runs are looked for.

        Raises:
            HarnessError: they cannot be had.
        """
        ...


class ResultsFolder:
    """The one of this machine: it has the earlier runs, too."""

    def __init__(self, results: Path, said_by: str):
        self._results, self._said_by = results, said_by

    def make(self, name: str) -> Path:
        """Make a new folder in it; see ``make_folder``."""
        return make_folder(self._results, name, self._said_by)

    def refresh(self, pair: str) -> None:
        """Do nothing: they are there."""
