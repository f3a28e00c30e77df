"""With an index, without one, with a wrong one: history is what the records say."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mighetero.records import history_index, marks, record_file
from pytest_mighetero.records.comparison.judgement import (
    compare_neighbours,
    judge_by_earlier,
)
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.records.run_names import INDEX
from tests.cli.runs import FACTS, failed, write_run

COUNT = 120
ASKED = marks.same(FACTS)
OTHER = {**FACTS, "driver": "570.1"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Runs of which every fourth is good and of the thing that is asked for."""
    folder = tmp_path / "results"
    for number in range(COUNT):
        name = f"20260722-{number:06d}-bert_server"
        driver = "570.1" if number % 2 else FACTS["driver"]
        phases = failed("call", "no") if number % 4 == 2 else None
        write_run(
            folder, name, phases, driver=driver, record={"session": f"{number % 8}"}
        )
    return folder


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files for settled as soon as they are written."""
    monkeypatch.setattr(history_index, "_SETTLED_NS", -1)


def found(results: Path, mark: str = ASKED) -> list[str]:
    return [record.path.parent.name for record in good_records(results, "-bert", mark)]


def truth(results: Path, mark: str = ASKED) -> list[str]:
    """Return what the records say, read one by one."""
    names = []
    for path in sorted(results.glob("*-bert*/record.json"), reverse=True):
        try:
            record = record_file.read_record(path)
        except record_file.RecordError:
            continue
        if mark in marks.marks_of(record):
            names.append(path.parent.name)
    return names


def folders(results: Path) -> list[Path]:
    return sorted(path for path in results.iterdir() if path.is_dir())


def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that takes the path of each record that is read."""
    read, content_of = [], record_file.content_of

    def follow(path: Path, largest: int) -> bytes:
        read.append(path)
        return content_of(path, largest)

    monkeypatch.setattr(record_file, "content_of", follow)
    return read


