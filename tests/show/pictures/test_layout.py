from __future__ import annotations

import pytest

from pytest_mighetero.show.pictures.paragraph import paragraph, width_of
from pytest_mighetero.show.pictures.time_axis import TimeAxis, length


@pytest.mark.parametrize(
    ("span", "last"),
    [
        (0.1, "0.1 s"),
        (4.2, "4.0 s"),
        (72, "70 s"),
        (600, "10 min"),
        (3600, "60 min"),
        (9 * 3600, "9 h"),
        (86400 * 3, "72 h"),
        (86400 * 365 * 50, "16384 d"),
        (1e11, "1.04858e+06 d"),
    ],
)
def test_ticks_are_round_and_few(span: float, last: str) -> None:
    axis = TimeAxis(1000.0, 1000.0 + span, 100, 500)
    ticks = axis.ticks
    assert 1 < len(ticks) <= 10
    assert ticks[0][0] == 100
    assert all(100 <= x <= 600.001 for x, _ in ticks)
    assert ticks[-1][1] == last


def test_what_is_outside_of_an_axis_is_at_its_edge() -> None:
    axis = TimeAxis(10.0, 20.0, 0, 100)
    assert [axis.x(at) for at in (5, 10, 15, 20, 99)] == [0, 0, 50, 100, 100]
    assert TimeAxis(10.0, 10.0, 7, 100).x(10) == 7


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (42.14, "42.1 s"),
        (59.96, "1 min"),
        (605, "10 min 5 s"),
        (600, "10 min"),
        (7380, "2 h 3 min"),
        (86400, "24 h"),
    ],
)
def test_a_time_reads_as_people_say_it(seconds: float, said: str) -> None:
    assert length(seconds) == said


def test_a_paragraph_keeps_every_word_and_breaks_long_ones() -> None:
    text = "some words of a sentence that goes on\nand " + "x" * 90
    lines = paragraph(text, 120, 10, 99)
    assert all(width_of(line, 10) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert paragraph(text, 120, 10, 3)[2].endswith("lines more, in record.json")
    assert paragraph("", 120, 10, 3) == []
