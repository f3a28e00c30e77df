"""A time that a run waits on purpose: backgrounds settle, or outlast main."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Pause:
    """A wait, by ``time.monotonic()``; ``end`` is None until it is over.

    Attributes:
        asked_s: the seconds that it was asked to take, at least.
    """

    asked_s: float
    begin: float
    end: float | None = None
