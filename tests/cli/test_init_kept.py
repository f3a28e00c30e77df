"""``mighetero init`` where a suite or a file that configures pytest is there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.spec.library import load_suite
from tests.cli.looked import BOUND, MIGHETERO, may_bind

Capture = pytest.CaptureFixture[str]
NATIVE = pytest.version_tuple >= (9,)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, the present one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("first", "second", "extras"),
    [
        (["--mig-suite=v5.1"], [], "report"),
        (["--mig-suite=services"], [], "cpu,report"),
        ([], ["--mig-suite=v5.1"], "cpu,report"),
    ],
)
def test_the_suite_that_is_there_decides(
    folder: Path, capsys: Capture, first: list[str], second: list[str], extras: str
) -> None:
    assert main(["init", *first]) == 0
    before = capsys.readouterr().out.splitlines()[-1]
    suite = load_suite("site.toml", folder, device_kinds())
    assert before.removeprefix("    pytest -k ") in map(str, suite.pairs())
    assert main(["init", "--ci=jenkins", *second]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == before
    assert f"pytest-mighetero[{extras}]==" in (folder / "Jenkinsfile").read_text()
    stays = f"note   the suite here stays {folder}/site.toml, which does not extend "
    assert (f"{stays}v5.1" in out) == bool(second)


@pytest.mark.usefixtures("folder")
def test_the_same_suite_again_is_no_news(capsys: Capture) -> None:
    for _ in range(2):
        assert main(["init", "--mig-suite=v5.1"]) == 0
        assert "note " not in capsys.readouterr().out


def test_the_suite_of_an_ini_file_decides(folder: Path, capsys: Capture) -> None:
    (folder / "tox.ini").write_text("[pytest]\nmig_suite = v2.0\n")
    assert main(["init", "--ci=jenkins"]) == 0
    out = capsys.readouterr().out
    assert "names the suite v2.0; have its [pytest] say:\n" in out
    note = f"note   the suite here stays v2.0, which {folder}/tox.ini names: to use "
    note += "the site.toml just written, say mig_suite = site.toml there\n"
    assert note in out
    assert "pytest-mighetero[report]==" in (folder / "Jenkinsfile").read_text()
    assert 'extends = "v2.0"' in (folder / "site.toml").read_text()
    (folder / "site.toml").unlink()
    assert main(["init", "--mig-suite=cpu"]) == 0
    assert note in capsys.readouterr().out
    assert 'extends = "cpu"' in (folder / "site.toml").read_text()
    assert main(["init", "--mig-suite=v5.1"]) == 0
    out = capsys.readouterr().out
    assert "just written" not in out
    assert "stays v2.0, which does not extend v5.1: --mig-suite is for a site" in out


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("site.toml", "extends", "site.toml: not TOML: "),
        ("tox.ini", "[pytest]\nmig_suite = v9", "tox.ini: no suite 'v9': "),
        ("pytest.ini", "no section", "pytest.ini: pytest cannot read it: "),
        ("pytest.ini", "\udcff", "pytest.ini: pytest cannot read it: "),
        ("pyproject.toml", "[tool", "pyproject.toml: pytest cannot read it: "),
    ],
)
def test_what_cannot_be_read_is_left_alone(
    folder: Path, capsys: Capture, name: str, text: str, says: str
) -> None:
    (folder / name).write_text(text, errors="surrogateescape")
    assert main(["init", "--ci=gitlab"]) == 2
    assert says in capsys.readouterr().err
    assert os.listdir(folder) == [name]  # noqa: PTH208 - names


@pytest.mark.parametrize("words", [[], ["--ci=gitlab"]], ids=" ".join)
@pytest.mark.parametrize(
    ("shut", "says"),
    [
        ("", "/test_heterogeneous.py: {} cannot be written to; name a folder that "),
        ("tox.ini", "/tox.ini: pytest cannot read it: Permission denied; mend it"),
    ],
)
def test_what_this_user_may_not_look_into(
    folder: Path, shut: str, says: str, words: list[str]
) -> None:
    may_bind()
    theirs = folder / "theirs"
    theirs.mkdir()
    (theirs / "tox.ini").touch()
    (theirs / shut).chmod(0)
    init = ["setpriv", BOUND, *MIGHETERO, "init", str(theirs), *words]
    done = subprocess.run(init, capture_output=True, text=True, check=False)
    theirs.chmod(0o755)
    assert done.returncode == 2
    assert done.stderr.startswith(f"mighetero init: {theirs}{says.format(theirs)}")
    assert os.listdir(theirs) == ["tox.ini"]  # noqa: PTH208 - names


@pytest.mark.parametrize(
    ("name", "text", "suite"),
    [
        (".pytest.ini", "", None),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", None),
        ("pyproject.toml", "[tool.pytest.ini_options]\nmig_suite = 'v2.0'\n", "v2.0"),
        ("pyproject.toml", "tool = 1\n", ""),
        ("tox.ini", "[tox]\nskipsdist\n", ""),
        ("setup.cfg", "[tool:pytest]\nmig_suite: v2.0\naddopts = %d\n", "v2.0"),
        ("setup.cfg", "[metadata]\nname = x\n", ""),
    ],
)
def test_which_files_configure_pytest(
    folder: Path, capsys: Capture, name: str, text: str, suite: str | None
) -> None:
    (folder / name).write_text(text)
    assert main(["init"]) == 0

    said = f"names the suite {suite}; have" if suite else "configures pytest; have "
    kept = f"kept   {folder / name}, which {said}"
    assert (kept in capsys.readouterr().out) == (suite != "")
    assert (folder / "pytest.ini").exists() == (suite == "")


@pytest.mark.skipif(not NATIVE, reason="pytest 9 reads these")
@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("pytest.toml", "pytest"),
        (".pytest.toml", "pytest"),
        ("pyproject.toml", "tool.pytest"),
    ],
)
def test_toml_files_of_pytest_9(
    folder: Path, capsys: Capture, name: str, table: str
) -> None:
    (folder / name).write_text(f"[{table}]\nminversion = '9'\n")
    assert main(["init"]) == 0
    lines = [
        f"have its [{table}] say:",
        'mig_suite = "site.toml"',
        'addopts = ["--import-mode=importlib"]\n',
    ]
    assert "\n           ".join(lines) in capsys.readouterr().out
    assert not (folder / "pytest.ini").exists()


@pytest.mark.parametrize(
    ("name", "has", "wants"),
    [
        ("tox.ini", "", "--import-mode=importlib"),
        ("tox.ini", "-q\n  -x", "-q -x --import-mode=importlib"),
        ("tox.ini", "-q --import-mode=append", ""),
        ("pyproject.toml", "7", '"7 --import-mode=importlib"'),
        ("pyproject.toml", "'-k \"a b\"'", r'"-k \"a b\" --import-mode=importlib"'),
        ("pyproject.toml", "['-q']", '["-q", "--import-mode=importlib"]'),
        ("pyproject.toml", "['--import-mode', 'append']", ""),
    ],
)
def test_what_an_ini_file_says_of_import_modes(
    folder: Path, capsys: Capture, name: str, has: str, wants: str
) -> None:
    table = "pytest" if name == "tox.ini" else "tool.pytest.ini_options"
    (folder / name).write_text(f"[{table}]\naddopts = {has}\n")
    assert main(["init"]) == 0
    out = capsys.readouterr().out
    line = f"\n           addopts = {wants}\n"
    assert line in out if wants else "addopts" not in out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '--no-such=x'\n"),
        ("conftest.py", "raise SystemExit('not now')\n"),
    ],
)
def test_what_is_above_has_no_say(folder: Path, name: str, text: str) -> None:
    (folder / ".git").mkdir()
    (folder / name).write_text(text)
    assert main(["init", "mig"]) == 0
    assert sorted(each.name for each in (folder / "mig").iterdir()) == [
        "pytest.ini",
        "site.toml",
        "test_heterogeneous.py",
    ]


@pytest.mark.parametrize(
    ("suite", "extends"),
    [
        ("base.toml", "../base.toml"),
        ("suites/base.toml", "../suites/base.toml"),
        ("\N{GRINNING FACE}/{extras}.toml", "../\N{GRINNING FACE}/{extras}.toml"),
    ],
)
def test_a_suite_of_the_same_repository_is_found_in_every_checkout(
    folder: Path, suite: str, extends: str
) -> None:
    (folder / "one" / ".git").mkdir(parents=True)
    path = folder / "one" / suite
    path.parent.mkdir(exist_ok=True)
    path.write_text('extends = "cpu"\n', encoding="utf-8")
    assert main(["init", "one/mig", f"--mig-suite=one/{suite}"]) == 0
    moved = (folder / "one").rename(folder / "two")
    assert load_suite("mig/site.toml", moved, device_kinds()).extends == extends
