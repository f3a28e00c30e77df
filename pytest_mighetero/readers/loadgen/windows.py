"""From LoadGen's time stamps to POSIX seconds: pure functions on their text.

LoadGen writes ``power_begin`` and ``power_end`` as ``%m-%d-%Y %H:%M:%S.mmm``, without a
zone, and ``test_datetime`` as ``%Y-%m-%dT%H:%M:%SZ``, whose ``Z`` is false: it is the
host's local time in every version.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from pytest_mighetero.terms.window import TimedWindow

_POWER_STAMP = re.compile(
    r"(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d)(\.\d+)?$", re.ASCII
)
_DATETIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z?$", re.ASCII)

_ZONE_STEP_S = 900
_FARTHEST_ZONE_S = 14 * 3600
_YEARS = range(1971, 9000)  # those that every platform turns into POSIX time


def _posix(calendar: datetime, utc_offset_s: float | None, *, fold: int = 0) -> float:
    """Turn a wall clock reading, held as if it were UTC, into POSIX seconds."""
    if utc_offset_s is not None:
        return calendar.timestamp() - utc_offset_s
    return calendar.replace(tzinfo=None, fold=fold).timestamp()


def _read_power_stamp(stamp: str) -> datetime | None:
    found = _POWER_STAMP.match(stamp)
    if found is None:
        return None
    month, day, year, hour, minute, second = map(int, found.groups()[:6])
    micros = round(float(found[7] or 0) * 1e6)
    if year not in _YEARS:
        return None
    try:
        return datetime(
            year, month, day, hour, minute, second, micros, tzinfo=timezone.utc
        )
    except ValueError:
        return None


def _read_datetime(stamp: str) -> datetime | None:
    found = _DATETIME.match(stamp)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups())
    if year not in _YEARS:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None


def power_stamp_to_posix(
    stamp: str, *, local: bool, utc_offset_s: float | None = None
) -> float | None:
    """Return the POSIX time in seconds of a ``power_begin`` or ``power_end`` stamp.

    Args:
        stamp: For instance ``03-15-2021 08:33:47.721``.
        local: Whether it is local time; see ``version.stamps_are_local``.
        utc_offset_s: Seconds by which the writing host was ahead of UTC; by default it
            is taken to share this host's time zone. Not used when ``local`` is False.

    Returns:
        None for text that is no such stamp.
    """
    calendar = _read_power_stamp(stamp)
    if calendar is None:
        return None
    return _posix(calendar, utc_offset_s if local else 0.0)


def window_from_stamps(
    begin: str, end: str, *, local: bool, utc_offset_s: float | None = None
) -> TimedWindow | None:
    """Return the timed window between a ``power_begin`` and its ``power_end``.

    Args:
        begin: The ``power_begin`` stamp: the system clock at the first query.
        end: The ``power_end`` stamp: ``power_begin`` plus, on the steady clock, the
            time to the last response.
        local: As for ``power_stamp_to_posix``.
        utc_offset_s: As for ``power_stamp_to_posix``.

    Returns:
        None when either stamp is unreadable, or the end lies before the begin. A
        window that runs through the end of daylight saving time is kept whole where
        this host's zone is used: the end is then the second of the two such hours.
    """
    offset = utc_offset_s if local else 0.0
    first, last = _read_power_stamp(begin), _read_power_stamp(end)
    if first is None or last is None:
        return None
    start = _posix(first, offset)
    for fold in (0, 1):
        stop = _posix(last, offset, fold=fold)
        if stop >= start:
            return TimedWindow(start, stop)
    return None


def first_query_time(
    test_datetime: str, issuing_ms: float, utc_offset_s: float | None = None
) -> float | None:
    """Return when the first query was issued, for a log without ``power_begin``.

    LoadGen cuts ``test_datetime`` down to the second, so one second is added: the
    result is up to 1 s later than the truth, never earlier by more than LoadGen's own
    pause between logging and issuing (milliseconds; 0.6 s for DLRM's 26 M samples).

    Args:
        test_datetime: For instance ``2026-11-23T13:47:26Z``: local time, all the same.
        issuing_ms: ``time_ms`` of the ``generated_query_count`` line: milliseconds
            since LoadGen began to log, on the steady clock.
        utc_offset_s: Seconds by which the writing host was ahead of UTC; by default it
            is taken to share this host's time zone.

    Returns:
        POSIX seconds, or None for an unreadable stamp.
    """
    calendar = _read_datetime(test_datetime)
    if calendar is None:
        return None
    return _posix(calendar, utc_offset_s) + 1.0 + issuing_ms / 1e3


def host_utc_offset(
    test_datetime: str, issuing_ms: float, power_begin: float
) -> float | None:
    """Return by how many seconds the writing host was ahead of UTC.

    Args:
        test_datetime: The log's local start time.
        issuing_ms: ``time_ms`` of its first ``generated_query_count`` line.
        power_begin: Its first ``power_begin`` in POSIX seconds, which must come from
            a stamp in UTC (LoadGen v1.1 and later).

    Returns:
        A multiple of 15 minutes, as all time zones are, or None for an unreadable
        stamp, or an offset that no time zone has.
    """
    calendar = _read_datetime(test_datetime)
    if calendar is None:
        return None
    ahead = calendar.timestamp() + issuing_ms / 1e3 - power_begin
    offset = float(round(ahead / _ZONE_STEP_S) * _ZONE_STEP_S)
    return offset if abs(offset) <= _FARTHEST_ZONE_S else None
