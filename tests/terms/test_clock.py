"""The wall clock beside the monotonic one: readings written down."""

from __future__ import annotations

import pytest

from pytest_mighetero.terms.clock import Stamp, moments, stepped

STEADY = [Stamp(wall, wall - 1000) for wall in (1000.0, 1001.0, 1002.0, 1003.0)]
# Set 3 s forward, or 2 s back, between the second and the third second.
FORWARD = [*STEADY[:3], Stamp(1006, 3), Stamp(1007, 4)]
BACK = [*STEADY[:3], Stamp(1001, 3), Stamp(1002, 4), Stamp(1003, 5)]
# 500 ppm fast: a slew of NTP's.
SLEWED = [Stamp(1000 + second * 1.0005, second) for second in range(0, 601, 60)]


@pytest.mark.parametrize(
    ("readings", "wall", "meant"),
    [
        (STEADY, 1001.5, [1.5]),
        (STEADY, 990.0, [-10.0]),
        (STEADY, 1010.0, [10.0]),
        (FORWARD, 1001.5, [1.5]),
        (FORWARD, 1002.5, [2.5]),
        (FORWARD, 1004.0, []),  # no clock ever said it
        (FORWARD, 1005.5, [2.5]),
        (FORWARD, 1006.5, [3.5]),
        (BACK, 1000.5, [0.5, 2.5]),
        (BACK, 1001.5, [1.5, 3.5]),
        (BACK, 1002.5, [2.5, 4.5]),
        (BACK, 1003.5, [5.5]),
        (SLEWED, 1000 + 300 * 1.0005, [300.0]),
    ],
)
def test_what_a_wall_time_may_have_meant(
    readings: list[Stamp], wall: float, meant: list[float]
) -> None:
    assert sorted(moments(readings, wall)) == pytest.approx(meant)


def test_a_slew_is_no_step_and_a_step_is() -> None:
    assert not any(map(stepped, SLEWED, SLEWED[1:]))
    assert [*map(stepped, BACK, BACK[1:])] == [False, False, True, False, False]
    assert stepped(Stamp(1000, 0), Stamp(1000.9, 1))
