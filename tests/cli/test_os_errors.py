"""What the command says where a file, a folder or its output cannot be used."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.looked import BOUND, CPU, MIGHETERO, may_bind

DENIED = "Permission denied"


def told(
    folder: Path, words: str, script: str = "{}"
) -> subprocess.CompletedProcess[str]:
    """Run the command in a shell, as another user might who has not root's rights."""
    command = " ".join([*MIGHETERO, words])
    return subprocess.run(
        ["setpriv", BOUND, "sh", "-c", script.format(command)],
        capture_output=True,
        check=False,
        cwd=folder,
        text=True,
    )


@pytest.fixture
def here(tmp_path: Path) -> Path:
    may_bind()
    return tmp_path


def test_an_ini_file_that_cannot_be_read(here: Path) -> None:
    (here / "pytest.ini").write_text("[pytest]\n")
    (here / "pytest.ini").chmod(0)
    done = told(here, "doctor --json")
    assert (done.returncode, done.stderr) == (1, "")
    said = json.loads(done.stdout)["findings"][0]["says"]
    assert DENIED in said
    assert str(here / "pytest.ini") in said


@pytest.mark.parametrize("folder", ["theirs", "theirs/inner"])
def test_a_folder_that_cannot_be_looked_into(here: Path, folder: str) -> None:
    (here / "theirs" / "inner").mkdir(parents=True)
    (here / "theirs").chmod(0)
    done = told(here, f"doctor {folder} --json")
    said = done.stderr if folder.endswith("inner") else done.stdout
    assert done.returncode == (2 if folder.endswith("inner") else 1)
    assert DENIED in said
    assert "theirs" in said
    assert "output cannot be written" not in said


@pytest.mark.parametrize(
    ("verb", "code", "says"),
    [
        ("doctor --json", 1, "the present folder is gone"),
        (
            "init",
            2,
            "mighetero init: the present folder: No such file or directory; go ",
        ),
    ],
)
def test_a_present_folder_that_is_gone(
    here: Path, verb: str, code: int, says: str
) -> None:
    (here / "gone").mkdir()
    done = told(here, verb, "cd gone; rmdir ../gone; {}")
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_that_is_full(here: Path) -> None:
    done = told(here, f"doctor {' '.join(CPU)}", "{} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == (
        "mighetero doctor: its output cannot be written: No space left on device\n"
    )


@pytest.mark.parametrize("words", ["doctor --json", "list --mig-suite=cpu", "--help"])
def test_an_output_that_is_closed(here: Path, words: str) -> None:
    done = told(here, words, "{} >&-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(": its output cannot be written: Bad file descriptor\n")
    assert done.stderr.count("\n") == 1


def test_errors_that_nobody_reads(here: Path) -> None:
    done = told(here, "show nowhere", "{} 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
