"""Whatever has a record's name: said and skipped, without a traceback or a wait."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.records import marks
from pytest_mighetero.records.comparison.judgement import judge_by_earlier
from pytest_mighetero.records.results_folder import find_records, good_records
from pytest_mighetero.show import replay
from tests.cli.runs import FACTS, failed, write_run
from tests.cli.strange import ODD, STRANGE, make_strange

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


@pytest.mark.parametrize("which", sorted(STRANGE.keys() - {"a folder"}))
@pytest.mark.parametrize("inside", ["", "record.json"])
def test_what_is_to_be_compared_with_it_fails(
    which: str, inside: str, tmp_path: Path
) -> None:
    named = make_strange(tmp_path, which) / inside
    (problem,) = judge_by_earlier(named, FACTS, "mine", 0.1).problems
    assert STRANGE[which][1] in problem


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
    deep = which in {"nested", "exit code", "cut off"}
    assert main(["show", str(odd)]) in ({0, 1} if deep else {0})
    shown = "".join(capsys.readouterr())
    assert str(odd) in shown
    assert shown.isascii()
    assert not set(shown) & {"\x1b", "\x00"}
    assert main(["show", "--json", str(odd)]) in ({0, 1} if deep else {0})
    assert len(json.loads(capsys.readouterr().out)) in ({0, 1} if deep else {1})
    assert main(["compare", str(good), str(odd)]) in {0, 1}
    xml = tmp_path / "report.xml"
    assert main(["junit", "-o", str(xml), str(odd)]) == 0
    assert len(list(ET.parse(xml).iter("testcase"))) == 1


@pytest.mark.parametrize("which", [*STRANGE, *ODD])
def test_export_leaves_strange_and_odd_ones_out(
    which: str, tmp_path: Path, capsys: Capture
) -> None:
    if which in STRANGE:
        make_strange(tmp_path / "results", which)
    else:
        write_run(tmp_path / "results", record=ODD[which])
    for words in ([], ["--failed"], ["--runs=isolated"]):
        assert main(["export", *words, str(tmp_path / "results")]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.isascii()
        assert not set(err) & {"\x1b", "\x00"}


@pytest.mark.parametrize("name", ["harness_dir", "log_dir"])
def test_export_shows_what_a_record_says_of_folders(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "update_results.py").touch()
    facts = {**FACTS, "harness_dir": str(tmp_path), name: "/no/\x1b[31m\x00"}
    results = write_run(tmp_path / "\x1b[2J", record={"facts": facts}).parent
    assert main(["export", str(results)]) == 1
    err = capsys.readouterr().err
    assert r"/no/\x1b[31m\x00" in err
    assert not set(err) & {"\x1b", "\x00"}


def test_a_results_folder_that_is_none(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "20260722-101500-bert_server").symlink_to(tmp_path / "loop")
    (tmp_path / "results" / "file").write_text("x")
    for path in ("loop", "results", "results/file", "loop/x"):
        assert main(["show", str(tmp_path / path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not list(good_records(tmp_path / "loop", "", marks.same(FACTS)))


def test_records_are_read_one_at_a_time(tmp_path: Path) -> None:
    names = [f"20260722-10150{number}-bert_server" for number in range(3)]
    folders = [write_run(tmp_path, name) for name in names]
    records = find_records([str(tmp_path)])
    first = next(records)
    shutil.rmtree(folders[1])
    assert [each.path.parent for each in (first, *records)] == folders[::2]


def test_junit_in_parts_is_the_junit_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, files = (
        tmp_path / "results",
        [tmp_path / "all.xml", tmp_path / "parts.xml"],
    )
    for number in range(5):
        phases = failed("call" if number % 2 else "setup", f"no <{number}> & \x1b")
        write_run(results, f"20260722-10150{number}-bert_server", phases)
    make_strange(results, "deep")
    write_run(results, "20260723-101500-bert_server")
    for at_once, file in zip((250, 2), files, strict=True):
        monkeypatch.setattr(replay, "_AT_ONCE", at_once)
        assert main(["junit", "-o", str(file), str(results)]) == 0
    whole, parts = (ET.parse(file).getroot() for file in files)
    for root in (whole, parts):
        (suite,) = root
        assert float(suite.attrib.pop("time")) >= 0
        suite.attrib.pop("timestamp")
    assert ET.tostring(parts) == ET.tostring(whole)
    (suite,) = whole
    assert (suite.get("tests"), suite.get("errors")) == ("7", "4")
    assert suite.get("failures") == "2"


def test_a_selection(tmp_path: Path, capsys: Capture) -> None:
    write_run(tmp_path)
    write_run(tmp_path, "20260723-101500-rnnt_server", benchmark="rnnt")
    make_strange(tmp_path, "deep")
    path, choose = str(tmp_path), "--select=rnnt"
    assert main(["show", choose, "--json", path]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["facts"]["benchmark"] == "rnnt"
    assert main(["compare", choose, path, path]) == 0
    assert "bert" not in capsys.readouterr().out
    xml = tmp_path / "report.xml"
    assert main(["junit", choose, "-o", str(xml), path]) == 0
    assert len(list(ET.parse(xml).iter("testcase"))) == 1
    for words in (["show", path], ["compare", path, path], ["junit", path]):
        assert main([*words, "--select=dlrm"]) == 2
        assert "no run with 'dlrm' in its folder's name" in capsys.readouterr().err
