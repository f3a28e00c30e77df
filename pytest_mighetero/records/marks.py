"""Short marks of what a good run may be history for: by them most are not read. Pure.

Two runs that have a mark in common are to be looked at; two that have not have nothing
to do with each other.
"""

from __future__ import annotations

import hashlib
import json

from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.record import Record, sameness

# What two runs must have in common for main to take as long.
_AS_LONG = ("suite", "action", "gpu", "run", "run_args")
# What two runs must have in common for their backgrounds to have had the same beside
# them: main and all the others.
_BESIDE = (
    *("suite", "gpu", "device_profile"),
    *("benchmark", "scenario", "action", "backgrounds"),
)


def as_long(facts: Facts) -> str:
    """Return the mark of runs whose main takes as long, on devices of a profile."""
    return _mark("as long", *(facts.get(name, "") for name in _AS_LONG))


def beside(facts: Facts) -> str:
    """Return the mark of runs whose backgrounds had the same beside them."""
    return _mark("beside", *(facts.get(name, "") for name in _BESIDE))


def same(facts: Facts) -> str:
    """Return the mark of runs of the same thing, either isolated or heterogeneous."""
    return _mark("same", facts.get("run", ""), *sameness(facts))


def sample(facts: Facts, session: str) -> str:
    """Return the mark of the runs that are one sample: of one pytest run."""
    alike = (facts.get(name, "") for name in ("backgrounds", "run"))
    return _mark("sample", session, *alike, *sameness(facts))


def marks_of(record: Record) -> tuple[str, ...]:
    """Return every mark of *record*; a run that was not good has none."""
    if not record.good:
        return ()
    facts, session = record.facts, record.session
    return as_long(facts), beside(facts), same(facts), sample(facts, session)


def _mark(*values: str) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]
