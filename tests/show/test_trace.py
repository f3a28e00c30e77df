"""A trace keeps to Google's "Trace Event Format", as strictly as it is written."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import read_record
from pytest_mighetero.show.trace import trace
from tests.cli.runs import PASSED, write_run
from tests.cli.strange import ODD
from tests.show.courses import BEGIN, course, harness, run_of
from tests.show.pictures.test_timeline import HOSTILE, STRANGE

Event = dict[str, Any]
# By the phase of an event, what it must have beside name, ph, pid and tid.
NEEDED = {
    "M": {"args"},
    "X": {"cat", "ts", "dur", "args"},
    "i": {"cat", "ts", "s", "args"},
    "C": {"cat", "ts", "args"},
}
METADATA = {
    "process_name": ("name", str),
    "process_sort_index": ("sort_index", int),
    "thread_name": ("name", str),
    "thread_sort_index": ("sort_index", int),
}


def traced(*records: Record) -> list[Event]:
    """Return the events of a trace that was written and read, checked all over."""
    text = json.dumps(trace(records), allow_nan=False)
    data = json.loads(text)
    assert set(data) == {"traceEvents", "displayTimeUnit"}
    assert data["displayTimeUnit"] in ("ms", "ns")
    events: list[Event] = data["traceEvents"]
    for event in events:
        check(event)
    stamped = [event["ts"] for event in events if event["ph"] != "M"]
    assert stamped == sorted(stamped)
    tracks = {(event["pid"], event["tid"]) for event in events}
    for track in tracks:
        check_nested([e for e in events if (e["pid"], e["tid"]) == track])
    # As on one machine: a thread is of one process, and the first has its number.
    assert len({tid for _, tid in tracks}) == len(tracks)
    assert {(pid, pid) for pid, _ in tracks} <= tracks
    return events


def check(event: Event) -> None:
    phase = event["ph"]
    assert set(event) == {"name", "ph", "pid", "tid", *NEEDED[phase]}
    assert isinstance(event["name"], str)
    assert event["name"]
    assert event["name"].isprintable()
    for number in {"pid", "tid", "ts", "dur"} & set(event):
        assert type(event[number]) is int
        assert event[number] >= (1 if number in ("pid", "tid") else 0)
    assert isinstance(event["args"], dict)
    if phase == "M":
        name, kind = METADATA[event["name"]]
        assert set(event["args"]) == {name}
        assert isinstance(event["args"][name], kind)
    if phase == "C":
        (unit,) = event["args"]
        assert unit.isprintable()
        assert isinstance(event["args"][unit], float)
    if phase == "i":
        assert event["s"] == "t"


def check_nested(events: list[Event]) -> None:
    """Check that complete events of a track lie within each other, or apart."""
    open_until: list[int] = []
    for event in (each for each in events if each["ph"] == "X"):
        begin, end = event["ts"], event["ts"] + event["dur"]
        while open_until and open_until[-1] <= begin:
            open_until.pop()
        assert not open_until or end <= open_until[-1]
        open_until.append(end)


def of(events: list[Event], name: str, tid: int | None = None) -> list[Event]:
    return [e for e in events if e["name"] == name and tid in (None, e["tid"])]


def test_each_harness_is_a_track_with_its_life_and_its_windows(tmp_path: Path) -> None:
    events = traced(run_of(tmp_path, 7))
    names = [event["args"]["name"] for event in of(events, "thread_name")]
    assert names[:3] == [
        "the run",
        "main (dlrm_server)",
        "background-1-bert (bert_offline)",
    ]
    (life,) = of(events, "dlrm_server")
    assert (life["ts"], life["dur"], life["tid"]) == (19_900_000, 41_000_000, 2)
    assert life["args"] == {"device": "MIG-00000000 1g.10gb", "exit_code": 0}
    (window,) = of(events, "timed window", 2)
    assert (window["ts"], window["dur"]) == (21_900_000, 38_000_000)
    assert window["args"] == {
        "begin": BEGIN + 22,
        "end": BEGIN + 60,
        "source": "loadgen",
    }
    assert [e["ts"] for e in of(events, "first query", 2)] == [21_900_000]
    assert [e["ts"] for e in of(events, "start marker", 2)] == [20_900_000]
    assert len(of(events, "told to stop")) == 6
    (settle,), (buffer,) = of(events, "settle time"), of(events, "end buffer")
    assert (settle["dur"], settle["args"]) == (12_000_000, {"asked_s": 10})
    assert (buffer["tid"], buffer["ts"]) == (1, 60_900_000)


def test_what_a_gpu_said_are_counters(tmp_path: Path) -> None:
    events = traced(run_of(tmp_path))
    power = of(events, "power")
    assert [event["args"]["W"] for event in power] == list(range(280, 320))
    assert all(b["ts"] - a["ts"] == 1_000_000 for a, b in pairwise(power))


def test_what_went_wrong_is_a_mark_on_whom_it_is_about(tmp_path: Path) -> None:
    who = ["background-2-bert", "background-3-bert"]
    problems = [
        {"text": "They broke.", "harnesses": who, "at": BEGIN + 30},
        {"text": "Nobody knows who."},
    ]
    events = traced(run_of(tmp_path, course=course(problems=problems)))
    marks = of(events, "what went wrong")
    assert [(m["tid"], m["ts"], m["args"]["text"]) for m in marks] == [
        (4, 29_900_000, "They broke."),
        (5, 29_900_000, "They broke."),
        (1, 70_900_000, "Nobody knows who."),
    ]


def test_several_runs_are_processes_that_begin_at_once(tmp_path: Path) -> None:
    one, two = run_of(tmp_path / "one", 2), run_of(tmp_path / "two", 3)
    events = traced(one, two)
    tracks = {(event["pid"], event["tid"]) for event in events}
    assert tracks == {*((1, tid) for tid in (1, 2, 3)), *((4, 4 + n) for n in range(4))}
    first = [e for e in of(events, "bert_offline") if e["tid"] in (3, 6)]
    assert [e["ts"] for e in first] == [0, 0]
    order = of(events, "process_sort_index")
    assert [(e["pid"], e["args"]["sort_index"]) for e in order] == [(1, 1), (4, 2)]


def test_windows_beyond_a_life_and_over_each_other_are_nested(tmp_path: Path) -> None:
    spans = [(19.999, 40), (35, 50), (45, 46), (60, 61.001)]
    windows = [
        {"begin": BEGIN + begin, "end": BEGIN + end, "source": "loadgen"}
        for begin, end in spans
    ]
    events = traced(run_of(tmp_path, [harness(0, windows=windows)]))
    assert len(of(events, "timed window")) == 4
    told = [event["args"]["begin"] for event in of(events, "timed window")]
    assert told == [BEGIN + begin for begin, _ in spans]


def test_hostile_names_are_one_line_of_text(tmp_path: Path) -> None:
    changes = {"role": HOSTILE, "benchmark": HOSTILE, "device": {"uuid": HOSTILE}}
    problem = {"text": HOSTILE, "harnesses": [HOSTILE]}
    said = course(problems=[problem], samples={HOSTILE: {"at": [BEGIN], "values": [1]}})
    events = traced(
        run_of(tmp_path, [harness(0, **changes)], test=HOSTILE, course=said)
    )
    assert (
        "\\x1b[31m"
        in json.loads(json.dumps(of(events, "process_name")))[0]["args"]["name"]
    )
    texts = [e["args"]["text"] for e in of(events, "what went wrong")]
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize("which", ODD)
def test_an_odd_record_is_traced_as_far_as_it_goes(which: str, tmp_path: Path) -> None:
    changes = {"phases": PASSED, **ODD[which]}
    facts, phases = changes.pop("facts", {}), changes.pop("phases")
    folder = write_run(tmp_path, phases=phases, record=changes, **facts)
    traced(read_record(folder / "record.json"))


@pytest.mark.parametrize("value", STRANGE, ids=str)
def test_strange_moments_are_left_out(tmp_path: Path, value: object) -> None:
    names = ("launched", "started", "first_query", "finished", "exited", "exit_code")
    harnesses = [harness(0)]
    harnesses += [harness(n, **{name: value}) for n, name in enumerate(names, 1)]
    spans = [value, {"begin": value, "end": 3}, {"begin": BEGIN, "end": value}]
    harnesses.append(harness(8, windows=spans))
    said = {"a": {"at": [value, BEGIN], "values": [3, value]}}
    problems = [{"text": "x", "harnesses": value, "at": value}]
    odd = course(settle=value, end_buffer=value, samples=said, problems=problems)
    events = traced(run_of(tmp_path, harnesses, course=odd))
    assert len(of(events, "dlrm_server")) == 1
