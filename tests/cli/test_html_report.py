"""``mighetero report``: one page of records."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.cli.runs import write_run

Capture = pytest.CaptureFixture[str]


def test_of_a_results_folder_or_a_part_of_it(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "20260722-101500-bert_server")
    write_run(tmp_path / "results", "20260722-111500-dlrm_server")
    page = tmp_path / "report.html"
    assert main(["report", str(tmp_path / "results"), "-o", str(page)]) == 0
    assert "2 runs passed" in page.read_text()
    chosen = ["--select=dlrm", "-o", str(page)]
    assert main(["report", str(tmp_path / "results"), *chosen]) == 0
    assert "1 run passed" in page.read_text()
    assert "bert_server" not in page.read_text()


def test_what_was_run_more_than_once_is_drawn_over_time(tmp_path: Path) -> None:
    results, page = tmp_path / "results", tmp_path / "report.html"
    command = ["report", str(results), "-o", str(page)]
    write_run(results, "20260722-101500-bert_server")
    write_run(results, "20260722-111500-dlrm_server", benchmark="dlrm")
    assert main(command) == 0
    assert "Over time" not in page.read_text()
    write_run(results, "20260723-101500-bert_server", value="97")
    assert main(command) == 0
    chart = page.read_text().partition("Over time")[2].partition("</svg>")[0]
    assert "bert_server heterogeneous beside dlrm,resnet50" in chart
    assert "dlrm_server" not in chart


def test_a_damaged_record_among_others(tmp_path: Path, capsys: Capture) -> None:
    write_run(tmp_path / "results")
    bad = write_run(tmp_path / "results", "20260722-111500-dlrm_server")
    (bad / "record.json").write_text("[]")
    page = tmp_path / "report.html"
    assert main(["report", str(tmp_path / "results"), "-o", str(page)]) == 1
    assert f"{bad}/record.json is no record of a run" in capsys.readouterr().err
    assert "1 of 2 runs is red" in page.read_text()


def test_where_there_is_nothing_to_read_or_write(
    tmp_path: Path, capsys: Capture
) -> None:
    results, page = tmp_path / "results", tmp_path / "report.html"
    assert main(["report", str(results), "-o", str(page)]) == 2
    assert "no such file or folder" in capsys.readouterr().err
    assert not page.exists()
    write_run(results)
    assert main(["report", str(results), "-o", f"{tmp_path}/no/report.html"]) == 2
    said = capsys.readouterr().err
    assert "--output: " in said
    assert "cannot be written: No such file or directory" in said


def test_without_jinja2(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "results")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    page = tmp_path / "report.html"
    assert main(["report", str(tmp_path / "results"), "-o", str(page)]) == 2
    said = capsys.readouterr().err
    assert "needs jinja2" in said
    assert "pip install 'pytest-mighetero[report]'" in said
    assert [each.name for each in tmp_path.iterdir()] == ["results"]
