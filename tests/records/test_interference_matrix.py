"""The interference matrix of records: what belongs together, whatever lies there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.records.comparison.matrix import (
    Cell,
    Matrix,
    cell_among,
    cell_facts,
    cell_of,
)
from pytest_mighetero.records.comparison.matrix_records import matrix_of
from pytest_mighetero.records.facts import texts
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.results_folder import find_records
from tests.cli.runs import FACTS, failed, write_run
from tests.cli.strange import ODD

OFFLINE = {"scenario": "offline", "target_qps": None, "p99_ms": None}


class Results:
    """A results folder, each run later than the one before."""

    def __init__(self, folder: Path):
        self.folder, self._number = folder, 0

    def _write(self, name: str, test: str, **said: Any) -> None:
        self._number += 1
        record = {"test": test, **said.pop("record", {})}
        stamp = f"20260722-10{self._number:04d}"
        write_run(self.folder, f"{stamp}-{name}", record=record, **said)

    def alone(self, value: str, run: str = "", **said: Any) -> None:
        beside = {"run": "isolated", "backgrounds": None}
        facts = {**OFFLINE, "value": value, **beside, **said}
        self._write("bert_offline", f"t.py::alone[bert_offline{run}]", **facts)

    def beside(
        self, value: str, other: str = "dlrm_offline", run: str = "", **said: Any
    ) -> None:
        cell = {"victim": "bert_offline", "aggressor": other}
        facts = {**OFFLINE, "value": value, "backgrounds": "dlrm,dlrm", **cell, **said}
        name = f"bert_offline-beside-{other}"
        self._write(name, f"t.py::beside[{name}{run}]", **facts)

    @property
    def records(self) -> Iterator[Record]:
        found = find_records([str(self.folder)])
        return (each for each in found if isinstance(each, Record))

    @property
    def matrix(self) -> Matrix:
        matrix = matrix_of(self.records)
        assert matrix is not None
        return matrix

    @property
    def cell(self) -> Cell:
        (cell,) = self.matrix.cells
        return cell


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def test_no_cells_make_no_matrix(results: Results) -> None:
    assert matrix_of([]) is None
    results.alone("100")
    assert matrix_of(results.records) is None


def test_a_cell_and_its_victim_alone(results: Results) -> None:
    results.alone("100")
    results.beside("80")
    matrix = results.matrix
    assert matrix.victims == ("bert_offline",)
    assert matrix.aggressors == ("dlrm_offline",)
    assert matrix.about == {
        "suite": "v2.0",
        "gpu": "NVIDIA A100-SXM4-80GB",
        "driver": "550.54.15",
    }
    assert results.cell == Cell(
        *("bert_offline", "dlrm_offline", 2, 100, 80, "samples/s", 1.25),
        figure="samples/s",
    )
    assert matrix.cell("bert_offline", "rnnt_offline").problem == "it was not run"


def test_the_latest_run_of_each_test_counts(results: Results) -> None:
    for value in ("50", "100"):
        results.alone(value)
    for value in ("10", "80"):
        results.beside(value)
    assert (results.cell.alone, results.cell.beside) == (100, 80)


@pytest.mark.parametrize(
    ("marks", "figures"),
    [(("g-1", "g-1"), (102, 72, False)), (("g-1", "h-1"), (104, 74, None))],
)
def test_repeats_of_an_earlier_session_count_where_they_have_the_mark(
    results: Results, marks: tuple[str, str], figures: tuple[float, float, bool | None]
) -> None:
    said = [{"session": str(n), "setup": mark} for n, mark in enumerate(marks)]
    for run, value in enumerate(("100", "104")):
        results.alone(value, f"-run{run}", record=said[run])
    results.beside("10", record=said[0])  # a test without repeats
    for run, value in enumerate(("70", "74")):
        results.beside(value, run=f"-run{run}", record=said[run])
    cell = results.cell
    assert (cell.alone, cell.beside, cell.noise) == figures
    assert len(results.matrix.left_out) == (0 if cell.alone == 102 else 1)


def test_no_run_of_an_earlier_session_counts_without_a_mark(results: Results) -> None:
    results.alone("100", record={"session": "1"})
    results.beside("80", record={"session": "2"})
    assert results.cell.problem == "bert_offline has no good run alone"


def test_an_earlier_run_alone_on_the_same_ground_is_named(results: Results) -> None:
    results.alone("100", record={"session": "1", "setup": "g-alone"})
    results.beside("80", record={"session": "2", "setup": "g-beside"})
    assert results.cell.slowdown == 1.25
    folder = results.folder / "20260722-100001-bert_offline"
    assert results.cell.base == f"{folder}, of 2026-07-22 10:00"


def test_runs_by_other_run_args_are_left_out(results: Results) -> None:
    other = {"run_args": "--min_duration=9"}
    results.alone("50", "-run1", **other)
    results.beside("10", run="-run1", **other)
    results.beside("20", run="-run2", **other)
    results.alone("100", "-run1")
    results.beside("80", run="-run1")
    assert (results.cell.alone, results.cell.beside) == (100, 80)
    beside = "bert_offline beside dlrm_offline"
    said = f"2 runs by other RUN_ARGS (--min_duration=9): {beside}"
    assert results.matrix.left_out == (said,)


def test_an_older_figure_by_other_run_args_hides_no_failure(results: Results) -> None:
    results.alone("100", record={"session": "1"}, run_args="--min_duration=9")
    results.beside("80", record={"session": "1"}, run_args="--min_duration=9")
    results.alone("100", record={"session": "2"})
    results.beside("80", record={"session": "2"}, phases=failed("call", "it died"))
    assert results.cell.problem == "call failed: it died"


def test_a_cell_that_failed_early_does_not_hide_the_others(results: Results) -> None:
    results.alone("100")
    results.beside("80")
    names = ("gpu", "driver", "run_args", "validity")
    unknown: dict[str, Any] = dict.fromkeys(names)
    results.beside("1", "rnnt_offline", phases=failed("setup", "no make"), **unknown)
    one, two = results.matrix.cells
    assert (one.slowdown, two.problem) == (1.25, "setup failed: no make")
    assert results.matrix.left_out == ()


@pytest.mark.parametrize("other", [{"harness_dir": "/b"}, {"aggressor_limit": "1"}])
def test_cells_of_other_harnesses_and_counts_stand_beside_each_other(
    results: Results, other: dict[str, str]
) -> None:
    results.alone("100")
    results.beside("80")
    results.beside("50", "rnnt_offline", backgrounds="rnnt", **other)
    assert [each.aggressor for each in results.matrix.cells] == [
        "dlrm_offline",
        "rnnt_offline",
    ]


def test_a_run_on_another_device_is_no_repeat(results: Results) -> None:
    results.alone("100")
    results.beside("300", run="-run1", gpu="NVIDIA H100 80GB HBM3")
    results.beside("50", run="-run2")
    *alone, first, second = results.records
    found = cell_among([first, second], alone, 1.1)
    assert (found.beside, found.slowdown, found.failed) == (50, 2, True)


def test_a_difference_within_the_spreads_is_noise(results: Results) -> None:
    for run, value in enumerate(("100", "80"), 1):
        results.alone(value, f"-run{run}")
        results.beside(str(int(value) - 15), run=f"-run{run}")
    assert results.cell.noise is True


@pytest.mark.parametrize(
    "other",
    [
        {"gpu": "NVIDIA A30"},
        {"driver": "535.1"},
        {"device_profile": "2g.20gb"},
        {"geometry": "GPU 0: 2 x 3g.40gb"},
        {"suite": "v1.1"},
        {"device_slot": "3"},
    ],
)
def test_cells_of_another_set_up_are_left_out(
    results: Results, other: dict[str, str]
) -> None:
    results.alone("100", **other)
    results.beside("10", **other)
    results.beside("20", "rnnt_offline", **other)
    facts = {"geometry": "GPU 0: 7 x 1g.10gb", "device_profile": "1g.10gb"}
    newest: dict[str, Any] = {**facts, "device_slot": "0"}
    results.alone("100", **newest)
    results.beside("80", **newest)
    matrix = results.matrix
    assert [each.slowdown for each in matrix.cells] == [1.25]
    (said,) = matrix.left_out
    assert said.startswith("2 runs of another set-up (")
    assert next(iter(other.values())) in said


@pytest.mark.parametrize(
    "other",
    [{"gpu": "NVIDIA A30"}, {"driver": "5"}, {"run_args": "--min_duration=9"}],
)
def test_alone_on_another_set_up_is_no_base(
    results: Results, other: dict[str, str]
) -> None:
    results.alone("100", **other)
    results.beside("80")
    assert results.cell.slowdown is None
    assert results.cell.problem == "bert_offline has no good run alone"


def test_a_run_that_failed_has_no_figure(results: Results) -> None:
    results.alone("100")
    results.beside("80")
    results.beside("80", phases=failed("call", "it was INVALID"))
    cell = results.cell
    assert cell.slowdown is None
    assert cell.problem == "call failed: it was INVALID"


def test_its_row_says_what_its_victim_did_alone(results: Results) -> None:
    results.alone("100")
    results.beside("80", phases=failed("call", "main died"))
    assert (results.cell.alone, results.cell.unit) == (100, "samples/s")
    assert results.cell.slowdown is None


def test_one_that_was_too_slow_alone_has(results: Results) -> None:
    results.alone("100")
    said = "it is 1.25 times as slow"
    phases, record = failed("teardown", said), {"too_slow": said}
    results.beside("80", phases=phases, slowdown_ok="false", record=record)
    cell = results.cell
    assert (cell.slowdown, cell.failed) == (1.25, True)
    assert cell.problem == "it is 1.25 times as slow"


@pytest.mark.parametrize("ok", ["false", "true"])
def test_one_that_a_session_failed_by_the_better_of_two_has_medians(
    results: Results, ok: str
) -> None:
    for run, value in (("-run1", "100"), ("-run2", "110")):
        results.alone(value, run)
    said = "it is 1.375 times as slow"
    slow: dict[str, Any] = {}
    if ok == "false":
        slow = {"phases": failed("teardown", said), "record": {"too_slow": said}}
    for run in ("-run1", "-run2"):
        results.beside("80", run=run, slowdown_ok=ok, **slow)
    cell = results.cell
    assert (cell.alone, cell.slowdown) == (105, 105 / 80)
    assert (cell.failed, cell.problem) == (ok == "false", said if slow else "")


@pytest.mark.parametrize("said", ["main died", "it is slow\nmain died", ""])
def test_one_that_failed_for_another_reason_has_none(
    results: Results, said: str
) -> None:
    results.alone("100")
    phases, record = failed("teardown", said), {"too_slow": "it is slow"}
    results.beside("80", phases=phases, slowdown_ok="false", record=record)
    assert results.cell.slowdown is None


def test_a_run_whose_overlap_broke_has_none(results: Results) -> None:
    results.alone("100")
    results.beside("80", overlap_ok="false", slowdown_ok="false")
    assert results.cell.slowdown is None


def test_an_execution_that_another_followed_is_none(results: Results) -> None:
    results.alone("100")
    results.beside("80")
    results.beside("10", record={"executed_again": True})
    assert results.cell.beside == 80


def test_targets_that_were_chosen_differently(results: Results) -> None:
    server = {"scenario": "server", "p99_ms": "50"}
    results.alone("99", **server, target_qps="100")
    results.beside("99", **server, target_qps="90", victim="bert_server")
    cell = results.cell
    assert cell.slowdown is None
    assert "the targets were chosen differently (100, 90)" in cell.problem


@pytest.mark.parametrize(
    "value", ["nan", "inf", "1e999", "-3", "0", "fast", "1e300", "1e-300", "\x1b"]
)
def test_figures_that_are_none_make_no_slowdown_and_no_crash(
    results: Results, value: str
) -> None:
    results.alone(value)
    results.beside("1e-300" if value == "1e300" else "80")
    slowdown = results.cell.slowdown
    assert slowdown is None or 0 < slowdown < 1e303


@pytest.mark.parametrize("name", ODD)
def test_odd_records_make_no_crash(results: Results, name: str) -> None:
    results.alone("100")
    odd = ODD[name]
    facts = {**FACTS, **odd.get("facts", {}), "aggressor": "dlrm_offline"}
    record = {**odd, "facts": facts, "test": odd.get("test", "t[x]")}
    write_run(results.folder, "20260722-119999-odd", record=record)
    assert matrix_of(results.records) is not None


def cell(alone: float, beside: float, limit: float | None) -> Cell:
    facts = {**FACTS, "scenario": "offline", "aggressor": "dlrm_offline"}
    known = [{**facts, "value": str(value)} for value in (alone, beside)]
    return cell_of(known[:1], known[1:], limit)


@pytest.mark.parametrize(
    ("beside", "is_failed"), [(91, False), (90, True), (110, False)]
)
def test_a_limit_is_how_many_times_slower(beside: float, is_failed: bool) -> None:
    found = cell(100, beside, 1.1)
    assert found.failed is is_failed
    assert bool(found.problem) is is_failed


@pytest.mark.parametrize(("above", "said"), [("none", True), ("81", False)])
def test_a_search_that_was_too_coarse_is_not_within_the_limit(
    above: str, said: bool
) -> None:
    search = {**FACTS, "aggressor": "dlrm_offline", "tuned": "true"}
    alone = {**search, "target_qps": "100", "tuned_invalid_above": "101"}
    beside = {**search, "target_qps": "80", "tuned_invalid_above": above}
    found = cell_of([alone], [beside], 1.1)
    assert (found.failed, found.noise) == (True, None)
    assert ("the search was too coarse to tell" in found.problem) is said


def test_the_properties_of_a_cell() -> None:
    assert texts(cell_facts(cell(100, 80, 1.1))) == {
        "slowdown": "1.2500",
        "slowdown_within_noise": "unknown: single runs",
        "slowdown_ok": "false",
    }
    assert texts(cell_facts(cell(100, 80, None))) == {
        "slowdown": "1.2500",
        "slowdown_within_noise": "unknown: single runs",
    }
    assert cell_facts(Cell("a", "b")) == {}
