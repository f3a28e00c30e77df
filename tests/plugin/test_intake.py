"""What a node sends goes into the folders that were made for it, and nowhere else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_mighetero.plugin.slurm import parcel
from pytest_mighetero.plugin.slurm.intake import MOST, Intake, file_of
from pytest_mighetero.plugin.slurm.parcel import CHUNK, KEPT, Message


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


def made(intake: Intake, name: str = "dlrm_server") -> str:
    ((kind, made, _),) = intake.answer(("make", name, b""))
    assert kind == "made"
    return made


def sent(intake: Intake, messages: Iterable[Message]) -> list[Message]:
    return [answer for message in messages for answer in intake.answer(message)]


def file(folder: str, path: bytes, content: bytes = b"x") -> list[Message]:
    return [("file", folder, path), ("data", "", content), ("end", "", b"")]


def below(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def fill(folder: Path) -> None:
    (folder / "main" / "logs").mkdir(parents=True)
    (folder / "record.json").write_text("{}")
    (folder / "main" / "logs" / "long").write_bytes(os.urandom(2 * CHUNK + 1))
    (folder / "main" / "empty").touch()
    (folder / os.fsdecode(b"odd \xff\n.txt")).write_text("odd")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "folder").symlink_to("main")
    os.mkfifo(folder / "pipe")


def test_a_folder_arrives_as_it_is_but_for_links_and_pipes(
    results: Path, tmp_path: Path
) -> None:
    intake = Intake(results)
    name = made(intake)
    there = tmp_path / "there" / name
    fill(there)
    messages = list(parcel.messages(there))
    assert max(len(data) for _, _, data in messages) == CHUNK
    files = [data for kind, _, data in messages if kind == "file"]
    assert files[-1] == b"record.json"
    assert sent(intake, messages) == [(KEPT, name, b"")]
    (there / "link").unlink()
    (there / "folder").unlink()
    assert below(results / name) == below(there)
    assert intake.due == {}


def run_program(there: Path, *names: str, answers: bytes) -> bytes:
    program = [sys.executable, "-I", parcel.__file__, str(there), "token", *names]
    done = subprocess.run(program, input=answers, capture_output=True, check=True)
    return done.stdout


def test_the_program_leaves_the_controllers_own_folder(results: Path) -> None:
    name = made(Intake(results))
    fill(results / name)
    before = below(results)
    (results / "token").touch()
    assert run_program(results, name, answers=b"kept\n") == b""
    (results / "token").unlink()
    assert below(results) == before


def test_a_folder_is_due_once_more_until_all_that_is_new_has_come(
    results: Path,
) -> None:
    intake = Intake(results)
    name = made(intake)
    sent(intake, [*file(name, b"record.json"), ("whole", name, b"")])
    assert list(intake.due) == []
    half: list[Message] = [("file", name, b"record.json"), ("data", "", b"{")]
    sent(intake, [*half, ("end", "", b""), ("data", "", b"of no file")])
    assert list(intake.due) == [name]
    sent(intake, [("broken", "", b"")])
    assert list(intake.due) == [name]
    again = [*file(name, b"record.json"), ("whole", name, b"")]
    assert sent(intake, again) == [(KEPT, name, b"")]
    assert list(intake.due) == []


def test_the_program_sends_the_same_and_deletes_what_is_kept(
    results: Path, tmp_path: Path
) -> None:
    intake = Intake(results)
    names = [made(intake), made(intake)]
    there = tmp_path / "there"
    for name in names:
        fill(there / name)
    before = below(there / names[0])
    said = run_program(there, "missing", *names, answers=b"kept\nno\n")
    answers = sent(intake, parcel.read(io.BytesIO(said)))
    assert [kind for kind, _, _ in answers] == [KEPT, KEPT]
    assert [path.name for path in there.iterdir()] == names[1:]
    assert before.keys() - below(results / names[0]).keys() == {"link"}


@pytest.mark.parametrize(
    "path",
    [
        *(b"../x", b"/etc/x", b"a/../../x", b"a//x", b"", b".", b"a/", b"x\0y"),
        *(b".arriving", b"a/" * 40 + b"x", b"n" * 300, b"planted/x", b"planted"),
    ],
)
def test_no_path_leads_out(results: Path, tmp_path: Path, path: bytes) -> None:
    intake = Intake(results)
    name = made(intake)
    (tmp_path / "outside").mkdir()
    (results / name / "planted").symlink_to(tmp_path / "outside")
    told = [*file(name, path), ("whole", name, b"")]
    answers = sent(intake, told)
    outside = below(tmp_path / "outside")
    assert outside == {}
    if path == b"planted":  # the link itself is replaced
        assert answers == [(KEPT, name, b"")]
        assert below(results) == {f"{name}/planted": b"x"}
        return
    ((kind, _, _),) = answers
    assert kind == "no"
    assert below(tmp_path) == {}
    assert list(intake.due) == [name]
    good = [*file(name, b"y"), ("whole", name, b"")]
    assert sent(intake, good) == [(KEPT, name, b"")]


def test_only_folders_that_were_made_for_it_are_written(results: Path) -> None:
    others = made(Intake(results))
    intake = Intake(results)
    for name in (others, "..", ".", "new", ""):
        told = [*file(name, b"x"), ("whole", name, b"")]
        ((kind, said, _),) = sent(intake, told)
        assert kind == "no"
        assert "is no folder of this worker's" in said
    for name in ("../x", "a/b", "", "n" * 300, "x\n", "\x1b[31m"):
        ((kind, said, _),) = sent(intake, [("make", name, b"")])
        assert kind == "no"
        assert "is no name of a run" in said
    assert below(results) == {}
    assert [path.name for path in results.iterdir()] == [others]


@pytest.mark.parametrize(
    "broken",
    [
        [("data", "", b"x")],
        [("end", "", b"")],
        [("file", "{}", b"half"), ("data", "", b"x")],
    ],
)
def test_nothing_half_counts_as_whole(results: Path, broken: list[Message]) -> None:
    intake = Intake(results)
    name = made(intake)
    told: list[Message] = [(k, n.format(name), d) for k, n, d in broken]
    ((kind, _, _),) = sent(intake, [*told, ("whole", name, b"")])
    assert kind == "no"
    assert below(results) == {}


def test_the_next_delivery_does_not_end_a_file_of_one_broken_off(results: Path) -> None:
    intake = Intake(results)
    name = made(intake)
    half: list[Message] = [("file", name, b"half"), ("data", "", b"x")]
    sent(intake, [*half, *file(name, b"y")])
    assert below(results) == {f"{name}/y": b"x"}


def test_a_folder_for_which_nothing_came_is_not_left(results: Path) -> None:
    intake = Intake(results)
    made(intake)
    name = made(intake)
    sent(intake, [("file", name, b"half")])
    intake.close()
    assert list(results.iterdir()) == []
    assert len(intake.due) == 2


def test_of_earlier_runs_what_is_new_is_told(results: Path) -> None:
    for number in range(MOST + 5):
        folder = results / f"20260101-{number:06}-dlrm_server"
        folder.mkdir()
        (folder / "record.json").write_text(str(number))
    (results / "20270101-000000-bert_server").mkdir()
    newest = (folder / "record.json").stat()
    intake = Intake(results)
    *records, over = sent(intake, [("history", "dlrm_server", b"{}")])
    assert over == ("over", "", b"")
    assert len(records) == MOST
    assert records[0] == ("record", f"{file_of(newest)} {folder.name}", b"504")
    known = {name: file for file, name in (said.split(" ") for _, said, _ in records)}
    (results / "20260101-000300-dlrm_server" / "record.json").write_text("changed")
    told: list[Message] = [("history", "dlrm_server", json.dumps(known).encode())]
    (changed, over) = sent(intake, told)
    assert changed[2] == b"changed"
    assert sent(intake, [("history", "dlrm_server", b"1")])[-1][0] == "no"


def test_a_results_folder_that_cannot_be_written_is_said(results: Path) -> None:
    intake = Intake(results)
    name = made(intake)
    (results / name).rmdir()
    ((kind, said, _),) = sent(intake, [*file(name, b"x"), ("whole", name, b"")])
    assert (kind, said) == ("no", "No such file or directory")
