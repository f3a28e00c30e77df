"""What is to be seen while Slurm has no place yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mighetero.plugin.console.rows import Row
from pytest_mighetero.terms.printable import printable_line
from pytest_mighetero.units import format_duration


@dataclass(frozen=True)
class Waiting:
    """A wait for allocations.

    Attributes:
        said: how many there are, and what Slurm says of the others.
        seconds: since they were asked for.
    """

    said: str
    seconds: float

    def headline(self) -> str:
        """Return it for one line."""
        since = format_duration(int(self.seconds))
        return printable_line(f"slurm: {self.said} ({since})")

    def sentence(self) -> str:
        """Return it for a log."""
        return self.headline()

    def rows(self, most: int) -> Sequence[Row]:  # noqa: ARG002 - nothing runs yet
        """Return nothing: no harness is up."""
        return ()
