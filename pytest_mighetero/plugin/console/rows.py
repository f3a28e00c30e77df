"""What is said of a run while it lasts, as plain text: a headline, a row a harness.

Pure. Names and states are others' words: what a terminal would obey is shown as text.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_mighetero.run.progress import HarnessState
from pytest_mighetero.terms.printable import printable_line

Tone = Literal["plain", "good", "bad", "faint"]
_TONES: dict[str, Tone] = {"issuing": "good", "finished": "good"}
_SUMS = ("launched", "ready", "issuing", "finished", "stopped")


@dataclass(frozen=True)
class Row:
    """One line of cells; those of several rows stand below one another."""

    cells: tuple[str, ...]
    tone: Tone = "plain"


def shown(seconds: float) -> str:
    """Write a length of time for people: ``9 s``, ``2:05 min``, ``1:02 h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


def headline(
    name: str, doing: str, seconds: float, left: float | None, following: float | None
) -> str:
    """Say what a run is doing, and for how long the run and the session go on.

    Args:
        name: the run's.
        doing: in a few words.
        seconds: that the run has taken.
        left: until it is over; None where nobody knows.
        following: of the runs that follow it; 0 where there are none, None where
            nobody knows.
    """
    said = f"{printable_line(name)}: {printable_line(doing)} ({shown(seconds)})"
    return ", ".join([said, *_still(left, following)])


def sentence(
    name: str, doing: str, since: float, left: float | None, following: float | None
) -> str:
    """Say the same for a log, with the POSIX time *since* which it does so."""
    clock = time.strftime("%H:%M:%S", time.localtime(since))
    said = f"{printable_line(name)}: {printable_line(doing)} since {clock}"
    seconds = shown(time.time() - since)
    return ", ".join([f"{said} ({seconds})", *_still(left, following)])


def _still(left: float | None, following: float | None) -> list[str]:
    said = []
    if left is not None:
        said.append(f"~{shown(left)} left")
        if following:
            said.append(f"~{shown(left + following)} for all runs")
    return said


def rows_of(states: Sequence[HarnessState], now: float, most: int) -> list[Row]:
    """Return a row for each harness, *most* at most; the last one sums up the rest."""
    if len(states) <= most:
        return [_row(each, now) for each in states]
    fit = max(0, most - 1)
    rows = [_row(each, now) for each in states[:fit]]
    return [*rows, Row((_sum(states[fit:], more=fit > 0),), "faint")] if most else []


def _row(state: HarnessState, now: float) -> Row:
    since = "" if state.since is None else shown(now - state.since)
    cells = (state.device, state.name, state.role, state.state, since)
    tone = _TONES.get(state.state, "plain")
    if state.state == "prepared" or not state.running:
        tone = "faint"
    if state.state.startswith("exited") and state.state != "exited 0":
        tone = "bad"
    return Row(tuple(map(printable_line, (*cells, _end(state, now)))), tone)


def _end(state: HarnessState, now: float) -> str:
    """Say how far it has come, or when it is expected to have done its work."""
    working = state.running and state.state != "finished"
    if state.ends is None or state.since is None or not working:
        return ""
    left = state.ends - now
    if state.role == "main" and state.state in ("ready", "issuing"):
        planned = state.ends - state.since
        if left < 0 or planned <= 0:
            return f"longer than ~{shown(planned)}"
        percent = int(100 * (planned - left) / planned)
        return f"{percent} % of ~{shown(planned)}"
    return f"~{shown(left)} left" if left > 0 else "any moment"


def _sum(states: Sequence[HarnessState], *, more: bool) -> str:
    counts = Counter(each.state for each in states)
    known = [f"{counts.pop(each)} {each}" for each in _SUMS if each in counts]
    rest = [f"{count} {printable_line(each)}" for each, count in counts.items()]
    what = "more" if more else "harnesses"
    return f"{len(states)} {what}: {', '.join([*known, *rest])}"
