from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import read_record
from pytest_mighetero.show.pictures.paragraph import width_of
from pytest_mighetero.show.pictures.svg import TONES
from pytest_mighetero.show.pictures.timeline import timeline
from tests.cli.runs import PASSED, failed, write_run
from tests.cli.strange import ODD
from tests.show.courses import BEGIN, course, harness, run_of

HOSTILE = "</svg><script>alert(1)</script>\x1b[31m\x00\u202e&\"'"
GOLDEN = Path(__file__).parents[2] / "records/golden/runs"


class Seen:
    """A timeline as a reader of its file has it."""

    def __init__(self, record: Record):
        self.root = ET.fromstring(timeline(record).svg().encode())

    def shapes(self, name: str, title: str = "") -> list[ET.Element]:
        """Return the shapes of a kind whose title holds *title*."""
        found = (each for each in self.root if each.tag.endswith(f"}}{name}"))
        return [each for each in found if title in "".join(each.itertext())]

    @property
    def texts(self) -> list[str]:
        return ["".join(each.itertext()) for each in self.shapes("text")]

    def x_of(self, title: str) -> list[float]:
        """Return where the rectangles with this title are."""
        return [float(each.get("x", "nan")) for each in self.shapes("rect", title)]


def wide(shape: ET.Element) -> float:
    return float(shape.get("width", "nan"))


@pytest.mark.parametrize("count", [1, 7, 56])
def test_every_harness_is_a_bar_and_every_label_can_be_read(
    tmp_path: Path, count: int
) -> None:
    seen = Seen(run_of(tmp_path, count))
    assert seen.root.get("width") == "800"
    bars = seen.shapes("rect", " on MIG-")
    assert len(bars) == 2 * count  # its life, and its window
    high = float(seen.root.get("height", "nan"))
    tops = [float(each.get("y", "nan")) for each in bars]
    assert len(set(tops)) == count
    assert max(tops) < high
    for each in seen.shapes("text"):
        said = "".join(each.itertext()).strip()
        size = float(each.get("font-size", "nan"))
        assert size >= 9
        assert 0 <= float(each.get("x", "nan")) < 800
        assert 0 < float(each.get("y", "nan")) < high, said


def test_a_bar_has_its_life_its_window_and_its_moments(tmp_path: Path) -> None:
    seen = Seen(run_of(tmp_path))
    life, window = seen.shapes("rect", "main on MIG-00000000 1g.10gb")
    # 72 s on 528 pixels; main lived for 41 s, and answered queries for 38 s.
    pixels_per_s = wide(life) / 41
    assert wide(window) == pytest.approx(38 * pixels_per_s, abs=0.1)
    (band,) = seen.shapes("rect", "main's window 38.0 s")
    assert band.get("x") == window.get("x")
    assert wide(band) == pytest.approx(wide(window), abs=0.1)
    settle, buffer = seen.shapes("rect", " asked")
    assert "settle time 12.0 s, 10.0 s asked" in "".join(settle.itertext())
    assert "end buffer 9.0 s, 5.0 s asked" in "".join(buffer.itertext())
    assert wide(settle) == pytest.approx(12 * pixels_per_s, abs=0.1)
    assert len(seen.shapes("polyline", "start marker of")) == 7
    (tick,) = seen.shapes("polyline", "first query of main")
    x = float(str(tick.get("points")).partition(",")[0])
    assert x == pytest.approx(float(str(window.get("x"))), abs=0.1)
    said = "".join(life.itertext())
    assert "launched 20.00 s" not in said  # 0 is the first launch, 0.1 s in
    assert "launched 19.90 s; start marker 20.90 s; first query 21.90 s" in said
    assert "answered queries from 21.90 s to 59.90 s (by loadgen)" in said


def test_what_went_wrong_is_whole_and_stands_where_it_did(tmp_path: Path) -> None:
    sentence = f"The overlap broke: {'background bert_offline did nothing, ' * 9}x."
    other = "A second thing went wrong."
    problem = {"text": sentence, "harnesses": ["background-2-bert"], "at": BEGIN + 30}
    seen = Seen(
        run_of(
            tmp_path,
            failure=f"{sentence}\n{other}\nLast lines of it:\n  printed",
            course=course(problems=[problem, {"text": other}]),
        )
    )
    red = [each for each in seen.shapes("text") if each.get("class") == "f-bad"]
    said = ["".join(each.itertext()) for each in red]
    assert said[:2] == ["FAILED", "1"]
    assert " ".join(said[2 : said.index("2")]) == sentence
    assert other in said
    assert "printed" not in "".join(seen.texts)
    (cross, _) = seen.shapes("polyline", "background-2-bert: stopped")
    x = float(str(cross.get("points")).partition(",")[0]) + 4
    (life, _) = seen.shapes("rect", "main on MIG-")
    pixels_per_s = wide(life) / 41
    assert x == pytest.approx(190 + 29.9 * pixels_per_s, abs=0.2)


