"""What runs came to over time, and that a change is judged as by --mig-compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.records.comparison.history import Series, series_of
from pytest_mighetero.records.comparison.judgement import judge_by_earlier
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records
from tests.cli.runs import failed, write_run
from tests.cli.strange import ODD

OFFLINE: dict[str, Any] = {
    "scenario": "offline",
    "target_qps": None,
    "p99_ms": None,
    "run_args": "--benchmarks=bert",
}
LATENCY = {**OFFLINE, "scenario": "singlestream", "unit": "ms"}
# By what is odd about them: sessions and facts of the runs, one after the other.
HISTORIES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "worse": [("a", {"value": "100"}), ("b", {"value": "90"})],
    "better": [("a", {"value": "100"}), ("b", {"value": "120"})],
    "lower is better": [
        ("a", {**LATENCY, "value": "5"}),
        ("b", {**LATENCY, "value": "6"}),
    ],
    "one session": [("a", {"value": "100"}), ("a", {"value": "50"})],
    "samples": [
        *(("a", {"value": each}) for each in ("100", "90", "80")),
        *(("b", {"value": each}) for each in ("84", "86", "100")),
        ("a", {"value": "70"}),
    ],
    "another driver": [("a", {"value": "100"}), ("b", {"value": "50", "driver": "9"})],
    "back to a driver": [
        ("a", {"value": "100"}),
        ("b", {"value": "50", "driver": "9"}),
        ("c", {"value": "80"}),
    ],
    "INVALID between": [
        ("a", {"value": "100"}),
        ("b", {"value": "10", "validity": "INVALID"}),
        ("c", {"value": "80"}),
    ],
    "server": [
        (name, {"scenario": "server", "target_qps": "100", "p99_ms": p99})
        for name, p99 in (("a", "50"), ("b", "60"), ("c", "58"))
    ],
    "server's targets": [
        (name, {"scenario": "server", "target_qps": target, "p99_ms": "50"})
        for name, target in (("a", "100"), ("b", "80"), ("c", "90"))
    ],
    "zero": [("a", {"value": "0"}), ("b", {"value": "5"}), ("c", {"value": "1"})],
    "not equal units": [
        ("a", {"value": "5"}),
        ("b", {"value": "5", "unit": "tokens/s"}),
    ],
}


def read(results: Path) -> list[Record]:
    found = find_records([str(results)])
    return [each for each in found if not isinstance(each, RecordError)]


def only(results: Path) -> Series:
    [series] = series_of(read(results))
    return series


def offline(results: Path, name: str, session: str, **facts: Any) -> Path:
    known = {**OFFLINE, **facts}
    folder = f"{name}-bert_{known['scenario']}"
    return write_run(results, folder, record={"session": session}, **known)


@pytest.mark.parametrize("history", HISTORIES)
def test_a_change_is_judged_as_mig_compare_did(tmp_path: Path, history: str) -> None:
    """Each run by those that were there before it, in sentences that are the same."""
    said: dict[str, str] = {}
    for day, (session, facts) in enumerate(HISTORIES[history], 1):
        folder = offline(tmp_path / "new", f"202607{day:02}-101500", session, **facts)
        record = read(folder)[0]
        results = tmp_path / "results"
        results.mkdir(exist_ok=True)
        judged = judge_by_earlier(results, record.facts, session, 0.05)
        said[folder.name] = " ".join(judged.problems)
        folder.rename(results / folder.name)
    points = only(tmp_path / "results").points
    assert {point.folder.name: point.flagged for point in points} == said


def test_histories_have_both_verdicts(tmp_path: Path) -> None:
    """Else the two could agree on nothing."""
    for number, (session, facts) in enumerate(HISTORIES["samples"]):
        offline(tmp_path, f"20260701-10150{number}", session, **facts)
    flagged = [bool(point.flagged) for point in only(tmp_path).points]
    assert flagged == [False, False, False, True, False, False, True]


def test_bounds_are_the_references_or_the_ones_of_history(tmp_path: Path) -> None:
    names = ("reference_lower", "reference_upper", "reference_unit")
    every = (
        (None, None, None),
        (None, None, None),
        ("95.25", "105", "samples/s"),
        ("95", "105", "ms"),
        ("95", None, "samples/s"),
        ("nan", "x", "samples/s"),
        ("105", "95", "samples/s"),
        ("-9e307", "9e307", "samples/s"),
    )
    for day, said in enumerate(every, 1):
        facts = dict(zip(names, said, strict=True))
        # A text says what it will: it is for people.
        facts["reference"] = "100 (1 to 2 samples/s)"
        offline(tmp_path, f"202607{day:02}-101500", str(day), value="100", **facts)
    bounds = [point.bounds for point in only(tmp_path).points]
    assert bounds[:3] == [None, (95, None), (95.25, 105)]
    assert bounds[3:] == [(95, None)] * 5


def test_bad_runs_have_no_figure_and_say_why(tmp_path: Path) -> None:
    offline(tmp_path, "20260701-101500", "a", value="100")
    phases = failed("call", "Main failed: it burned.\nmore")
    write_run(tmp_path, "20260702-101500-bert_offline", phases=phases, **OFFLINE)
    bad = only(tmp_path).points[1]
    assert (bad.value, bad.flagged) == (None, "")
    assert bad.problem == "call failed: Main failed: it burned."


def test_what_mig_compare_failed_is_flagged_and_nothing_is_judged_by_it(
    tmp_path: Path,
) -> None:
    offline(tmp_path, "20260701-101500", "a", value="100")
    for day, (session, value) in enumerate((("b", "50"), ("c", "60")), 2):
        results = tmp_path
        facts: dict[str, Any] = {**OFFLINE, "value": value}
        record = {"session": session}
        folder = write_run(tmp_path / "new", "x", record=record, **facts)
        [seen] = read(folder)
        judged = judge_by_earlier(results, seen.facts, session, 0.05)
        facts["compared_ok"] = str(judged.facts["compared_ok"]).lower()
        phases = failed("call", " ".join(judged.problems))
        name = f"202607{day:02}-101500-bert_offline"
        write_run(results, name, phases, record, **facts)
        (folder / "record.json").unlink()
        folder.rmdir()
    points = only(tmp_path).points
    assert [point.value for point in points] == [100, 50, 60]
    assert [point.problem for point in points] == ["", "", ""]
    assert "50.0% worse than the 100 of" in points[1].flagged
    assert "40.0% worse than the 100 of" in points[2].flagged


def test_what_is_not_the_same_is_a_series_of_its_own(tmp_path: Path) -> None:
    every: tuple[dict[str, Any], ...] = (
        {},
        {"device_profile": "1g.10gb"},
        {"gpu": "NVIDIA H100"},
        {"suite": "v5.1"},
        {"backgrounds": "dlrm"},
        {"run": "isolated", "backgrounds": None},
        {"action": "run_audit_test01"},
        {"driver": "9"},
    )
    for day, facts in enumerate(every, 1):
        offline(tmp_path, f"202607{day:02}-101500", "a", **facts)
    lengths = [len(series.points) for series in series_of(read(tmp_path))]
    assert sorted(lengths) == [1, 1, 1, 1, 1, 1, 2]


# By what tells them apart: facts of two runs, and what is said of each.
ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "slot": ({"device_slot": "0"}, {"device_slot": "3"}, {"slot 0", "slot 3"}),
    "no slot": ({}, {"device_slot": "3"}, {"slot not known", "slot 3"}),
    "folder": (
        {"harness_dir": "/a"},
        {"harness_dir": "/b"},
        {"harness in /a", "harness in /b"},
    ),
    "search": (
        {"tuned": "true"},
        {},
        {"target searched", "target not searched"},
    ),
    "action": (
        {"action": "run_harness"},
        {"action": "run_other"},
        {"action run_harness", "action run_other"},
    ),
    "settings": (
        {"run_args": "--benchmarks=bert --gpu_batch_size=8"},
        {"run_args": "--benchmarks=bert --gpu_batch_size=16 --use_graphs"},
        {"settings --gpu_batch_size=8", "settings --gpu_batch_size=16 --use_graphs"},
    ),
    "more settings": (
        {"run_args": "--benchmarks=bert"},
        {"run_args": "--benchmarks=bert --use_graphs"},
        {"no further settings", "settings --use_graphs"},
    ),
    "the order of settings": (
        {"run_args": "--a=1 --a=2"},
        {"run_args": "--a=2 --a=1"},
        {"settings --a=1 --a=2", "settings --a=2 --a=1"},
    ),
    "several": (
        {"device_slot": "0", "run_args": ""},
        {"device_slot": "1", "run_args": "--x"},
        {"slot 0, no further settings", "slot 1, settings --x"},
    ),
    "where the comma is": (
        {"device_profile": "a", "gpu": "b, c"},
        {"device_profile": "a, b", "gpu": "c"},
        {"GPU b, c, device profile a", "GPU c, device profile a, b"},
    ),
}


@pytest.mark.parametrize("what", ALIKE)
def test_what_tells_series_apart_is_told(tmp_path: Path, what: str) -> None:
    *every, said = ALIKE[what]
    for day, facts in enumerate(every, 1):
        offline(tmp_path, f"202607{day:02}-101500", "a", **facts)
    series = series_of(read(tmp_path))
    assert {each.apart for each in series} == said
    assert len({(each.name, each.place) for each in series}) == 2
    assert all(each.place.startswith(each.apart) for each in series)


def test_what_is_told_apart_already_is_not_told_twice(tmp_path: Path) -> None:
    offline(tmp_path, "20260701-101500", "a", device_slot="0", backgrounds="dlrm")
    offline(tmp_path, "20260702-101500", "a", device_slot="1", backgrounds="rnnt")
    assert [each.apart for each in series_of(read(tmp_path))] == ["", ""]


def test_runs_are_in_the_order_of_their_folders(tmp_path: Path) -> None:
    """Several results folders, too, and those that do not say when."""
    offline(tmp_path / "b", "20260701-101500", "a", value="1")
    offline(tmp_path / "a", "20260702-101500", "a", value="2")
    offline(tmp_path / "a", "20269999-101500", "a", value="3")
    offline(tmp_path / "a", "moved", "a", value="4")
    records = [*read(tmp_path / "a"), *read(tmp_path / "b")]
    [series] = series_of(records)
    assert list(series.values) == [1, 2, 3, 4]
    unknown = [point.when is None for point in series.points]
    assert unknown == [False, False, True, True]


@pytest.mark.parametrize("odd", ODD)
def test_odd_records_are_points(tmp_path: Path, odd: str) -> None:
    write_run(tmp_path, record=ODD[odd])
    assert len(only(tmp_path).points) == 1


def test_no_records_are_no_series() -> None:
    assert series_of([]) == ()
