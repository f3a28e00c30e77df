"""Outputs of fio 3.33, cut down to what matters; each is of a run that really was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.readers.reader import reader_named
from pytest_mighetero.readers.result import Result

DATA = Path(__file__).parent / "data/fio"
READER = reader_named("fio")


def read(folder: Path, text: str) -> Result:
    (folder / "fio.json").write_text(text)
    [result] = READER.read_all(folder, folder / "output.log")
    return result


def read_named(folder: Path, name: str) -> Result:
    return read(folder, (DATA / f"{name}.json").read_text())


def changed(**values: Any) -> str:
    """Return a good document with other values in its only job."""
    document = json.loads((DATA / "good.json").read_text())
    document["jobs"][0] |= values
    return json.dumps(document)


def test_a_good_run(tmp_path: Path) -> None:
    result = read_named(tmp_path, "good")
    assert result.metric is not None
    assert (result.metric.unit, result.metric.higher_is_better) == ("IOPS", True)
    # Reads and writes by their own account: 11415.2 and 11433.9 a second.
    assert result.metric.value == pytest.approx(11415.2 + 11433.9, abs=0.1)
    # The larger of what reads and writes have: 0.148 and 0.146 ms.
    assert result.percentiles_ms[99.0] == 0.14848
    assert (result.min_latency_ms, result.max_latency_ms) == (0.002273, 7.67891)
    [window] = result.windows
    assert window.end == 1795823679.821
    assert window.seconds == pytest.approx(3.001)
    assert (window.clock, window.source) == ("wall", "fio")
    assert (result.completed, result.failed, result.error_count) == (68570, 0, 0)
    assert (result.version, result.valid, result.damage) == ("3.33", None, ())
    assert (READER.judges, READER.stamps) == (False, True)


@pytest.mark.parametrize(
    ("name", "seconds", "iops"),
    [
        ("group", 2.001, 44788.6),  # two jobs as one, whose job_runtime is the sum
        ("jobs", 2.005, 262398),  # one reads, two write
        ("mixed", 2.003, 17257),  # reads and writes as one
        ("status", 3.001, 23912),  # the last of four documents
    ],
)
def test_jobs_that_run_together(
    tmp_path: Path, name: str, seconds: float, iops: float
) -> None:
    result = read_named(tmp_path, name)
    assert result.damage == ()
    assert result.metric is not None
    assert result.metric.value == pytest.approx(iops, rel=1e-4)
    assert result.window is not None
    assert result.window.seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("name", "failed", "error"),
    [
        # fio exits with code 1.
        ("full", 1, "job a: error 28, No space left on device"),
        # --continue_on_error: with code 0.
        ("verify", 3, "job w: error 84, "),
    ],
)
def test_failed_operations(tmp_path: Path, name: str, failed: int, error: str) -> None:
    result = read_named(tmp_path, name)
    assert (result.failed, result.error_count) == (failed, failed)
    assert result.errors[0].startswith(error)


@pytest.mark.parametrize("name", ["full", "nofile"])
def test_what_took_no_time_has_no_figure(tmp_path: Path, name: str) -> None:
    result = read_named(tmp_path, name)
    assert (result.metric, result.windows, result.issuing_since) == (None, (), None)
    assert "no I/O that took 1 ms" in result.damage[0]


def test_a_run_that_sigterm_ended_says_so(tmp_path: Path) -> None:
    result = read_named(tmp_path, "term")
    assert result.errors[0] == "fio: terminating on signal 15"
    assert result.window is not None
    assert result.window.seconds == pytest.approx(2.649)


@pytest.mark.parametrize("name", ["kill", "status", "term"])
def test_while_it_goes_on_it_is_known_since_when(tmp_path: Path, name: str) -> None:
    text = (DATA / f"{name}.json").read_text()
    two = "}\n".join(text.split("\n}\n")[:2]) + "\n}\n"
    result = read(tmp_path, two.replace("}\n{", "\n}\n{"))
    assert (result.metric, result.windows, result.damage) == (None, (), ())
    assert result.issuing_since is not None
    whole = read(tmp_path, text)
    begin = whole.window.begin if whole.window else whole.issuing_since
    assert result.issuing_since == pytest.approx(begin, abs=0.05)


def test_the_first_document_with_io_is_the_sign(tmp_path: Path) -> None:
    query = FirstQuery(tmp_path, tmp_path / "output.log", READER.sign)
    text = (DATA / "status.json").read_text()
    first = text[: text.index("\n}\n")]
    idle = (DATA / "nofile.json").read_text()
    for shown, issuing in (("", False), (idle, False), (idle + first, True)):
        (tmp_path / "fio.json").write_text(shown)
        assert query.look() is issuing


def test_groups_one_after_another_have_no_figure(tmp_path: Path) -> None:
    result = read_named(tmp_path, "stonewall")
    assert (result.metric, result.windows) == (None, ())
    assert "2 groups of jobs" in result.damage[0]


def test_a_file_that_is_cut_off_has_no_figure(tmp_path: Path) -> None:
    text = (DATA / "status.json").read_text()
    for size in range(len(text) - 2, len(text) // 2, -97):
        result = read(tmp_path, text[:size])
        whole = text[:size].endswith("\n}")
        assert whole or result.metric is None, size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "[]",
        "[1]",
        '{"jobs": 3}',
        '{"jobs": [{"error": "x"}], "timestamp_ms": 1}',
        "fio: unrecognized option '--bogus=1'\n",
        "[" * 100_000,
        "{\n" * 100_000,
        changed(error="no"),
        changed(read=None),
        changed(read={"total_ios": 3, "runtime": 10, "clat_ns": {"N": 3}}),
        changed(error=10**400),
        changed(read={"total_ios": 3, "runtime": float("nan"), "clat_ns": {"N": 0}}),
        changed(eta=None, read={"runtime": "x", "total_ios": 1}),
    ],
)
def test_what_is_no_document_of_fios(tmp_path: Path, text: str) -> None:
    result = read(tmp_path, text)
    assert result.damage
    assert (result.metric, result.windows) == (None, ())


def test_no_file_is_no_result(tmp_path: Path) -> None:
    assert READER.read_all(tmp_path, tmp_path / "output.log") == []
    with pytest.raises(FileNotFoundError, match=r"No fio\.json in"):
        READER.read(tmp_path)
    (tmp_path / "fio.json").mkdir()
    assert "a folder" in READER.read(tmp_path).damage[0]