def test_a_harness_that_crashed_is_marked_at_its_end(tmp_path: Path) -> None:
    harnesses = [harness(0), harness(1, stopped=None, exit_code=137, windows=[])]
    seen = Seen(run_of(tmp_path, harnesses, failure="It broke."))
    assert len(seen.shapes("polyline", "background-1-bert: exit code 137")) == 2
    (life, unproved) = seen.shapes("rect", "background-1-bert on")
    assert unproved.get("opacity") == "0.4"
    assert wide(unproved) < wide(life)


def test_main_without_a_proved_window_shows_its_queries(tmp_path: Path) -> None:
    harnesses = [harness(0, windows=[], finished=None), harness(1)]
    seen = Seen(run_of(tmp_path, harnesses))
    (band,) = seen.shapes("rect", "main's queries, not proved")
    assert band.get("opacity") == "0.5"


def test_what_a_gpu_said_is_on_the_same_axis(tmp_path: Path) -> None:
    seen = Seen(run_of(tmp_path))
    (line,) = seen.shapes("polyline", "power, W: 280 to 319")
    points = [tuple(map(float, x.split(","))) for x in str(line.get("points")).split()]
    (life, _) = seen.shapes("rect", "main on MIG-")
    assert points[0][0] == pytest.approx(float(str(life.get("x"))), abs=0.1)
    assert len(points) == 40
    assert {"power, W", "280", "319"} <= set(seen.texts)


