"""How the text of a property is made of its value, and read as that again. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_mighetero.units import significant

Rule = Callable[[Any], str]
# A value as JSON has it.
Typed = str | float | bool | list[str] | dict[str, float]


@dataclass(frozen=True)
class Flag:
    """Something that is so or not."""

    yes: str = "true"
    no: str = "false"

    def __call__(self, value: bool) -> str:
        """Return its text."""
        return self.yes if value else self.no


def nearest(qps: float) -> str:
    """Return the text of a target; there is none at infinity."""
    return "none" if math.isinf(qps) else significant(qps, 10)


def whole(number: int | str) -> str:
    """Return the text of a count, or of what one said already."""
    return str(number)


def percentiles(ms: Mapping[float, float]) -> str:
    """Return ``99=3.2``, the ms of each percentile, in words."""
    return " ".join(f"{each:g}={significant(ms[each], 6)}" for each in ms)


FLAG, VERDICT = Flag(), Flag("VALID", "INVALID")
SECONDS = "{:.3f}".format
FIGURE, SHORT = partial(significant, digits=10), partial(significant, digits=6)
RATIO = "{:.4f}".format
COMMAS, LIST, SENTENCES, WORDS = ",".join, ", ".join, "; ".join, " ".join
_NUMBERS = (SECONDS, FIGURE, SHORT, RATIO, nearest)


def value_of(text: str, rule: Rule) -> Typed:
    """Return what *rule* has made *text* of.

    Raises:
        KeyError, ValueError: it has made no such text.
    """
    if rule == FLAG:
        return {FLAG.yes: True, FLAG.no: False}[text]
    if rule == whole:
        return int(text)
    if rule in _NUMBERS:
        if not math.isfinite(value := float(text)):
            raise ValueError(f"{text} is no figure")
        return value
    if rule == COMMAS:
        return text.split(",")
    if rule == percentiles:
        each = (part.partition("=") for part in text.split())
        return {rank: float(ms) for rank, _, ms in each}
    return text
