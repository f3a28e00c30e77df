"""The timed window of a workload: when it answered queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MARKER = "marker"
PROCESS = "process"


@dataclass(frozen=True)
class TimedWindow:
    """The span in which a harness answered queries.

    Attributes:
        begin: seconds at which the first query was issued: by the stamps of a log, or
            by the run's own clock (``clock.Clock``).
        end: seconds of the last response.
        source: the name of the reader of the log that both ends come from; or
            ``marker`` when at least one was taken from what the harness printed,
            ``process`` when from when its process began and ended.
        clock: what the seconds are of: POSIX, or this host's ``time.monotonic()``.
    """

    begin: float
    end: float
    source: str
    clock: Literal["wall", "monotonic"] = "wall"

    @property
    def seconds(self) -> float:
        """Length of the window in seconds."""
        return self.end - self.begin
