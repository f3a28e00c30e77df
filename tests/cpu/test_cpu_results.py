from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.cpu import results

if TYPE_CHECKING:
    from pathlib import Path


def mllog(key: str, value: object) -> str:
    return f":::MLLOG {json.dumps({'key': key, 'value': value, 'time_ms': 1.5})}\n"


def test_performance_result(tmp_path: Path) -> None:
    lines = [
        "not a log line\n",
        mllog("result_validity", "INVALID"),
        mllog("result_samples_per_second", 36472.8),
        ':::MLLOG {"key": "cut',
    ]
    log = tmp_path / "mlperf_log_detail.txt"
    log.write_text("".join(lines))
    found = results.read_result(log, "Offline")
    assert str(found) == "result_samples_per_second: 36472.8, Result is INVALID"


def test_no_result_in_an_accuracy_log(tmp_path: Path) -> None:
    log = tmp_path / "mlperf_log_detail.txt"
    log.write_text(mllog("effective_test_mode", "AccuracyOnly"))
    assert results.read_result(log, "Offline") is None


def test_summaries_accumulate(tmp_path: Path) -> None:
    path = tmp_path / "logs" / results.PERFORMANCE_SUMMARY
    results.update_summary(path, "c1", "bert-99", "old")
    results.update_summary(path, "c1", "bert-99", "x")
    results.update_summary(path, "c1", "resnet50", "y")
    results.update_summary(path, "c2", "resnet50", "z")
    assert json.loads(path.read_text()) == {
        "c1": {"bert-99": "x", "resnet50": "y"},
        "c2": {"resnet50": "z"},
    }
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_tables() -> None:
    text = results.tables({"sys-hetero-Offline": {"bert-99": "p"}}, {"s": {"b": "a"}})
    assert text.splitlines() == [
        "",
        "======================= Perf harness results: =======================",
        "",
        "sys-hetero-Offline:",
        "    bert-99: p",
        "",
        "",
        "======================= Accuracy results: =======================",
        "",
        "s:",
        "    b: a",
    ]


def test_printing_without_a_summary_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        results.main()
