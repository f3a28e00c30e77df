"""From stamps to POSIX seconds, in whatever zone they were written and are read."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.readers.loadgen import read_result
from pytest_mighetero.readers.loadgen.windows import (
    first_query_time,
    host_utc_offset,
    parse_version,
    power_stamp_to_posix,
    stamps_are_local,
    window_from_stamps,
)
from pytest_mighetero.terms.window import TimedWindow
from tests.readers.loadgen.mllog import PACIFIC, in_zone, line, lines, write_detail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of the v1.0 log hetero/resnet50/Server.
BEGIN, END = "03-15-2021 08:33:47.721", "03-15-2021 08:43:47.728"
AS_UTC = datetime(2021, 3, 15, 8, 33, 47, 721000, tzinfo=timezone.utc).timestamp()
HOUR = 3600.0
# POSIX zones, so that no zone database is asked for; Pacific is in summer time then.
ZONES = {"UTC0": 0.0, PACIFIC: -7 * HOUR, "JST-9": 9 * HOUR, "IST-5:30": 5.5 * HOUR}


@pytest.fixture
def zone(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    for _ in in_zone(monkeypatch, request.param):
        yield request.param


def close(seconds: float) -> object:
    return pytest.approx(seconds, rel=0, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "version", "local"),
    [
        (".5a1 @ 6958607d52", (0, 5), True),
        ("1.0 @ abc", (1, 0), True),
        ("1.0.1", (1, 0), True),
        ("1.1 @ b1452de454", (1, 1), False),
        ("1.10 @ NA", (1, 10), False),
        ("2.0 @ 701847516c", (2, 0), False),
        ("6.0.17 @ d6147c7eb7", (6, 0), False),
        ("10.0", (10, 0), False),
        ("2", (2, 0), False),
        ("NA @ NA", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_version(
    text: str | None, version: tuple[int, int] | None, local: bool | None
) -> None:
    assert parse_version(text) == version
    assert stamps_are_local(text) is local


@pytest.mark.parametrize("zone", ZONES, indirect=True)
class TestInEveryZone:
    def test_utc_stamps_do_not_depend_on_it(self, zone: str) -> None:
        del zone
        assert power_stamp_to_posix(BEGIN, local=False) == close(AS_UTC)
        assert power_stamp_to_posix(BEGIN, local=False, utc_offset_s=7 * HOUR) == close(
            AS_UTC
        )

    def test_local_stamps_are_read_with_the_hosts(self, zone: str) -> None:
        posix = power_stamp_to_posix(BEGIN, local=True)
        assert posix == close(AS_UTC - ZONES[zone])

    def test_a_given_offset_wins(self, zone: str) -> None:
        del zone
        posix = power_stamp_to_posix(BEGIN, local=True, utc_offset_s=-7 * HOUR)
        assert posix == close(AS_UTC + 7 * HOUR)

    def test_the_first_query_is_local_in_every_version(self, zone: str) -> None:
        posix = first_query_time("2021-03-15T08:33:45Z", 2051.868504)
        started = datetime(2021, 3, 15, 8, 33, 45, tzinfo=timezone.utc).timestamp()
        assert posix == close(started - ZONES[zone] + 1 + 2.051868504)

    def test_results(self, zone: str, tmp_path: Path) -> None:
        stamps = lines(("power_begin", BEGIN), ("power_end", END))
        for version, offset in ((".5a1 @ 69", ZONES[zone]), ("1.1 @ b1", 0.0)):
            folder = write_detail(tmp_path, line("loadgen_version", version), stamps)
            window = read_result(folder).window
            assert window is not None
            assert window.begin == close(AS_UTC - offset)
            assert window.seconds == close(600.007)


@pytest.mark.parametrize("zone", [PACIFIC], indirect=True)
def test_a_window_through_the_end_of_summer_time(zone: str) -> None:
    del zone
    window = window_from_stamps(
        "11-07-2021 01:59:30.000", "11-07-2021 01:01:30.500", local=True
    )
    assert window is not None
    assert window.seconds == close(120.5)


def test_the_first_query_is_not_placed_too_early() -> None:
    # Started somewhere within the second that test_datetime was cut down to.
    posix = first_query_time("2026-11-23T13:47:26Z", 1.757291, utc_offset_s=0)
    started = datetime(2026, 11, 23, 13, 47, 26, tzinfo=timezone.utc).timestamp()
    assert posix is not None
    for fraction in (0.0, 0.999):
        assert 0 <= posix - (started + fraction + 0.001757291) <= 1


@pytest.mark.parametrize(
    ("local_start", "issuing_ms", "expected"),
    [
        ("2026-11-23T08:46:00Z", 0.472214, -5 * HOUR),
        ("2026-11-23T13:46:00Z", 0.472214, 0.0),
        ("2026-11-23T19:15:59Z", 0.5, 5.5 * HOUR),
        # 25 minutes of loading and generating, as on a full DLRM system.
        ("2026-11-23T21:21:00Z", 1_500_000.0, 8 * HOUR),
    ],
)
def test_host_utc_offset(local_start: str, issuing_ms: float, expected: float) -> None:
    begin = datetime(2026, 11, 23, 13, 46, 0, 271000, tzinfo=timezone.utc)
    assert host_utc_offset(local_start, issuing_ms, begin.timestamp()) == expected


@pytest.mark.parametrize(
    "stamp", ["", "yesterday", "2021-03-15 08:33:47.721", "13-41-2021 08:33:47.721"]
)
def test_unreadable_stamps(stamp: str) -> None:
    assert power_stamp_to_posix(stamp, local=False) is None
    assert window_from_stamps(stamp, END, local=False) is None
    assert window_from_stamps(BEGIN, stamp, local=False) is None
    assert first_query_time(stamp, 1.0) is None
    assert first_query_time("2021-02-30T00:00:00Z", 1.0) is None
    assert host_utc_offset(stamp, 1.0, AS_UTC) is None


def test_a_stamp_without_a_fraction() -> None:
    assert power_stamp_to_posix("03-15-2021 08:33:47", local=False) == close(
        AS_UTC - 0.721
    )


def test_an_end_before_the_begin_is_no_window() -> None:
    assert window_from_stamps(END, BEGIN, local=False) is None


def test_a_window() -> None:
    assert window_from_stamps(BEGIN, END, local=False) == TimedWindow(
        AS_UTC, AS_UTC + 600.007, "loadgen"
    )
