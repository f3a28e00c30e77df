"""Figures, how they are shown, and the goals they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure of one way.

    Attributes:
        measurement: what was measured, for instance ``lag``.
        case: under which circumstances.
        way: who.
        value: the figure, a median where there were several rounds.
        unit: its unit.
        note: what else there is to say.
        measured: False for what was computed instead.
        raw: what it was made of.
    """

    measurement: str
    case: str
    way: str
    value: float
    unit: str
    note: str = ""
    measured: bool = True
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """What the plugin promises: a figure of its own below a limit."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the figure is below the limit."""
        return self.value < self.limit

    def __str__(self) -> str:
        verdict = "pass" if self.met else "MISS"
        measured = f"{_number(self.value):>8} {self.unit}"
        return f"{verdict}  {self.name:<48}{measured:<14} < {self.limit:g} {self.unit}"


def table(title: str, figures: Sequence[Figure]) -> str:
    """Return one measurement as lines: way, figure, ratio to ours, by case."""
    ratios = [_ratio(each, figures) for each in figures]
    ours = f"{'x ours':>15}" if any(ratios) else ""
    lines = [f"\n{title}", f"{'':<33}{'':<26}{'figure':>8}{ours}"]
    case = None
    for each, ratio in zip(figures, ratios, strict=True):
        name = each.case if each.case != case else ""
        case = each.case
        about = "" if each.measured else "~"
        value = f"{about}{_number(each.value)}"
        rest = f"{each.unit:<5}{ratio:>9}  {each.note}"
        lines.append(f"{name:<33}{each.way:<26}{value:>8} {rest}")
    return "\n".join(line.rstrip() for line in lines)


def _ratio(figure: Figure, figures: Iterable[Figure]) -> str:
    for each in figures:
        if each.case == figure.case and each.way == "ours" and each.value > 0:
            return _number(figure.value / each.value)
    return ""


def _number(value: float) -> str:
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{digits}f}"
