"""``mighetero doctor``: what pytest is told in a folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.looked import CPU, DOCTOR, look

RAW = 'import os; os.write(1, b"raw"); os.write(2, b"raw")'


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize("strict", [False, True])
def test_the_ini_file_decides_what_is_needed(here: Path, strict: bool) -> None:
    site = here / "site"
    site.mkdir()
    (site / "own.toml").write_text('extends = "cpu"\n')
    lines = ["[pytest]", "mig_suite = own.toml", "results_dir = kept"]
    lines += ["filterwarnings = error"] * strict
    (site / "pytest.ini").write_text("\n".join(lines))
    for folder, words in ((site, []), (here, ["site"])):
        code, found = look(folder, *words, "--mig-lease-dir=leases")
        assert code == 0
        assert found["options"][0][1].startswith(f"suite own ({site / 'own.toml'}), ")
        assert found["disk"][0][1].endswith(f" free for {site / 'kept'}")
        assert found["driver"] == [("unneeded", "suite own uses no GPU")]
    _, found = look(site, "--mig-suite=services")
    assert found["options"][0][1].startswith("suite services ")
    assert sorted(path.name for path in site.iterdir()) == ["own.toml", "pytest.ini"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("mig_suite = nowhere", "mig_suite in pytest.ini: no suite 'nowhere': "),
        (
            "mig_harness_dir = gone",
            "gone is no folder; expected the closed/<org> folder",
        ),
        ("mig_lease_dir =", "mig_lease_dir in pytest.ini: expected a path, found an"),
        ("mig_references = gone", "mig_references in pytest.ini: "),
        ("mig_compare = refs/half.toml", "refs/half.toml is no record of a run: no JS"),
        ("mig_references = refs", "refs/half.toml: not TOML: "),
        ("mig_junit_properties = perhaps", "mig_junit_properties in pytest.ini: exp"),
        ("settle_time = soon", "settle_time in pytest.ini: expected a duration like"),
        ("addopts = --no-such", "pytest does not start (exit code 4): ERROR: usage: "),
        ("addopts = -p no:mighetero", "pytest does not load the plugin: -p no:mig"),
    ],
)
def test_what_cannot_be_meant_is_a_finding(here: Path, line: str, says: str) -> None:
    (here / "pytest.ini").write_text(f"[pytest]\n{line}\n")
    (here / "refs").mkdir()
    (here / "refs" / "half.toml").write_text("[[reference")
    code, found = look(here)
    [(state, said)] = found["options"]
    assert (code, state) == (1, "bad")
    assert says in said
    assert {"disk", "cores", "memory"} <= {*found}


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 8 reads no such file")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mig_repeat = 2", "a text, in quotes"),
        ("mig_junit_properties = 'false'", "true or false"),
        ("mig_junit_properties = false", ""),
    ],
)
def test_types_in_a_toml_file(here: Path, line: str, expected: str) -> None:
    (here / "pytest.toml").write_text(f"[pytest]\nmig_suite = 'cpu'\n{line}\n")
    _, found = look(here)
    [(state, said)] = found["options"]
    assert state == ("bad" if expected else "ok")
    key = line.partition(" ")[0]
    assert said.startswith(f"{key} in pytest.toml: expected {expected}: ") or not (
        expected
    )


def test_a_plugin_that_is_not_loaded(here: Path) -> None:
    code, found = look(here, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert code == 1
    assert "or say -p pytest_mighetero.plugin" in found["options"][0][1]
    addopts = "-p pytest_mighetero.plugin"
    off = "1"
    code, _ = look(
        here, *CPU, PYTEST_DISABLE_PLUGIN_AUTOLOAD=off, PYTEST_ADDOPTS=addopts
    )
    assert code == 0


@pytest.mark.parametrize(
    ("conftest", "code"),
    [
        ("raise SystemExit(3)", 1),
        ("raise KeyboardInterrupt", 1),
        ("import pytest; pytest.exit('no')", 1),
        ("import pytest; pytest.skip('no', allow_module_level=True)", 1),
        ("import no_such", 1),
        ("print(1)", 0),
        (RAW, 0),
    ],
)
def test_what_a_conftest_does(here: Path, conftest: str, code: int) -> None:
    (here / "conftest.py").write_text(conftest)
    ended, found = look(here, *CPU)  # and its output is one JSON document
    assert (ended, len(found["options"])) == (code, 1)
    assert ("pytest does not start" in found["options"][0][1]) == (code == 1)


@pytest.mark.parametrize("name", ["-x", "@x"])
def test_a_folder_called_like_an_option(here: Path, name: str) -> None:
    (here / name).mkdir()
    (here / name / "pytest.ini").write_text("[pytest]\nmig_suite = services\n")
    _, found = look(here, "--", name)
    assert found["options"][0][1].startswith("suite services ")


def test_an_option_that_a_conftest_has_already(here: Path) -> None:
    text = "def pytest_addoption(parser): parser.addoption('--mig-suite')"
    (here / "conftest.py").write_text(text)
    code, found = look(here)
    assert code == 1
    said = "pytest does not start: (ValueError|ArgumentError): "  # by its version
    assert re.search(said, found["options"][0][1])


def test_an_ini_file_that_is_no_text(here: Path) -> None:
    (here / "pytest.ini").write_bytes(b"\xff\xfe")
    code, found = look(here)
    assert code == 1
    assert "pytest does not start: UnicodeDecodeError: " in found["options"][0][1]


def test_an_ini_file_that_has_pytest_write_a_log(here: Path) -> None:
    (here / "pytest.ini").write_text("[pytest]\naddopts = --debug\n")
    code, _ = look(here, *CPU)
    assert code == 0
    assert [each.name for each in here.iterdir()] == ["pytest.ini"]


def test_wrong_use(here: Path) -> None:
    done = subprocess.run(
        [*DOCTOR, "gone"], capture_output=True, check=False, cwd=here, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mighetero doctor: gone: no such folder\n"
