"""An earlier record that stands in for a run of the very same thing."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from pathlib import Path

from pytest_mighetero.records.record import LONGEST_S, Record, as_number, sameness
from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.records.run_names import RECORD, run_names, stamp_of

FRESH_S = 24 * 3600.0


def stand_in(
    results: Path, name: str, test: str, setups: Collection[str]
) -> Record | None:
    """Return the newest record of a *test* called *name* with one of the *setups*.

    None unless that is good: no older one hides that it failed, nor that it may have,
    where a newer one is damaged. It measured something, and main
    ended a day ago at most by its own stamp: one from the future counts as little as
    one that is damaged.
    """
    for record in _of_a_day(results, name):
        if record is None:
            return None
        if record.test == test and record.setup in setups:
            return record if _stands(record) else None
    return None


def earlier_alone(results: Path, cell: Record) -> list[Record]:
    """Return earlier runs alone that a *cell* may be held against, the oldest first.

    They are of the victim on the cell's ground and, by themselves, of one set-up; the
    newest of them is good and a day old at most, as in ``stand_in``.
    """
    alone = {k: v for k, v in cell.facts.items() if k != "aggressor"}
    found: list[Record] = []
    for record in _of_a_day(results, cell.text("victim")):
        if record is None:
            break
        if record.text("run") != "isolated" or sameness(record.facts) != sameness(
            alone
        ):
            continue
        if not cell.ground or record.ground != cell.ground:
            continue
        if not found and not _stands(record):
            return []
        if record.setup == (found or [record])[0].setup and _is_fresh(record):
            found.append(record.outline)
    return found[::-1]


def _of_a_day(results: Path, name: str) -> Iterator[Record | None]:
    """Yield the runs called *name* of a day, the newest first; None for a damaged one.

    An execution that another one followed is none.
    """
    try:
        names = run_names(results, f"-{name}")
    except OSError:
        return
    # A day is 25 hours long once a year, by local time.
    oldest = stamp_of(time.time() - FRESH_S - 2 * 3600)
    for each in reversed(names):
        if each < oldest:
            return
        try:
            record = read_record(results / each / RECORD)
        except FileNotFoundError:
            continue
        except RecordError:
            yield None
        else:
            if not record.executed_again:
                yield record


def _stands(record: Record) -> bool:
    return record.measurement is not None and _is_fresh(record)


def _is_fresh(record: Record) -> bool:
    main = next(iter(record.listed("harnesses")), {})
    ended = as_number(main.get("exited"), LONGEST_S * 10)
    return ended is not None and 0 <= time.time() - ended <= FRESH_S
