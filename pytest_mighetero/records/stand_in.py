"""An earlier record that stands in for a run of the very same thing."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from pytest_mighetero.records.record import LONGEST_S, Record, as_number
from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.records.run_names import RECORD, run_names, stamp_of

FRESH_S = 24 * 3600.0


def stand_in(results: Path, name: str, setups: Collection[str]) -> Record | None:
    """Return the newest record of a run called *name* with one of the *setups*.

    None unless that is good: no older one hides that it failed, nor that it may have,
    where a newer one is damaged. It measured something, and main
    ended a day ago at most by its own stamp: one from the future counts as little as
    one that is damaged.
    """
    now = time.time()
    try:
        names = run_names(results, f"-{name}")
    except OSError:
        return None
    # A day is 25 hours long once a year, by local time.
    oldest = stamp_of(now - FRESH_S - 2 * 3600)
    for each in reversed(names):
        if each < oldest:
            return None
        try:
            record = read_record(results / each / RECORD)
        except FileNotFoundError:
            continue
        except RecordError:
            return None
        if str(record.data.get("setup")) not in setups or record.executed_again:
            continue
        good = record.measurement is not None and _is_fresh(record, now)
        return record if good else None
    return None


def _is_fresh(record: Record, now: float) -> bool:
    main = next(iter(record.listed("harnesses")), {})
    ended = as_number(main.get("exited"), LONGEST_S * 10)
    return ended is not None and 0 <= now - ended <= FRESH_S
