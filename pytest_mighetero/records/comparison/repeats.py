"""Which runs of a cell of the interference matrix are repeats of each other."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.record import Record, sameness
from pytest_mighetero.terms.pair import without_number


def kind_of(facts: Facts) -> tuple[str, ...]:
    """Return what repeats of a cell's run have in common."""
    return (*sameness(facts), facts.get("backgrounds", ""))


def latest(runs: Sequence[Record]) -> list[Record]:
    """Return the newest execution of each test that is a repeat like the newest."""
    if not runs:
        return []
    last = runs[-1].test
    form = without_number(last)
    alike = [
        each
        for each in runs
        if without_number(each.test) == form and (each.test == form) == (last == form)
    ]
    return list({each.test: each for each in alike}.values())
