"""Durations as people write them."""

from __future__ import annotations

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.units import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("600000", 600),
        ("500ms", 0.5),
        ("90s", 90),
        ("1.5s", 1.5),
        ("10min", 600),
        ("2h", 7200),
        (" 2 h ", 7200),
        ("0", 0),
    ],
)
def test_parse(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "nan", "1e3", "5 days", "2m", "\u0661s"]
)
def test_refuse(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a duration like 90s"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7200, "2h"), (600, "10min"), (90, "90s"), (0.5, "0.5s"), (2.4604, "2.46s")],
)
def test_format(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize("seconds", [0.001, 1, 59.5, 61, 3600, 86399, 123456.789])
def test_what_is_written_can_be_read(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=6e-4)
