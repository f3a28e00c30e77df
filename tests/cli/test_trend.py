"""``mighetero trend``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.cli.runs import failed, write_run
from tests.cli.strange import make_strange

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def results(tmp_path: Path) -> str:
    """Return a folder with a change for the worse in it."""
    folder = tmp_path / "results"
    for day, p99 in enumerate(("50", "51", "70"), 1):
        name, record = f"202607{day:02}-101500-bert_server", {"session": str(day)}
        write_run(folder, name, record=record, p99_ms=p99)
    name = "20260704-101500-dlrm_offline"
    write_run(folder, name, benchmark="dlrm", scenario="offline")
    return str(folder)


def test_it_charts_each_thing_and_marks_the_change(
    results: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    assert main(["trend", results]) == 0
    out = capsys.readouterr().out
    assert "bert_server heterogeneous beside dlrm,resnet50\n" in out
    assert "last 70 ms, min 50, max 70, lower is better\n" in out
    assert "! bert_server: p99 at target 100 is 70 ms, 37.3% worse than the 51" in out
    assert "dlrm_offline" in out
    assert out.isascii()
    assert "\x1b" not in out


def test_k_chooses_as_pytests_does(results: str, capsys: Captured) -> None:
    assert main(["trend", results, "-k", "Bert and not offline", "--json"]) == 0
    [series] = json.loads(capsys.readouterr().out)
    assert (series["benchmark"], series["unit"]) == ("bert", "ms")
    assert [point["value"] for point in series["points"]] == [50, 51, 70]
    assert [bool(point["flagged"]) for point in series["points"]] == [0, 0, 1]


@pytest.mark.parametrize("option", ["-k", "--select"])
def test_a_chosen_run_is_judged_by_all_before_it(
    results: str, capsys: Captured, option: str
) -> None:
    assert main(["trend", results, option, "20260703", "--json"]) == 0
    [series] = json.loads(capsys.readouterr().out)
    [point] = series["points"]
    assert point["value"] == 70
    assert "37.3% worse than the 51" in point["flagged"]


def test_select_that_chooses_none_is_a_sentence(results: str, capsys: Captured) -> None:
    assert main(["trend", results, "--select", "2027"]) == 2
    assert "no run with '2027' in its folder's name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("bert and", "-k: 'bert and' is no expression of names with and, or, not: "),
        ("bret", "-k: 'bret' selects no run; the nearest: bert_server, dlrm_offline"),
    ],
)
def test_k_that_cannot_be_meant_is_one_sentence(
    results: str, capsys: Captured, keyword: str, said: str
) -> None:
    assert main(["trend", results, "-k", keyword]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"mighetero trend: {said}")
    assert (shown.out, shown.err.count("\n")) == ("", 1)


def test_csv_has_a_line_for_each_run(results: str, capsys: Captured) -> None:
    assert main(["trend", results, "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["value"] for row in rows] == ["50.0", "51.0", "70.0", "99.8"]
    assert rows[0]["time"] == "2026-07-01T10:15:00"


def test_it_writes_a_picture(results: str, tmp_path: Path, capsys: Captured) -> None:
    picture = tmp_path / "trend.svg"
    assert main(["trend", results, "-o", str(picture)]) == 0
    assert picture.read_text().startswith("<?xml")
    assert main(["trend", results, "-o", str(tmp_path / "no" / "x.svg")]) == 2
    assert "name a file in a folder that exists" in capsys.readouterr().err


def test_only_bad_runs_are_marks(tmp_path: Path, capsys: Captured) -> None:
    write_run(tmp_path / "r", phases=failed("call", "\x1b[31mMain failed"))
    assert main(["trend", str(tmp_path / "r")]) == 0
    out = capsys.readouterr().out
    assert "no figure in 1 runs" in out
    assert "\x1b" not in out


def test_damage_is_told_and_the_rest_charted(results: str, capsys: Captured) -> None:
    make_strange(Path(results), "cut short")
    assert main(["trend", results]) == 1
    shown = capsys.readouterr()
    assert "dlrm_offline" in shown.out
    assert "is no record of a run" in shown.err


def test_no_results_are_a_sentence(tmp_path: Path, capsys: Captured) -> None:
    assert main(["trend", str(tmp_path / "none")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
    assert main(["trend", str(tmp_path)]) == 2
    assert "no record in it" in capsys.readouterr().err
