"""Reads ``events.jsonl``, the events of one session of MLPerf Inference Endpoints.

A line is ``{"event_type":"sample.issued","timestamp_ns":...,"sample_uuid":...,
"data":...}``, its first two keys in this order (core/record.py of 0.1.0, commit
ea332753). A stamp is of the host's CLOCK_MONOTONIC: the client's, and of answers the
worker process's that took them, so that lines are not sorted by it.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field

from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.terms.window import TimedWindow

EVENTS_NAME = "events.jsonl"
_ERRORS_KEPT = 100
_HEAD, _TAIL = 4096, 64
_EVENT = re.compile(rb'\{"event_type":"([a-z_]+\.[a-z_]+)","timestamp_ns":(\d{1,18}),')


@dataclass
class Block:
    """What was measured between one start and one stop of the tracking.

    Attributes:
        issued: how many samples.
        first_ns: when the first one was.
        last_ns: the last one's answer, or failure.
        stopped: whether the tracking came to its stop.
    """

    issued: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    stopped: bool = False

    @property
    def window(self) -> TimedWindow | None:
        """From the first sample's issue to the last answer; None without an end.

        The stop of the tracking is no such end: it waits for answers that are missing,
        by default 240 s (``drain.performance_timeout_s``), in which nothing is issued
        and nothing answered. The tool's own duration ends with the last answer, too.
        """
        if self.first_ns is None or self.last_ns is None or not self.stopped:
            return None
        if self.last_ns < self.first_ns:
            return None
        begin, end = self.first_ns / 1e9, self.last_ns / 1e9
        return TimedWindow(begin, end, "endpoints", clock="monotonic")


@dataclass
class Events:
    """What one file of events says.

    Samples of the warm-up, and of accuracy, are issued while nothing is tracked.

    Attributes:
        sessions: how many begin in it.
        ended: whether the last one came to its end.
        unreadable: how many lines are no event.
        errors: the first 100 messages of failures while there is tracking.
    """

    blocks: list[Block] = field(default_factory=list)
    sessions: int = 0
    ended: bool = False
    unreadable: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def issued(self) -> int:
        """How many samples were issued while they were tracked."""
        return sum(block.issued for block in self.blocks)

    @property
    def open_since_ns(self) -> int | None:
        """When the first sample was issued that is of no block with an end."""
        begun = (each.first_ns for each in self.blocks if not each.window)
        return next((each for each in begun if each is not None), None)


def read_events(file: LogFile) -> Events:
    """Return what is understood of a file of events, live or whole."""
    events = Events()
    block: Block | None = None  # while it is tracked
    for line in file.lines(_HEAD, _TAIL):
        found = _EVENT.match(line)
        if found is None or not line.endswith(b"}"):
            events.unreadable += 1
            continue
        kind, at = found[1], int(found[2])
        if kind == b"session.started":
            events.sessions += 1
            events.ended = False
        elif kind == b"session.ended":
            events.ended = True
        elif kind == b"session.start_performance_tracking" and block is None:
            block = Block()
            events.blocks.append(block)
        elif block is not None and kind.startswith(b"error."):
            if len(events.errors) < _ERRORS_KEPT:
                events.errors.append(_message(line))
        elif block is not None:
            _take(block, kind, at)
            block = None if block.stopped else block
    return events


def _take(block: Block, kind: bytes, at: int) -> None:
    if kind == b"sample.issued":
        block.issued += 1
        block.first_ns = at if block.first_ns is None else min(block.first_ns, at)
    elif kind == b"sample.complete":
        block.last_ns = at if block.last_ns is None else max(block.last_ns, at)
    elif kind == b"session.stop_performance_tracking":
        block.stopped = True


def _message(line: bytes) -> str:
    """Return the words of a failure: ``HTTP 500: ...``."""
    said: object = None
    with suppress(ValueError, RecursionError):
        said = json.loads(line).get("data")
    words = said[-1] if isinstance(said, list) and said else "unreadable"
    return str(words)[:500].encode("utf-8", "replace").decode()
