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
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
