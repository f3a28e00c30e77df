"""The top of the page: what was run, where, when, and the tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest_mighetero
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.show.html.entry import Entry, colour, counted, headline
from pytest_mighetero.show.report import Table, cells
from pytest_mighetero.show.upshot import Tone

_MOST = 5  # different values of something that are all told
_MACHINE = {
    "GPU": "gpu",
    "geometry": "geometry",
    "driver": "driver",
    "device profile": "device_profile",
    "suite": "suite",
    "Slurm's nodes": "node",
}


@dataclass(frozen=True)
class Head:
    """What stands above the runs.

    Attributes:
        colour: of the headline: ``red``, ``green`` or ``none``.
        counts: runs by verdict, the red ones first.
        about: texts by what they are: machine, versions, invocation, times.
        red: the runs that somebody has to look at.
        listed: the runs that the page has more of, in their order.
        beyond: how many others there are.
        table: as the terminal has them; a row for each of ``listed``.
    """

    headline: str
    colour: Tone
    counts: Mapping[str, int]
    about: Mapping[str, str]
    red: Sequence[Entry]
    listed: Sequence[Entry]
    beyond: int
    table: Table


def head_of(
    entries: Sequence[Entry],
    shown: Sequence[Entry],
    about: Mapping[str, str],
    exit_code: int | None,
) -> Head:
    """Return the top of the page of *entries*, of which it says more of those *shown*.

    *about* is what else is known.
    *exit_code* is pytest's, or None where that is not known.
    """
    facts = [each.facts for each in entries]
    listed = sorted(shown, key=lambda each: each.number)
    machine = {name: _different(facts, key) for name, key in _MACHINE.items()}
    invoked = [each.invocation for each in entries]
    versions = [each.version for each in entries]
    stamps = sorted(filter(None, (each.stamp for each in entries)))
    wrote = pytest_mighetero.__version__
    said = {
        **about,
        **machine,
        "pytest-mighetero": _of_values([*versions, wrote], []),
        "run as": _of_values(invoked, [about.get("run as", "")]),
        "runs began": _span(stamps),
    }
    return Head(
        headline(entries, exit_code),
        colour(entries, exit_code),
        counted(entries),
        {name: text for name, text in said.items() if text},
        [each for each in listed if each.red],
        listed,
        len(entries) - len(listed),
        cells([each.facts for each in listed]),
    )


def _different(facts: Iterable[Facts], key: str) -> str:
    return _of_values([each.get(key, "") for each in facts], [])


def _of_values(values: Sequence[str], first: Sequence[str]) -> str:
    """Return the values that differ, each once, and how many more there are."""
    known = [each for each in dict.fromkeys([*first, *values]) if each]
    more = f"; {len(known) - _MOST} others" if len(known) > _MOST else ""
    return "; ".join(known[:_MOST]) + more


def _span(stamps: Sequence[str]) -> str:
    """Return the first and the last moment, by the clock of where they were."""
    ends = []
    for stamp in dict.fromkeys([stamps[0], stamps[-1]] if stamps else []):
        try:
            at = datetime.strptime(stamp, "%Y%m%d-%H%M%S")  # noqa: DTZ007 - local time
        except ValueError:
            return ""
        ends.append(at.strftime("%Y-%m-%d %H:%M:%S"))
    return " to ".join(ends)
