"""What ``--output`` names is replaced whole, whoever reads or writes it meanwhile."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Thread

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.records.whole_file import whole_file
from tests.cli.test_slowdown_matrix import results

__all__ = ["results"]

Capture = pytest.CaptureFixture[str]
# By what is written: the words, with the name of the file last.
VERBS = {
    "prom": ["export", "--openmetrics", "-o", "x.prom"],
    "csv": ["export", "--csv", "-o", "x.csv"],
    "xml": ["junit", "-o", "x.xml"],
    "trend": ["trend", "-o", "x.svg"],
    "matrix": ["interference", "-o", "x.svg"],
    "timeline": ["timeline", "--select=101500", "-o", "x.svg"],
    "trace": ["trace", "-o", "x.json"],
    "page": ["report", "-o", "x.html"],
}
EVERY = pytest.mark.parametrize("what", VERBS)
# pytest, which makes junit's, needs files of its own meanwhile.
OURS = pytest.mark.parametrize("what", [each for each in VERBS if each != "xml"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to write in, which is the working one."""
    there = tmp_path / "written"
    there.mkdir()
    monkeypatch.chdir(there)
    return there


def write(what: str, results: Path) -> tuple[Path, int]:
    verb, *words = VERBS[what]
    code = main([verb, str(results), *words])
    assert code in (0, 1, 2)  # 1: some runs are red
    return Path(words[-1]), code


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@contextmanager
def somebody_else() -> Iterator[None]:
    """Be no root, who may write anywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@EVERY
@pytest.mark.parametrize("mode", [0o640, 0o604, None])
def test_the_mode_is_that_of_the_file_before(
    what: str, mode: int | None, results: Path, folder: Path
) -> None:
    path = Path(VERBS[what][-1])
    if mode is not None:
        path.write_text("before")
        path.chmod(mode)
    before = os.umask(0o027)
    try:
        write(what, results)
    finally:
        os.umask(before)
    assert path.read_bytes() != b"before"
    assert stat.S_IMODE(path.stat().st_mode) == (0o640 if mode is None else mode)
    assert names(folder) == [path.name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@EVERY
@pytest.mark.usefixtures("folder")
def test_so_are_its_group_and_owner(what: str, results: Path) -> None:
    path = Path(VERBS[what][-1])
    path.touch()
    os.chown(path, 65534, 12345)
    write(what, results)
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 12345)


@EVERY
def test_a_file_of_another_writer_is_left_alone(
    what: str, results: Path, folder: Path
) -> None:
    path = Path(VERBS[what][-1])
    other = Path(f"{path}.partial")
    other.write_text("half of another one's")
    path.touch()
    write(what, results)
    assert other.read_text() == "half of another one's"
    assert names(folder) == sorted([path.name, other.name])


@EVERY
@pytest.mark.usefixtures("folder")
def test_a_reader_has_what_was_there(what: str, results: Path) -> None:
    path = Path(VERBS[what][-1])
    path.write_text("before")
    with path.open() as reader:
        write(what, results)
        assert reader.read() == "before"


@OURS
def test_in_a_folder_that_may_not_be_written_to_nothing_is_written_over(
    what: str, results: Path, folder: Path, capsys: Capture
) -> None:
    path = Path(VERBS[what][-1])
    path.write_text("before")
    path.chmod(0o666)
    for each in (results, folder, folder.parent):
        each.chmod(0o755)
    os.chdir(folder.parent)  # root's own folders above it are closed to others
    verb, *words = VERBS[what]
    folder.chmod(0o555)
    with somebody_else():
        code = main([verb, results.name, *words[:-1], f"written/{path}"])
    err = capsys.readouterr().err
    assert code == 2
    assert f"--output: written/{path} cannot be written: Permission denied" in err
    assert "that you may write to" in err
    assert (folder / path).read_text() == "before"


@OURS
def test_what_cannot_be_written_whole_leaves_the_file_before(
    what: str, results: Path, folder: Path, capsys: Capture
) -> None:
    path = Path(VERBS[what][-1])
    path.write_text("before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with path.open() as reader:
            _, code = write(what, results)
            assert reader.read() == "before"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 2
    assert "File too large" in capsys.readouterr().err
    assert path.read_text() == "before"
    assert names(folder) == [path.name]


def test_what_is_linked_to_is_replaced(results: Path, folder: Path) -> None:
    (folder / "there").mkdir()
    Path("x.prom").symlink_to("there/y.prom")
    write("prom", results)
    assert Path("x.prom").is_symlink()
    assert Path("there/y.prom").read_text().endswith("# EOF\n")
    assert names(folder / "there") == ["y.prom"]


@pytest.mark.usefixtures("folder")
def test_a_pipe_is_written_into(results: Path) -> None:
    os.mkfifo("x.prom")
    read: list[str] = []
    reader = Thread(target=lambda: read.append(Path("x.prom").read_text()))
    reader.start()
    write("prom", results)
    reader.join()
    assert read[0].endswith("# EOF\n")
    assert Path("x.prom").is_fifo()


def test_of_two_at_once_either_is_there_and_whole(folder: Path) -> None:
    path, both = Path("x"), Barrier(2)

    def written(text: bytes) -> Callable[[], None]:
        def write() -> None:
            with whole_file(path) as file:
                both.wait(30)  # either is open
                file.write(text)
                file.flush()
                both.wait(30)  # and written

        return write

    writers = [Thread(target=written(text)) for text in (b"a" * 9999, b"b" * 99)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert path.read_bytes() in (b"a" * 9999, b"b" * 99)
    assert names(folder) == ["x"]
