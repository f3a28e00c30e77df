"""When a gate lets a median pass that is beyond its limit: by noise alone. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import combinations

from pytest_mighetero.records.comparison.samples import Comparison

FEWEST = 3  # runs on a side whose median one outlier does not move
_ONE_SIDED = 1.645  # standard errors: 5 % of a normal distribution are beyond
# The standard deviation by the median absolute deviation, and the standard error of a
# median by that times the root of the runs, both of a normal distribution.
_DEVIATION, _MEDIAN = 1.4826, 1.2533


def is_excused(compared: Comparison, limit: float) -> bool:
    """Tell whether noise alone may have put a slow-down beyond *limit*.

    The spreads overlap, whichever one run is left out, and the excess is within the
    error of both medians, which is itself less than what the limit allows: a gate that
    cannot see as much as it is to find excuses nothing. The error is made of median
    absolute deviations, which one outlier on either side does not move.
    """
    sides = compared.base.values, compared.other.values
    if min(map(len, sides)) < FEWEST or not _overlap_without_any(*sides):
        return False
    error = _ONE_SIDED * math.hypot(*map(_error, sides))
    return compared.slowdown / limit - 1 <= error <= limit - 1


def _overlap_without_any(one: Sequence[float], two: Sequence[float]) -> bool:
    """Tell whether two spreads overlap, whichever of their runs is left out."""
    return all(
        max(min(left), min(right)) <= min(max(left), max(right))
        for left, right in [
            *((each, two) for each in combinations(one, len(one) - 1)),
            *((one, each) for each in combinations(two, len(two) - 1)),
        ]
    )


def _error(values: Sequence[float]) -> float:
    """Return the standard error of a median, as a share of it."""
    median = statistics.median(values)
    deviation = statistics.median(abs(each - median) for each in values)
    return _MEDIAN * _DEVIATION * deviation / median / math.sqrt(len(values))
