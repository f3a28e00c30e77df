"""What a run came to, in a word, and how good that is. Pure."""

from __future__ import annotations

from typing import Literal

from pytest_mighetero.records.record import Record

Tone = Literal["red", "green", "none"]
# Those that nobody may miss come first.
DAMAGED, DID_NOT_END, FAILED, ERROR = "damaged", "did not end", "failed", "error"
BROKEN, PASSED, SKIPPED = "passed, overlap broken", "passed", "skipped"
AGAIN_RUN = "executed again"
UPSHOTS = (
    *(FAILED, ERROR, DID_NOT_END, DAMAGED),
    *(BROKEN, PASSED, SKIPPED, AGAIN_RUN),
)
_RED = {FAILED, ERROR, DID_NOT_END, DAMAGED}


def upshot_of(record: Record) -> str:
    """Return the one of ``UPSHOTS`` that *record* is."""
    if record.executed_again:
        return AGAIN_RUN
    bad = [when for when, phase in record.phases.items() if phase.outcome == "failed"]
    if bad:
        return FAILED if "call" in bad else ERROR
    if not did_end(record):
        return DID_NOT_END
    if any(phase.outcome == "skipped" for phase in record.phases.values()):
        return SKIPPED
    return PASSED if record.good else BROKEN


def did_end(record: Record) -> bool:
    """Whether nothing of it is missing: setup that passed is followed by a call."""
    rest = (phase for when, phase in record.phases.items() if when != "teardown")
    stopped = any(phase.outcome != "passed" for phase in rest)
    return record.ended and ("call" in record.phases or stopped)


def tone_of(upshot: str) -> Tone:
    """Return ``red`` where somebody has to look, ``green`` for what passed alone.

    A run that did not measure, does not count, or whose overlap broke is neither.
    """
    if upshot in _RED:
        return "red"
    return "green" if upshot == PASSED else "none"