@pytest.mark.parametrize(
    "changes",
    [
        {"harnesses": []},
        {"harnesses": [harness(0)]},
        {"harnesses": [harness(0, launched=None, exited=None, windows=[]), harness(1)]},
        {"harnesses": [harness(0, exited=None, finished=None, windows=[])]},
        {"course": None},
        {"course": {}},
        {"course": course(settle=None, end_buffer=None, samples={})},
        {"course": course(samples={"power_w": {"at": [BEGIN + 30], "values": [3]}})},
        {"course": course(samples={"x": {"at": [1], "values": [2]}})},
        {"phases": {}},
        {"phases": {"setup": PASSED["setup"]}},
        {"test": ""},
    ],
)
def test_what_is_known_of_a_part_of_a_run_is_drawn(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    harnesses = changes.pop("harnesses", 3)
    seen = Seen(run_of(tmp_path, harnesses, **changes))
    lanes = seen.shapes("rect", " on MIG-")
    launched = harnesses == 3 or any(each["launched"] for each in harnesses)
    assert bool(lanes) == launched
    assert ("Nothing was launched." in seen.texts) == (not launched)


@pytest.mark.parametrize(
    ("changes", "said", "fill"),
    [
        ({}, "PASSED", "good"),
        ({"executed_again": True}, "EXECUTED AGAIN", "faint"),
        (
            {"phases": {x: PASSED[x] for x in ("setup", "teardown")}},
            "DID NOT END",
            "bad",
        ),
        ({"facts": {"overlap_ok": "false"}}, "PASSED, OVERLAP BROKEN", "bad"),
        ({"phases": failed("setup", "No marker.")}, "ERROR", "bad"),
    ],
)
def test_the_verdict_is_that_of_the_page(
    tmp_path: Path, changes: dict[str, Any], said: str, fill: str
) -> None:
    verdict = Seen(run_of(tmp_path, **changes)).shapes("text")[0]
    assert (verdict.text, verdict.get("fill")) == (said, TONES[fill][0])


def test_a_server_is_a_bar_of_its_own_and_one_of_several_is_one(tmp_path: Path) -> None:
    server = {"launched": BEGIN, "ready": BEGIN + 9, "exited": BEGIN + 75}
    one, two = (harness(n, server=server) for n in (1, 2))
    seen = Seen(run_of(tmp_path, [harness(0), one, two]))
    assert len(seen.shapes("rect", "background-1-bert's server on")) == 1
    assert not seen.shapes("rect", "background-2-bert's server on")
    assert len(seen.shapes("polyline", "ready of background-1-bert's server")) == 1
    assert [text for text in seen.texts if text.endswith("server1's server")]


def test_backgrounds_that_have_run_for_hours_leave_main_its_place(
    tmp_path: Path,
) -> None:
    old = harness(1, launched=BEGIN - 36000, exited=None, stopped=None)
    facts = {"background_duration_by": "session"}
    seen = Seen(run_of(tmp_path, [harness(0), old], facts=facts))
    (life, _) = seen.shapes("rect", "main on MIG-")
    assert wide(life) > 200
    assert seen.x_of("background-1-bert on")[0] == 190
    assert "running" in seen.texts


@pytest.mark.parametrize("where", ["test", "role", "problem", "sample", "device"])
def test_hostile_names_show_as_text(tmp_path: Path, where: str) -> None:
    changes: dict[str, Any] = {"test": HOSTILE} if where == "test" else {}
    if where == "problem":
        changes["course"] = course(problems=[{"text": HOSTILE, "harnesses": [HOSTILE]}])
    if where == "sample":
        changes["course"] = course(
            samples={HOSTILE: {"at": [BEGIN + 30, BEGIN + 31], "values": [1, 2]}}
        )
    harnesses = [harness(0), harness(1)]
    if where == "role":
        harnesses[1] |= {"role": HOSTILE, "benchmark": HOSTILE}
    if where == "device":
        harnesses[1]["device"] = {"uuid": HOSTILE}
    seen = Seen(run_of(tmp_path, harnesses, **changes))
    assert not [each for each in seen.root.iter() if each.tag.endswith("script")]
    said = "\n".join(seen.root.itertext())
    assert "</svg><script>alert(1)</script>\\x1b[31m\\x00\\u202e" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("letters", ["W", "\u6e2c", "a ", "long-word/", "\n"])
def test_a_failure_of_any_length_stays_within_the_picture(
    tmp_path: Path, letters: str
) -> None:
    seen = Seen(run_of(tmp_path, failure=letters * 20_000))
    for each in seen.shapes("text"):
        if each.get("class") == "f-bad":
            said = "".join(each.itertext())
            x = float(each.get("x", "nan"))
            assert x + width_of(said, 9) <= 800
    assert float(seen.root.get("height", "nan")) < 900


@pytest.mark.parametrize("which", ODD)
def test_an_odd_record_is_drawn_as_far_as_it_goes(which: str, tmp_path: Path) -> None:
    changes = {"phases": PASSED, **ODD[which]}
    facts = changes.pop("facts", {})
    phases = changes.pop("phases")
    folder = write_run(tmp_path, phases=phases, record=changes, **facts)
    Seen(read_record(folder / "record.json"))


STRANGE: list[object] = [
    None,
    "x",
    -1,
    0,
    1e300,
    float("nan"),
    float("inf"),
    10**400,
    [],
    {},
    True,
]


@pytest.mark.parametrize("value", STRANGE, ids=str)
def test_strange_moments_are_left_out(tmp_path: Path, value: object) -> None:
    names = ("launched", "started", "first_query", "finished", "exited", "exit_code")
    harnesses = [harness(0)]
    harnesses += [harness(n, **{name: value}) for n, name in enumerate(names, 1)]
    spans = [value, {"begin": value, "end": 3}, {"begin": BEGIN, "end": value}]
    harnesses += [harness(8, windows=value), harness(9, windows=spans)]
    said = dict.fromkeys(("seen", "settle", "end_buffer", "problems", "samples"), value)
    strange = course(**said)
    seen = Seen(run_of(tmp_path, harnesses, course=strange))
    assert len(seen.shapes("rect", "main on MIG-")) == 2
    held = {"at": value, "values": value}, {"at": [value, 3], "values": [3, value]}
    samples = dict(zip("ab", held, strict=True)) | {"c": value}
    problems = [value, {"text": value}, {"text": "x", "harnesses": value, "at": value}]
    other = course(samples=samples, problems=problems)
    folder = tmp_path / "other"
    seen = Seen(run_of(folder, harnesses, course=other))
    assert "x" in seen.texts


@pytest.mark.parametrize("folder", sorted(each.name for each in GOLDEN.iterdir()))
def test_records_of_before_there_were_pictures(folder: str) -> None:
    path = GOLDEN / folder / "record.json"
    seen = Seen(read_record(path))
    said = json.loads(path.read_text())["harnesses"]
    launched = [each for each in said if each["launched"]]
    assert len(seen.shapes("rect", ": launched ")) >= len(launched)