def test_most_are_read_once(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(results) == truth(results)
    assert len(found(results)) == COUNT // 4
    read = opened(monkeypatch)
    assert found(results, marks.same({**FACTS, "gpu": "none"})) == []
    assert read == []
    assert len(found(results)) == COUNT // 4
    assert len({path.parent for path in read}) == COUNT // 4


def test_a_comparison_reads_its_sample_alone(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = {**FACTS, "run": "isolated", "backgrounds": ""}
    read = opened(monkeypatch)
    for _ in range(2):
        read.clear()
        assert compare_neighbours(results, alone, "mine")
    newest = {folder.name for folder in folders(results)[4::8]}
    assert {path.parent.name for path in read if path.name != INDEX} == newest
    read.clear()
    judged = judge_by_earlier(results, FACTS, "mine", 0.1)
    assert not judged.warnings
    said = f"{judged.facts['compared']}"
    assert said.endswith(f"than {max(folders(results)[4::8])}")
    assert {path.parent.name for path in read if path.name != INDEX} == newest


def test_the_newest_is_found_first(results: Path) -> None:
    newest = next(good_records(results, "-bert", ASKED))
    assert newest.path.parent.name == truth(results)[0]
    assert not (results / INDEX).exists()


def _rewritten(results: Path) -> None:
    for each in folders(results)[::3]:
        shutil.rmtree(each)
        write_run(results, each.name, driver="570.1")


def _in_place(results: Path) -> None:
    """Change records, and keep their files, sizes, and times of modification."""
    for path in (each / "record.json" for each in folders(results)):
        before, text = path.stat(), path.read_text()
        path.write_text(text.replace("550.54.15", "000.00.00"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _swapped(results: Path) -> None:
    one, other = folders(results)[:2]
    one.rename(results / "aside")
    other.rename(one)
    (results / "aside").rename(other)


def _deleted(results: Path) -> None:
    for each in folders(results)[-9:]:
        shutil.rmtree(each)


def _copied(results: Path) -> None:
    for each in folders(results)[:9]:
        shutil.copytree(each, results / each.name.replace("2026", "2027"))


def _damaged(results: Path) -> None:
    for each in folders(results)[::4]:
        (each / "record.json").write_text("{")


def _repaired(results: Path) -> None:
    _damaged(results)
    found(results)
    for each in folders(results)[::4]:
        shutil.rmtree(each)
        write_run(results, each.name)


def _not_files(results: Path) -> None:
    for each in folders(results)[::4]:
        (each / "record.json").unlink()
        os.mkfifo(each / "record.json")


def _linked(results: Path) -> None:
    path = folders(results)[0] / "record.json"
    path.unlink()
    path.symlink_to(folders(results)[1] / "record.json")


CHANGES: list[Callable[[Path], None]] = [
    *(_rewritten, _in_place, _swapped, _deleted, _copied, _damaged, _repaired),
    *(_not_files, _linked),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_stale_index_says_nothing(
    results: Path, change: Callable[[Path], None]
) -> None:
    found(results)
    assert (results / INDEX).exists()
    change(results)
    for mark in (ASKED, marks.same(OTHER), ASKED):
        assert found(results, mark) == truth(results, mark)


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(index: Path) -> None:
        index.write_bytes(change(index.read_bytes()))

    return write


def _instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(index: Path) -> None:
        index.unlink()
        make(index)

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_bytes(lambda _: b""), id="empty"),
        pytest.param(_bytes(lambda text: text[:-40]), id="cut short"),
        pytest.param(_bytes(lambda text: text + text), id="twice"),
        pytest.param(_bytes(lambda text: bytes(len(text))), id="zeros"),
        pytest.param(
            _bytes(lambda text: text.replace(ASKED.encode(), b"0" * 12)), id="marks"
        ),
        pytest.param(
            _bytes(lambda text: text.replace(b" 0.", b" 9.", 1)), id="another version"
        ),
        pytest.param(_instead(os.mkfifo), id="fifo"),
        pytest.param(_instead(Path.mkdir), id="folder"),
        pytest.param(_instead(lambda path: path.symlink_to(path.name)), id="loop"),
        pytest.param(_instead(lambda path: path.symlink_to("/dev/zero")), id="device"),
        pytest.param(_instead(lambda _: None), id="gone"),
    ],
)
def test_an_index_that_is_none_is_replaced(
    results: Path, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(results)
    change(results / INDEX)
    assert found(results) == truth(results)
    if (results / INDEX).is_dir():
        return
    read = opened(monkeypatch)
    assert found(results, marks.same({**FACTS, "gpu": "none"})) == []
    assert read == []


def test_a_folder_that_takes_no_index(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> int:
        raise OSError(30, "Read-only file system", str(path), None, len(content))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert found(results) == truth(results)
    assert found(results) == truth(results)
    assert not list(results.glob(f"{INDEX}*"))


def test_a_file_that_may_change_unseen_is_not_indexed(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_index, "_SETTLED_NS", 3600 * 10**9)
    assert found(results) == truth(results)
    assert not (results / INDEX).exists()


def test_two_write_at_once(results: Path) -> None:
    wanted = truth(results)
    begun = threading.Barrier(4)
    said: list[list[str]] = []

    def look() -> None:
        begun.wait()
        said.append(found(results))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [wanted] * 4
    assert found(results) == wanted
    assert [path.name for path in results.glob(f"{INDEX}*")] == [INDEX]


def test_names_that_a_line_does_not_hold(results: Path) -> None:
    for name in (
        "with blank-bert_server",
        "two\nlines-bert_server",
        "\udcff-bert_server",
    ):
        write_run(results, name)
    assert found(results) == truth(results)
    assert found(results) == truth(results)


def test_an_outline_is_what_the_whole_says(tmp_path: Path) -> None:
    run = write_run(tmp_path, record={"session": "1"})
    record = json.loads((run / "record.json").read_text())
    first = ("version", "test", "session", "phases", "facts")
    plain = json.dumps({name: record[name] for name in first})
    facts = '"facts": {"value": "1"}'
    texts = [
        plain,
        plain.replace('"facts"', '"f\\u0061cts"'),
        plain[:-1] + f", {facts}}}",
        plain[:-1] + ', "phases": {}, "f\\u0061cts": {}}',
        plain[:-1] + f', "harnesses": [{{{facts}}}]}}',
        f'{{"x": {{{facts}}}, {plain[1:]}',
        plain.replace('"session": "1", ', "")[:-1] + ', "session": "2"}',
        plain.replace('"session": "1", ', ""),
        plain[:-1] + ', "session": "2"}',
        " \n" + plain.replace('": ', '" \t:\r\n ').replace(', "', ' ,\n"'),
    ]
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        whole, outline = record_file.read_record(path), record_file.read_outline(path)
        assert (outline.facts, outline.phases) == (whole.facts, whole.phases)
        assert marks.marks_of(outline) == marks.marks_of(whole)
