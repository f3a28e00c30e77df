from __future__ import annotations

import math

from pytest_mighetero.devices.telemetry import Sample, series


def test_an_hour_is_thinned_and_nothing_lies_outside_of_what_is_kept() -> None:
    values = [300 + 10 * math.sin(second / 7) for second in range(3600)]
    values[1234], values[2345] = 425.5, 12.25
    samples = [
        Sample({"power_w": value, "sm_clock_mhz": 1980.0}, None, 1e9 + second)
        for second, value in enumerate(values)
    ]
    found = series(samples)
    power = found["power_w"]
    assert len(power["at"]) == len(power["values"]) <= 200
    assert (min(power["values"]), max(power["values"])) == (12.25, 425.5)
    assert power["at"] == sorted(power["at"])
    assert (power["at"][0], power["at"][-1]) == (1e9, 1e9 + 3599)
    kept = dict(zip(power["at"], power["values"], strict=True))
    assert all(values[round(at - 1e9)] == value for at, value in kept.items())
    steady = {"at": [1e9, 1e9 + 3599], "values": [1980.0, 1980.0]}
    assert found["sm_clock_mhz"] == steady


def test_a_short_run_is_kept_whole_where_it_changes() -> None:
    values = [1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 2.0]
    samples = [Sample({"x": v}, None, float(at)) for at, v in enumerate(values)]
    found = series([*samples, Sample({}, None, 7.0)])
    assert found == {"x": {"at": [0, 2, 3, 5, 6], "values": [1, 1, 5, 5, 2]}}
    assert series([]) == {}
    assert series(samples[:1]) == {"x": {"at": [0.0], "values": [1.0]}}
