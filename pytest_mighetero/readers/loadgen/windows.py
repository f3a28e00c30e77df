"""From LoadGen's time stamps to POSIX seconds: pure functions on their text.

LoadGen writes ``power_begin`` and ``power_end`` as ``%m-%d-%Y %H:%M:%S.mmm``, without a
zone, and ``test_datetime`` as ``%Y-%m-%dT%H:%M:%SZ``, whose ``Z`` is false: it is the
host's local time in every version.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from pytest_mighetero.readers.loadgen.detail import DetailLog
from pytest_mighetero.terms.window import TimedWindow

SOURCE = "loadgen"

_VERSION = re.compile(r"\s*v?(\d{0,9})(?:\.(\d{1,9}))?", re.ASCII)
_FIRST_WITH_UTC_STAMPS = (1, 1)

_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_POWER_STAMP = re.compile(
    rf"(?P<month>\d\d)-(?P<day>\d\d)-(?P<year>\d{{4}}) {_CLOCK}(?P<part>\.\d+)?$",
    re.ASCII,
)
_DATETIME = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)T{_CLOCK}Z?$", re.ASCII
)

_ZONE_STEP_S = 900
_FARTHEST_ZONE_S = 14 * 3600
_YEARS = range(1971, 9000)  # those that every platform turns into POSIX time


def parse_version(text: str | None) -> tuple[int, int] | None:
    """Return the (major, minor) of LoadGen's ``loadgen_version``.

    It begins with the two numbers, as ``6.0.17 @ d6147c7eb7``; None for another text.
    The LoadGen of the v1.0 round still calls itself ``.5a1 @ 6958607d52``: (0, 5).
    """
    found = _VERSION.match(text or "")
    if found is None or (not found[1] and found[2] is None):
        return None
    return int(found[1] or 0), int(found[2] or 0)


def stamps_are_local(version: str | None) -> bool | None:
    """Tell whether ``power_begin`` and ``power_end`` are in the host's local time.

    They are up to LoadGen v1.0.1, and in UTC since (mlcommons/inference #898, June
    2021). None where the log does not say which LoadGen wrote it.
    """
    parsed = parse_version(version)
    return None if parsed is None else parsed < _FIRST_WITH_UTC_STAMPS


def _calendar(pattern: re.Pattern[str], stamp: str) -> datetime | None:
    """Return what a stamp says, held as if it were UTC; None for no such stamp."""
    found = pattern.match(stamp)
    if found is None:
        return None
    said = found.groupdict()
    micros = round(float(said.pop("part", None) or 0) * 1e6)
    parts = {name: int(digits) for name, digits in said.items()}
    try:
        read = datetime(**parts, microsecond=micros, tzinfo=timezone.utc)
    except ValueError:
        return None
    return read if read.year in _YEARS else None


def _posix(calendar: datetime, utc_offset_s: float | None, *, fold: int = 0) -> float:
    """Turn a wall clock reading, held as if it were UTC, into POSIX seconds."""
    if utc_offset_s is not None:
        return calendar.timestamp() - utc_offset_s
    return calendar.replace(tzinfo=None, fold=fold).timestamp()


def power_stamp_to_posix(
    stamp: str, *, local: bool, utc_offset_s: float | None = None
) -> float | None:
    """Return the POSIX seconds of a ``power_begin`` or ``power_end``; None for no such.

    A *local* one is of a host that was so many seconds ahead of UTC; by default it is
    taken to share this host's time zone.
    """
    calendar = _calendar(_POWER_STAMP, stamp)
    offset = utc_offset_s if local else 0.0
    return None if calendar is None else _posix(calendar, offset)


def window_from_stamps(
    begin: str, end: str, *, local: bool, utc_offset_s: float | None = None
) -> TimedWindow | None:
    """Return the timed window between two stamps, as ``power_stamp_to_posix`` has them.

    ``power_begin`` is the system clock at the first query, ``power_end`` that and, on
    the steady clock, the time to the last response. None when either is unreadable, or
    the end lies before the begin. A window that runs through the end of daylight saving
    time is kept whole where this host's zone is used: the end is then the second of the
    two such hours.
    """
    offset = utc_offset_s if local else 0.0
    first, last = _calendar(_POWER_STAMP, begin), _calendar(_POWER_STAMP, end)
    if first is None or last is None:
        return None
    start = _posix(first, offset)
    stops = (_posix(last, offset, fold=fold) for fold in (0, 1))
    stop = next((each for each in stops if each >= start), None)
    return None if stop is None else TimedWindow(start, stop, SOURCE)


def first_query_time(
    test_datetime: str, issuing_ms: float, utc_offset_s: float | None = None
) -> float | None:
    """Return when the first query was issued, for a log without ``power_begin``.

    LoadGen cuts ``test_datetime`` down to the second, so one second is added: the
    result is up to 1 s later than the truth, never earlier by more than LoadGen's own
    pause between logging and issuing (milliseconds; 0.6 s for DLRM's 26 M samples).
    ``issuing_ms`` counts from when LoadGen began to log, on the steady clock.
    """
    calendar = _calendar(_DATETIME, test_datetime)
    if calendar is None:
        return None
    return _posix(calendar, utc_offset_s) + 1.0 + issuing_ms / 1e3


def host_utc_offset(
    test_datetime: str, issuing_ms: float, power_begin: float
) -> float | None:
    """Return by how many seconds the writing host was ahead of UTC.

    It is a multiple of 15 minutes, as all time zones are; None for an unreadable stamp,
    or an offset that no time zone has. *power_begin* is the first one in POSIX seconds,
    and must come from a stamp in UTC (LoadGen v1.1 and later).
    """
    calendar = _calendar(_DATETIME, test_datetime)
    if calendar is None:
        return None
    ahead = calendar.timestamp() + issuing_ms / 1e3 - power_begin
    offset = float(round(ahead / _ZONE_STEP_S) * _ZONE_STEP_S)
    return offset if abs(offset) <= _FARTHEST_ZONE_S else None


def times_of(
    detail: DetailLog, version: str | None, utc_offset_s: float | None
) -> tuple[tuple[TimedWindow, ...], float | None, float | None]:
    """Return windows, first query and the host's offset, as ``Result`` has them."""
    found: list[TimedWindow | None] = []
    first_query = host_offset = None
    local = stamps_are_local(version)
    if local is not None and detail.stamps:
        offset, begun = utc_offset_s, detail.stamps[0][0]
        first_query = power_stamp_to_posix(begun, local=local, utc_offset_s=offset)
        found = [
            window_from_stamps(begin, end or "", local=local, utc_offset_s=offset)
            for begin, end in detail.stamps
        ]
    if detail.test_datetime is not None and detail.issuing_ms is not None:
        started = detail.test_datetime, detail.issuing_ms
        if first_query is None:
            first_query = first_query_time(*started, utc_offset_s)
        elif not local:
            host_offset = host_utc_offset(*started, first_query)
    windows = tuple(each for each in found if each is not None)
    return windows, first_query, host_offset
