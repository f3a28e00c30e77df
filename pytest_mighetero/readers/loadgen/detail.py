"""Reads ``mlperf_log_detail.txt``: MLLOG lines, written since LoadGen v1.0.

A line is ``:::MLLOG {"key": ..., "value": ..., "time_ms": ..., ..., "metadata":
{"is_error": ..., "is_warning": ..., ...}}``. Files of 100 MB with lines above 1 MB
(``loaded_qsl_set``) are normal, so are files cut off in the middle of a line. The file
is read once, in bounded memory, and JSON is parsed only where the key is wanted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from pytest_mighetero.readers.loadgen.keys import finite
from pytest_mighetero.readers.logfile import LogFile

DETAIL_NAME = "mlperf_log_detail.txt"
ISSUING_KEYS = ("generated_query_count", "generated_query_duration")
MESSAGES_KEPT = 100

_PREFIX = b':::MLLOG {"key": "'
_KEY_AT = len(_PREFIX)
_JSON_AT = _PREFIX.index(b"{")
_FLAGS = b'"is_error": '
_IS_ERROR = b'"is_error": true'
_FLAGS_LENGTH = len(b'"is_error": false, "is_warning": false')
# LoadGen writes it once the schedule is made, just before the first query, and flushes
# within about 20 ms.
ISSUING_MARK = _PREFIX + ISSUING_KEYS[0].encode()

_WANTED = {
    b"loadgen_version",
    b"test_datetime",
    b"power_begin",
    b"power_end",
    b"num_errors",
    *(key.encode() for key in ISSUING_KEYS),
}
_WANTED_PREFIXES = (b"requested_", b"effective_", b"result_", b"early_stopping_")
_TIMELINE = {"power_begin", "power_end", "test_datetime", *ISSUING_KEYS}
_RESULTS = ("result_", "early_stopping_", "num_errors")

# What LoadGen marks as an error, and a run that was told to end so may say.
_ENDED_AS_TOLD = b"Ending early: Max query count reached."
_TOLD = re.compile(
    r"(?:IssueQueryThread \d+ +)?Ending early: Max query count reached\."
    r"(?: query_count \d+)?"
)

# A wanted line is below 1 kB; of one far above that these bytes at its ends are enough.
_HEAD, _TAIL = 256, 8 * 1024
_KEYS_REMEMBERED = 1024

_BOM = b"\xef\xbb\xbf"
_LATEST_MS = 1e12  # 30 years
# The lines of LoadGen before v1.0.
_OLD_LINE = b'"pid": '


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entry = dict(pairs)
    if len(entry) < len(pairs):
        raise ValueError("a key is there twice")
    return entry


_parse = json.JSONDecoder(strict=False, object_pairs_hook=_unique).raw_decode


@dataclass
class DetailLog:
    """What the wanted lines of one detail log say.

    Attributes:
        stamps: Each ``power_begin``'s text with that of the ``power_end`` which
            followed it, or None where none did, in the order of the file.
        test_datetime: The first one's text.
        issuing_ms: ``time_ms`` of the first line of ``ISSUING_KEYS``, which LoadGen
            writes just before the first query.
        errors: The first ``MESSAGES_KEPT`` messages marked ``is_error``.
        error_count: How many lines were marked so.
        told: The first of those that only say that ``max_query_count`` was reached,
            which are not among ``errors``.
        told_count: How many these are; ``error_count`` has them.
        runs: How many runs the file holds; 0 where none begins in it.
        contradictions: Keys of results that one run gives twice, differently.
        unreadable: Keys of results whose lines are cut off or no MLLOG; likewise of the
            last line, whatever it is.
        readable: Whether it holds anything that LoadGen writes.
    """

    values: dict[str, object] = field(default_factory=dict)
    stamps: list[tuple[str, str | None]] = field(default_factory=list)
    test_datetime: str | None = None
    issuing_ms: float | None = None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error_count: int = 0
    told: list[str] = field(default_factory=list)
    told_count: int = 0
    runs: int = 0
    contradictions: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    readable: bool = False
    empty: bool = True
    missing: bool = False


def read_detail(file: LogFile) -> DetailLog:
    """Return what is understood of a detail log.

    Lines that are cut off, are not MLLOG, or hold bytes that are not UTF-8 are never an
    error; an ``is_error`` line whose message cannot be read counts, and stands in
    ``errors`` with its key. Of a file with several runs the values and windows are the
    last one's.
    """
    log = DetailLog()
    wanted: dict[bytes, bool] = {}
    lines = file.lines(_HEAD, _TAIL)
    first = next(lines, None)
    if first is None:
        return log
    log.empty, log.readable = False, _OLD_LINE in first
    line = b""
    for line in chain((first.removeprefix(_BOM),), lines):
        if not line.startswith(_PREFIX):
            continue
        key = line[_KEY_AT : line.find(b'"', _KEY_AT)]
        is_wanted = wanted.get(key)
        if is_wanted is None:
            is_wanted = key in _WANTED or key.startswith(_WANTED_PREFIXES)
            if len(wanted) < _KEYS_REMEMBERED:
                wanted[key] = is_wanted
        if is_wanted:
            _take_value(log, key.decode("utf-8", "replace"), _entry(line))
        at = line.rfind(_FLAGS)
        if at > 0 and b"true" in line[at : at + _FLAGS_LENGTH]:
            _take_message(log, line, key, is_error=line.startswith(_IS_ERROR, at))
    begun = line and _PREFIX.startswith(line[:_KEY_AT])
    if begun and not line.rstrip().endswith(b"}"):
        log.unreadable.append("the last one")
    return log


def _entry(line: bytes) -> dict[str, object]:
    try:
        entry, _ = _parse(line.decode("utf-8", "replace"), _JSON_AT)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", entry)


def _text(value: str) -> str:
    """Return *value* as text that can be written: without halves of surrogates."""
    return value.encode("utf-8", "replace").decode()


def _take_value(log: DetailLog, key: str, entry: dict[str, object]) -> None:
    log.readable = True
    if key == "loadgen_version":
        _take_start(log)
    is_result = key.startswith(_RESULTS)
    if "value" not in entry:
        if is_result:
            log.unreadable.append(key)
        return
    value = entry["value"]
    if isinstance(value, str):
        value = _text(value)
    elif isinstance(value, (list, dict)):
        value = None  # LoadGen's settings and results are plain
    if is_result and key in log.values and log.values[key] != value:
        log.contradictions.append(key)
    log.values[key] = value
    if key in _TIMELINE:
        _take_time(log, key, value, entry.get("time_ms"))


def _take_start(log: DetailLog) -> None:
    """Begin anew: LoadGen writes its version once a run, before all else."""
    log.runs += 1
    if log.runs > 1:
        for key in [key for key in log.values if key.startswith(_RESULTS)]:
            del log.values[key]
        log.stamps.clear()
        log.test_datetime = log.issuing_ms = None


def _take_time(log: DetailLog, key: str, value: object, time_ms: object) -> None:
    if key == "power_begin":
        log.stamps.append((str(value), None))
    elif key == "power_end":
        if log.stamps and log.stamps[-1][1] is None:
            log.stamps[-1] = (log.stamps[-1][0], str(value))
    elif key == "test_datetime":
        if log.test_datetime is None:
            log.test_datetime = str(value)
        else:
            log.runs = max(2, log.runs)
    elif log.issuing_ms is None:
        ms = finite(time_ms)
        log.issuing_ms = ms if ms is not None and 0 <= ms < _LATEST_MS else None


def _take_message(log: DetailLog, line: bytes, key: bytes, *, is_error: bool) -> None:
    log.error_count += is_error
    messages = log.errors if is_error else log.warnings
    may_be_told = is_error and _ENDED_AS_TOLD in line
    if not may_be_told and len(messages) >= MESSAGES_KEPT:
        return
    value = _entry(line).get("value")
    plain = isinstance(value, (str, int, float))
    message = _text(str(value) if plain else key.decode("utf-8", "replace")).strip()
    if may_be_told and _TOLD.fullmatch(message):
        log.told_count += 1
        messages = log.told
    if len(messages) < MESSAGES_KEPT:
        messages.append(message)
