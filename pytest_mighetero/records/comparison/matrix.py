"""The interference matrix: what each aggressor costs each victim. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One victim beside one aggressor.

    Attributes:
        victim, aggressor: pairs, such as ``dlrm_server``.
        count: of the devices that the aggressor loaded; None where nothing was run.
        alone, beside: the victim's figure by itself, and here; medians of repeats.
        unit: of both.
        slowdown: how many times worse than alone, whichever way the figure counts: 1.0
            is as good, 1.1 is 10 % slower; None where either figure is missing.
        noise: whether the difference is within what repeats differ by; None where that
            is not known.
        failed: whether it is slower than the session lets it be.
        problem: why there is no figure, in a sentence; or "".
    """

    victim: str
    aggressor: str
    count: int | None = None
    alone: float | None = None
    beside: float | None = None
    unit: str = ""
    slowdown: float | None = None
    noise: bool | None = None
    failed: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Matrix:
    """Every cell of a session, or of a results folder.

    Attributes:
        about: what was the same for all: GPU, geometry, profile, driver, suite.
        victims, aggressors: the order of rows and columns.
        limit: the slow-down that cells fail beyond, 1.1 for 10 %; None for none.
    """

    about: Mapping[str, str]
    victims: tuple[str, ...]
    aggressors: tuple[str, ...]
    cells: tuple[Cell, ...]
    limit: float | None = None

    def cell(self, victim: str, aggressor: str) -> Cell:
        """Return the cell of a row and a column; one without figures if none is."""
        for each in self.cells:
            if (each.victim, each.aggressor) == (victim, aggressor):
                return each
        return Cell(victim, aggressor, problem="it was not run")
