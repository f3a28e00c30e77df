"""``mighetero timeline`` and ``mighetero trace``."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.cli.runs import write_run
from tests.cli.strange import make_strange
from tests.show.courses import run_of

Capture = pytest.CaptureFixture[str]


def test_a_timeline_of_a_run_by_folder_record_or_results(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = run_of(tmp_path).folder
    drawn = tmp_path / "drawn.svg"
    assert main(["timeline", str(folder), "-o", str(drawn)]) == 0
    svg = drawn.read_text()
    assert len(ET.fromstring(svg.encode())) > 20
    for path in (folder / "record.json", folder.parent):
        assert main(["timeline", str(path)]) == 0
        assert capsys.readouterr().out == svg


def test_a_timeline_is_of_one_run(tmp_path: Path, capsys: Capture) -> None:
    write_run(tmp_path)
    write_run(tmp_path, "20260722-101500-dlrm_server")
    assert main(["timeline", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "expected one run, found 2 (20260722-101500-bert_server, " in said
    assert "choose one with --select" in said
    assert main(["timeline", str(tmp_path), "--select=dlrm_server"]) == 0


@pytest.mark.parametrize("verb", ["timeline", "trace"])
def test_where_it_cannot_be_written(verb: str, tmp_path: Path, capsys: Capture) -> None:
    folder, gone = write_run(tmp_path), tmp_path / "gone" / "picture"
    assert main([verb, str(folder), "-o", str(gone)]) == 2
    said = f"mighetero {verb}: --output: {gone} cannot be written: No such file"
    assert said in capsys.readouterr().err


def test_a_timeline_of_a_damaged_record_is_a_sentence(
    tmp_path: Path, capsys: Capture
) -> None:
    strange = make_strange(tmp_path, "course")
    assert main(["timeline", str(strange)]) == 2
    assert main(["timeline", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.count("is no record of a run") == 2


def test_a_trace_has_the_runs_that_can_be_read(tmp_path: Path, capsys: Capture) -> None:
    write_run(tmp_path)
    write_run(tmp_path, "20260722-101500-dlrm_server")
    strange = make_strange(tmp_path, "cut short")
    written = tmp_path / "trace.json"
    assert main(["trace", str(tmp_path), "-o", str(written)]) == 1
    events = json.loads(written.read_text())["traceEvents"]
    assert {event["pid"] for event in events} == {1, 2}
    err = capsys.readouterr().err
    assert f"mighetero trace: {strange / 'record.json'} is no record" in err
    assert main(["trace", str(tmp_path), "--select=dlrm_server"]) == 0
    events = json.loads(capsys.readouterr().out)["traceEvents"]
    assert {event["pid"] for event in events} == {1}
