"""The timed window of a workload: when it answered queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["loadgen", "marker"]


@dataclass(frozen=True)
class TimedWindow:
    """The span in which a harness answered LoadGen's queries.

    Attributes:
        begin: POSIX time in seconds (UTC) at which the first query was issued: by the
            stamps of a log, or by the run's own clock (``clock.Clock``).
        end: POSIX time in seconds of the last response.
        source: ``loadgen`` when both ends come from LoadGen's own log, ``marker``
            when at least one was taken from what the harness printed.
    """

    begin: float
    end: float
    source: Source = "loadgen"

    @property
    def seconds(self) -> float:
        """Length of the window in seconds."""
        return self.end - self.begin
