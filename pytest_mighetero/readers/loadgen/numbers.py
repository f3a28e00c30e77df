"""What logs say by their keys, and the numbers in it: of any size and spelling."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

Values = Mapping[str, object]

# LoadGen v2.0 logs some counts as text.
_WRITTEN = re.compile(
    r"\s*[-+]?\d{1,300}(?:\.\d{1,300})?(?:[eE][-+]?\d{1,3})?\s*", re.ASCII
)


def finite(value: object) -> float | None:
    """Return *value* where it is a finite number, or the text of one; else None.

    ``true`` and ``false`` are no numbers, nor is what a float cannot hold.
    """
    if isinstance(value, str) and _WRITTEN.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def number(values: Values, *keys: str) -> float | None:
    """Return the first of the keys' values that is a finite number."""
    numbers = (finite(values.get(key)) for key in keys)
    return next((each for each in numbers if each is not None), None)


def text(values: Values, *keys: str) -> str | None:
    """Return the first of the keys' values that is a text other than the empty one."""
    texts = (values.get(key) for key in keys)
    return next((t.strip() for t in texts if isinstance(t, str) and t.strip()), None)
