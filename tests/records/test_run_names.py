"""The order of runs by the names of their folders."""

from __future__ import annotations

from pathlib import Path

from pytest_mighetero.records.comparison.history import series_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.records.run_names import make_folder, run_names
from tests.cli.runs import write_run

SECOND = "20260722-101500-bert_server"


def test_the_tenth_run_of_a_second_comes_after_the_second(tmp_path: Path) -> None:
    made = [SECOND, *(f"{SECOND}-{number}" for number in range(2, 12))]
    other = ["20260722-101500", "20260722-101500-bert_server-test01", "x"]
    for name in made + other:
        write_run(tmp_path, name)
    assert [name for name in run_names(tmp_path) if name in made] == made
    assert [name for name in run_names(tmp_path) if name in other] == other
    found = [each for each in find_records([str(tmp_path)]) if isinstance(each, Record)]
    assert [x.folder.name for x in found if x.folder.name in made] == made
    (series,) = series_of(x for x in reversed(found) if x.folder.name in made)
    assert [point.folder.name for point in series.points] == made


def test_folders_are_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    made = [make_folder(tmp_path, "bert_server").name for _ in range(12)]
    assert run_names(tmp_path) == made
