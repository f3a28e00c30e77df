"""Durations and figures as people write them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from pytest_mighetero.errors import ConfigError

_SECONDS = {"": 0.001, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min|h|)\s*", re.ASCII)


def parse_duration(text: str) -> float:
    """Return the seconds that *text* stands for.

    A bare number is milliseconds, as in the reference script; ``500ms``, ``90s``,
    ``10min`` and ``2h`` say their unit.

    Raises:
        ConfigError: *text* is no such duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"expected a duration like 90s, 10min, 2h or 600000 (milliseconds), "
            f"found {text!r}"
        )
    return float(match[1]) * _SECONDS[match[2]]


def in_milliseconds(text: str) -> bool:
    """Tell whether *text* is a bare number that means less than a second, and not 0."""
    match = _DURATION.fullmatch(text)
    return match is not None and not match[2] and 0 < float(match[1]) < 1000


def format_duration(seconds: float) -> str:
    """Write *seconds* the way an option takes it, exact to the millisecond."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size and math.isclose(seconds / size, round(seconds / size)):
            return f"{round(seconds / size)}{unit}"
    return f"{round(seconds, 3):.10g}s"


def significant(value: float, digits: int) -> str:
    """Write *value* in so many significant digits: 306200 and not 3.062e+05."""
    return format(Decimal(f"{value:.{digits}g}"), "f")


def shortened(text: str, most: int) -> str:
    """Return *text*, or as much of its beginning as has *most* letters with a mark."""
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"
