"""The picture of what runs came to over time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pytest_mighetero.records.comparison.history import Point, Series
from pytest_mighetero.records.comparison.samples import Figure
from pytest_mighetero.show.chart import ASCII, BLOCKS, chart
from pytest_mighetero.show.pictures.trend import trend

NAMES = ("benchmark", "scenario", "action", "run", "backgrounds")
ABOUT = {
    **dict.fromkeys((*NAMES, "device_profile", "gpu", "suite"), "x"),
    "action": "run_harness",
}
VALUES: dict[str, tuple[float | None, ...]] = {
    "one": (5.0,),
    "none": (None, None),
    "equal": (5.0, 5.0, 5.0),
    "zero": (0.0,),
    "huge": (1e-300, 1e299, -1e299),
    "many": tuple(float(each % 7) for each in range(2000)),
}


def series(*values: float | None, **about: str) -> Series:
    begin = datetime(2026, 7, 1)  # noqa: DTZ001
    points = tuple(
        Point(Path(f"r{day}"), begin + timedelta(days=day), "550", value)
        for day, value in enumerate(values)
    )
    return Series({**ABOUT, **about}, Figure("samples/s", "samples/s"), points)


def titles(drawn: str) -> list[str]:
    every = ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}title")
    return [each.text or "" for each in every]


@pytest.mark.parametrize("which", VALUES)
def test_everything_drawn_is_within_the_picture(which: str) -> None:
    drawing = trend([series(*VALUES[which])] * 2)
    tree = ET.fromstring(drawing.svg())
    for each in tree.iter("{http://www.w3.org/2000/svg}rect"):
        x, y = float(each.get("x", "nan")), float(each.get("y", "nan"))
        assert 0 <= x <= drawing.width
        assert 0 <= y <= drawing.height
    assert "nan" not in drawing.svg()


@pytest.mark.parametrize("which", VALUES)
@pytest.mark.parametrize("width", [40, 80])
def test_a_chart_is_as_wide_as_the_terminal(which: str, width: int) -> None:
    lines = chart(series(*VALUES[which]), width, BLOCKS, colour=False)
    assert max(map(len, lines)) <= width
    plain = chart(series(*VALUES[which]), width, ASCII, colour=False)
    assert "".join(plain).isascii()
    drawn = [line for line in plain if "|" in line]
    assert any("o" in line for line in drawn) is (which != "none")


def test_a_flagged_change_a_bad_run_and_a_driver_say_what_they_are() -> None:
    good, bad, worse = series(10.0, None, 5.0).points
    points = (
        good,
        Point(bad.folder, bad.when, "550", problem="call failed: <it>"),
        Point(worse.folder, worse.when, "580", 5.0, flagged="50 % worse"),
    )
    picture = Series(ABOUT, Figure("samples/s", "samples/s"), points)
    said = titles(trend([picture]).svg())
    assert "r1: call failed: <it>" in said
    assert "r2: 5 samples/s. 50 % worse" in said
    assert "580" in said
    lines = chart(picture, 60, ASCII, colour=False)
    assert any(line.rstrip().endswith("!") for line in lines)
    assert "driver 580" in lines


@pytest.mark.parametrize("hostile", ["</svg><script>", "\x1b[31m\x00", "\ud800\n]]>"])
def test_names_are_shown_and_not_obeyed(hostile: str) -> None:
    drawn = trend([series(5.0, benchmark=hostile, gpu=hostile)]).svg()
    assert "<script" not in drawn
    ET.fromstring(drawn)
    lines = chart(series(5.0, benchmark=hostile), 80, BLOCKS, colour=False)
    assert all(line.isprintable() for line in lines)


def test_colours_only_where_they_are_wanted() -> None:
    plain = chart(series(5.0, None), 80, BLOCKS, colour=False)
    assert "\x1b" not in "".join(plain)
    assert "\x1b[31mx" in "".join(chart(series(5.0, None), 80, BLOCKS, colour=True))


def test_what_tells_two_apart_is_not_cut_off() -> None:
    told = "settings --a=" + " ".join(f"--flag{n}={n}" for n in range(9)) + " --end=7"
    one = replace(series(5.0), apart=told)
    lines = chart(one, 60, ASCII, colour=False)
    assert told in " ".join(lines)
    assert max(map(len, lines)) <= 60
    endless = chart(replace(one, apart="x" * 9000), 60, ASCII, colour=False)
    assert len(endless) < 20
    assert told in "".join(titles(trend([one]).svg()))


def test_bounds_that_stay_the_same_are_one_band() -> None:
    every = ((4.0, None), (4.0, None), None, (4.0, 6.0), (4.0, 6.0), (4.0, 6.5))
    whole = series(*[5.0] * len(every))
    points = tuple(
        replace(point, bounds=each)
        for point, each in zip(whole.points, every, strict=True)
    )
    tree = ET.fromstring(trend([replace(whole, points=points)]).svg())
    rects = tree.iter("{http://www.w3.org/2000/svg}rect")
    bands = [each for each in rects if "f-band" in each.get("class", "")][1:]
    edges = [(float(e.get("x", "")), float(e.get("width", ""))) for e in bands]
    assert len(edges) == 3
    (one, wide), (two, wider), (three, _) = edges
    assert two - one == pytest.approx(wider + wide - wider / 2, rel=0.2)
    assert two + wider == pytest.approx(three, abs=0.02)
