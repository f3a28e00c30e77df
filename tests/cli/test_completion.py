"""``mighetero --completion``: real shells complete the command by its script."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import VERBS, main

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def script(tmp_path: Path, capsys: Capture) -> Path:
    assert main(["--completion", "bash"]) == 0
    path = tmp_path / "mighetero.bash"
    path.write_text(capsys.readouterr().out)
    return path


def completed(script: Path, *words: str) -> set[str]:
    """Return what bash offers for the last of *words*."""
    line = f"""
        source {script}
        COMP_WORDS=(mighetero {" ".join(f"'{each}'" for each in words)})
        COMP_CWORD={len(words)}
        $(complete -p mighetero | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", line], check=True, capture_output=True, text=True,
        cwd=script.parent,
    )  # fmt: skip
    return set(done.stdout.split())


def test_bash_completes_verbs_options_choices_and_files(script: Path) -> None:
    (script.parent / "results").mkdir()
    assert completed(script, "") >= {verb.NAME for verb in VERBS}
    assert completed(script, "ex") == {"export"}
    assert completed(script, "export", "--f") == {"--failed"}
    assert completed(script, "export", "--runs", "iso") == {"isolated"}
    assert completed(script, "show", "res") == {"results"}
    assert completed(script, "doctor", "--mig-harness-dir", "res") == {"results"}


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_a_script_of_other_shells_is_one(
    shell: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["--completion", shell]) == 0
    text = capsys.readouterr().out
    assert all(verb.NAME in text for verb in VERBS)
    if (program := shutil.which(shell)) is not None:
        path = tmp_path / "script"
        path.write_text(text)
        subprocess.run([program, "-n", str(path)], check=True)


def test_without_shtab_it_says_what_to_install(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--completion", "bash"]) == 2
    assert "pip install 'pytest-mighetero[completion]'" in capsys.readouterr().err
