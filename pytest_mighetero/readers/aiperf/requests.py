"""Reads ``profile_export.jsonl``, AIPerf's line for each request that has ended.

It begins with ``{"metadata":{...}``, below 1 kB, with the phase and stamps in POSIX
nanoseconds (``time_ns``); of one that failed, or was cancelled, there is an ``"error"``
(common/models/record_models.py of 0.13.0).
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass

from pytest_mighetero.readers.loadgen.keys import finite
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.terms.window import TimedWindow

REQUESTS_NAME = "profile_export.jsonl"
ENDED_MARK = rb'"benchmark_phase": ?"profiling"'

_METADATA = b'"metadata":'
_HEAD, _TAIL = 4096, 4096
_ERROR = re.compile(rb'"error": ?\{')
_parse = json.JSONDecoder(strict=False).raw_decode


@dataclass
class Requests:
    """What the lines of the profiling phase say; a warm-up's do not count.

    Attributes:
        first_ns: when the first request was sent.
        last_ns: when the last one ended.
        done: how many succeeded.
        unreadable: how many lines are none of AIPerf's, or are cut off.
    """

    first_ns: float | None = None
    last_ns: float | None = None
    done: int = 0
    unreadable: int = 0

    @property
    def window(self) -> TimedWindow | None:
        """From the first request to the last one's end."""
        if self.first_ns is None or self.last_ns is None:
            return None
        return TimedWindow(self.first_ns / 1e9, self.last_ns / 1e9, "aiperf")


def read_requests(file: LogFile) -> Requests:
    """Return what is understood of a file of requests, live or whole."""
    requests = Requests()
    for line in file.lines(_HEAD, _TAIL):
        said = _metadata(line) if line.rstrip().endswith(b"}") else {}
        begin, end = finite(said.get(_STAMPS[0])), finite(said.get(_STAMPS[1]))
        if begin is None or end is None or not 0 <= begin <= end:
            requests.unreadable += 1
        elif said.get("benchmark_phase") == "profiling":
            _take(requests, begin, end)
            dropped = said.get("was_cancelled") or said.get("context_overflow_skip")
            requests.done += not dropped and not _ERROR.search(line)
    return requests


_STAMPS = ("request_start_ns", "request_end_ns")


def _metadata(line: bytes) -> dict[str, object]:
    if (at := line.find(_METADATA)) >= 0:
        begin = at + len(_METADATA)
        head = line[begin : begin + _HEAD].decode("utf-8", "replace").lstrip()
        with suppress(ValueError, RecursionError):
            said, _ = _parse(head)
            return said if isinstance(said, dict) else {}
    return {}


def _take(requests: Requests, begin: float, end: float) -> None:
    first, last = requests.first_ns, requests.last_ns
    requests.first_ns = begin if first is None else min(first, begin)
    requests.last_ns = end if last is None else max(last, end)
