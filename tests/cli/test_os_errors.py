"""What the command says where a file, a folder or its output cannot be used."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.cli.looked import BOUND, CPU, MIGHETERO, may_bind
from tests.cli.runs import server, write_logs, write_run

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


@pytest.mark.parametrize(
    "words",
    [
        *("show {}", "junit {}", "compare {} .", "export {}", "trend {}"),
        *("interference {}", "timeline {}", "trace {}", "report {} -o page.html"),
    ],
)
@pytest.mark.parametrize("where", ["theirs", "theirs/inner"])
def test_records_that_are_hidden(here: Path, words: str, where: str) -> None:
    (here / "theirs" / "inner").mkdir(parents=True)
    (here / "theirs").chmod(0)
    done = told(here, words.format(where))
    assert (done.returncode, done.stdout) == (2, "")
    assert f": {where} cannot be read: {DENIED}; expected a record" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("mode", [0o600, 0])
def test_a_run_among_others_that_is_hidden(here: Path, mode: int) -> None:
    folder = write_run(here / "results")
    write_run(here / "results", "20260723-101500-bert_server")
    (here / "results" / "lost+found").mkdir(0)
    folder.chmod(mode)
    done = told(here, "show results")
    assert done.returncode == 1
    assert "20260723-101500-bert_server" in done.stdout
    said = f"results/{folder.name}/record.json cannot be read: {DENIED}"
    assert done.stderr == f"mighetero show: {said}\n"


@pytest.mark.parametrize("mode", [0o600, 0])
def test_runs_whose_logs_are_hidden_are_all_left_out(here: Path, mode: int) -> None:
    (here / "scripts").mkdir()
    (here / "scripts" / "update_results.py").touch()
    for name in ("20260722-101500-bert_server", "20260723-101500-bert_server"):
        run = here / "results" / name
        write_run(here / "results", name, log_dir=str(run / "main" / "logs"))
        (run / "main" / "logs").mkdir(parents=True)
        (run / "main").chmod(mode)
    done = told(here, "export results --to=.")
    assert done.returncode == 1
    assert done.stderr.count("mighetero export: left out results/") == 2
    assert done.stderr.count(f"main/logs cannot be read: {DENIED}\n") == 2


def test_logs_that_are_hidden_are_listed(here: Path) -> None:
    for tree in ("a", "b"):
        for name in ("bert-99", "dlrm-99"):
            folder = here / tree / "system" / name / "Server"
            write_logs(folder, server(100), "Server")
    (here / "a" / "system" / "dlrm-99" / "Server").chmod(0)
    done = told(here, "compare a b --json")
    assert done.returncode == 0
    left_out = json.loads(done.stdout)["left_out"]
    assert f"cannot be read: {DENIED}" in [each["reason"] for each in left_out]


@pytest.mark.parametrize(
    "words",
    [
        ["show", ""],
        ["junit", " "],
        ["compare", "", "."],
        ["compare", ".", ""],
        ["export", "results", "--to="],
        ["report", "results", "-o", ""],
        ["init", ""],
        ["doctor", ""],
    ],
)
def test_an_empty_path(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path)
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "expected a path, found an empty text (is a variable of it unset?)" in err
    assert len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize("verb", ["list", "init", "doctor"])
def test_an_empty_suite(
    verb: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([verb, "--mig-suite="]) in (1, 2)
    said = "".join(capsys.readouterr())
    assert "--mig-suite: expected a suite's name or path, found an empty text" in said
    assert "is a variable of it unset?" in said
    assert not [*tmp_path.iterdir()]


def test_a_harness_folder_whose_scripts_are_hidden(here: Path) -> None:
    write_run(here / "results")
    (here / "closed" / "scripts").mkdir(parents=True)
    (here / "closed" / "scripts").chmod(0)
    done = told(here, "export results --to=closed")
    assert done.returncode == 1
    assert f"closed/scripts cannot be read: {DENIED}" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("results", "the default of --results-dir: {} cannot be read: "),
        ("runs/references", "the default of --mig-references: {} cannot be read: "),
    ],
)
def test_a_folder_that_pytest_would_refuse(here: Path, folder: str, says: str) -> None:
    (here / folder).mkdir(parents=True)
    (here / folder).chmod(0o311)
    done = told(here, f"doctor --json {' '.join(CPU)}")
    finding = json.loads(done.stdout)["findings"][0]
    assert (done.returncode, finding["state"]) == (1, "bad")
    assert f"{says.format(here / folder)}{DENIED}; name a folder" in finding["says"]
