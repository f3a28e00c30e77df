"""What a main did less than its command was asked for. Pure."""

from __future__ import annotations

import math

from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.reader import Asked
from pytest_mighetero.readers.result import Result
from pytest_mighetero.units import significant

# A tool may count whole seconds alone, and its last request may come before the end.
_SLACK_S = 1.0
_SHARE = 0.95
# Of so many requests the first and the last may be late, as they come at random.
_AT_RANDOM = 5.0


def shortfalls(launch: Launch, result: Result, window_s: float) -> list[str]:
    """Say how much shorter main was than its command said, or nothing.

    A tool that takes both a length and a number of requests ends with the first. What
    the suite's limits say of one in its place counts instead: they are its verdict. So
    is a tool's own, where it has one.

    Args:
        launch: main's.
        result: what it came to.
        window_s: the length of its timed window, or of its process's life.
    """
    if launch.reader.judges:
        return []
    limits = launch.limits
    seconds = min(window_s, result.duration_s or math.inf)
    missed: dict[str, None] = {}
    for each in launch.told:
        if each.name == "min_duration" and limits.seconds is None:
            said = _too_short(launch, each, seconds)
        elif each.name == "min_query_count" and limits.requests is None:
            if (done := _done(result)) is None:
                continue
            said = _too_few(launch, each, done)
        else:
            continue
        if not said:
            return []
        missed[said] = None
    return [*missed]


def _too_short(launch: Launch, asked: Asked, seconds: float) -> str:
    wanted = float(asked.value) / 1000
    random = _AT_RANDOM / launch.rate if launch.rate else 0.0
    if seconds >= _SHARE * wanted - _SLACK_S - random:
        return ""
    return (
        f"asked to run for {significant(wanted, 6)} s ({asked.said_by}), "
        f"{launch.reader.tool} measured {seconds:.1f} s (if it is meant to, say the "
        f"least in limits.{launch.pair.scenario}.seconds)"
    )


def _too_few(launch: Launch, asked: Asked, done: int) -> str:
    if done >= _SHARE * float(asked.value):
        return ""
    return (
        f"asked for {asked.value} requests ({asked.said_by}), {launch.reader.tool} "
        f"made {done} (if it is meant to, say the least in "
        f"limits.{launch.pair.scenario}.requests)"
    )


def _done(result: Result) -> int | None:
    """Return how many requests came to an end; None where that is not counted."""
    if result.completed is None:
        return result.query_count
    return result.completed + (result.failed or 0)
