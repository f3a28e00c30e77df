"""Whatever has a record's name: said and skipped, without a traceback or a wait."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pytest_mighetero.command import main
from pytest_mighetero.comparing import marks
from pytest_mighetero.comparing.results_folder import good_records
from tests.command.runs import FACTS, write_run
from tests.command.strange import ODD, STRANGE, make_strange

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("which", STRANGE)
def test_beside_a_record_it_is_said_and_skipped(
    which: str, tmp_path: Path, capsys: Capture
) -> None:
    good = write_run(tmp_path / "results")
    strange, results = make_strange(tmp_path / "results", which), tmp_path / "results"
    said = f"{strange / 'record.json'} {STRANGE[which][1]}"

    assert main(["show", str(results)]) == 1
    out, err = capsys.readouterr()
    assert out.count("test_run.py::test_heterogeneous[bert_server]") == 1
    assert said in err
    assert (err.count("\n"), "\x1b" in out + err) == (1, False)

    assert main(["show", "--json", str(results)]) == 1
    assert len(json.loads(capsys.readouterr().out)) == 1

    assert main(["compare", str(good), str(results)]) == 0
    out, _ = capsys.readouterr()
    assert said in out
    assert "equal, single runs" in out

    xml = tmp_path / "report.xml"
    assert main(["junit", "-o", str(xml), str(results)]) == 0
    (error,) = ET.parse(xml).iter("error")
    assert said in f"{error.text}"

    (record,) = good_records(results, "-bert_server", marks.same(FACTS))
    assert record.path.parent == good


@pytest.mark.parametrize("which", STRANGE)
@pytest.mark.parametrize("inside", ["", "record.json"])
def test_alone_it_is_the_answer(
    which: str, inside: str, tmp_path: Path, capsys: Capture
) -> None:
    folder = make_strange(tmp_path, which)
    named = str(folder / inside)
    if which == "a folder" and inside:
        pytest.skip("that is a folder")
    for words in (["show", named], ["junit", named], ["compare", named, named]):
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert f"{folder / 'record.json'} {STRANGE[which][1]}" in err


def test_named_beside_others_it_is_skipped(tmp_path: Path, capsys: Capture) -> None:
    words = [write_run(tmp_path), make_strange(tmp_path, "a fifo")]
    assert main(["show", *map(str, words)]) == 1
    out, err = capsys.readouterr()
    assert "test_heterogeneous[bert_server]" in out
    assert "is a FIFO, expected a file" in err


@pytest.mark.parametrize("which", ODD)
def test_odd_records_are_shown(which: str, tmp_path: Path, capsys: Capture) -> None:
    good = write_run(tmp_path / "good")
    odd = write_run(tmp_path / "results", record=ODD[which])
    assert main(["show", str(odd)]) == 0
    shown = capsys.readouterr().out
    assert str(odd) in shown
    assert shown.isascii()
    assert not set(shown) & {"\x1b", "\x00"}
    deep = which == "nested"
    assert main(["show", "--json", str(odd)]) in ({0, 1} if deep else {0})
    assert len(json.loads(capsys.readouterr().out)) in ({0, 1} if deep else {1})
    assert main(["compare", str(good), str(odd)]) in {0, 1}
    xml = tmp_path / "report.xml"
    assert main(["junit", "-o", str(xml), str(odd)]) == 0
    assert len(list(ET.parse(xml).iter("testcase"))) == 1


def test_a_results_folder_that_is_none(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "20260722-101500-bert_server").symlink_to(tmp_path / "loop")
    (tmp_path / "results" / "file").write_text("x")
    for path in ("loop", "results", "results/file", "loop/x"):
        assert main(["show", str(tmp_path / path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not list(good_records(tmp_path / "loop", "", marks.same(FACTS)))
