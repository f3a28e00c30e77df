"""The job of ``mighetero init``: it is what the CI systems take, and does its work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mighetero import __version__
from pytest_mighetero.cli.__main__ import main
from tests.cli.looked import BOUND, MIGHETERO, may_bind
from tests.lab import needs
from tests.lab.driver import Lab

Capture = pytest.CaptureFixture[str]
JOBS = {
    "gitlab": ".gitlab-ci.yml",
    "github": ".github/workflows/heterogeneous.yml",
    "jenkins": "Jenkinsfile",
}


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return an empty folder, the present one."""
    for path in lab.folder.iterdir():
        path.unlink()
    return lab.folder


@pytest.mark.parametrize("ci", JOBS)
def test_a_job_stands_where_its_system_looks_for_it(
    folder: Path, ci: str, capsys: Capture
) -> None:
    (folder / ".git").mkdir()
    assert main(["init", "mig", f"--ci={ci}"]) == 0
    assert f"wrote  {folder / JOBS[ci]}\n" in capsys.readouterr().out
    assert "doctor mig" in (folder / JOBS[ci]).read_text()
    assert filled((folder / JOBS[ci]).read_text())


def filled(text: str) -> bool:
    return not re.search(r"\{(folder|extras|suite|name|version)\}", text)


@pytest.mark.parametrize(
    ("ci", "path", "says"),
    [
        ("gitlab", "mig/heterogeneous.gitlab-ci.yml", "- local: /mig/heterogeneous."),
        ("github", ".github/workflows/heterogeneous-mig.yml", "mig.yml\n"),
        ("jenkins", "mig/heterogeneous.Jenkinsfile", '"Script Path": mig/heterog'),
    ],
)
def test_a_job_whose_place_is_taken_is_written_elsewhere(
    folder: Path, capsys: Capture, ci: str, path: str, says: str
) -> None:
    (folder / ".git").mkdir()
    assert main(["init", "mig2", f"--ci={ci}"]) == 0  # takes the place
    theirs = (folder / JOBS[ci]).read_text()
    capsys.readouterr()
    for what in ("wrote", "kept"):
        assert main(["init", "mig", f"--ci={ci}"]) == 0
        out = capsys.readouterr().out
        assert f"{what:7}{folder / path}" in out
        assert says in out or (ci, what) == ("github", "kept")
    assert (folder / JOBS[ci]).read_text() == theirs
    ours = (folder / path).read_text()
    assert filled(ours)
    assert "doctor mig\n" in ours.replace("'", "")
    # GitLab makes one of two jobs that are called the same.
    names = [
        re.findall(r"^(?:name: )?(hetero[^:\n]*)", text, re.MULTILINE)
        for text in (theirs, ours)
    ]
    assert names[0] != names[1] or ci == "jenkins"


def test_a_job_that_gitlab_is_told_of_needs_no_more_words(
    folder: Path, capsys: Capture
) -> None:
    (folder / ".git").mkdir()
    root = folder / ".gitlab-ci.yml"
    root.write_text("include:\n  - local: /mig/heterogeneous.gitlab-ci.yml\n")
    assert main(["init", "mig", "--ci=gitlab"]) == 0
    assert "add to" not in capsys.readouterr().out
    assert (folder / "mig" / "heterogeneous.gitlab-ci.yml").exists()


def test_a_root_that_cannot_be_written_to_leaves_nothing_behind(folder: Path) -> None:
    may_bind()
    (folder / "mig").mkdir()
    (folder / ".git").mkdir()
    folder.chmod(0o555)
    words = ["setpriv", BOUND, *MIGHETERO, "init", "mig", "--ci=gitlab"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    folder.chmod(0o755)
    assert done.returncode == 2
    assert f"{folder} cannot be written to; leave out --ci, or name" in done.stderr
    assert not list((folder / "mig").iterdir())


@pytest.mark.parametrize("name", ["-mig", "a folder", "mig\n"])
def test_a_folder_that_a_job_cannot_name(
    folder: Path, capsys: Capture, name: str
) -> None:
    (folder / ".git").mkdir()
    assert main(["init", "--ci=github", "--", name]) == 2
    assert "--ci: a job cannot name " in capsys.readouterr().err
    assert [each.name for each in folder.iterdir()] == [".git"]


@pytest.mark.parametrize(
    ("ci", "schema"), [("gitlab", "gitlab-ci"), ("github", "github-workflows")]
)
def test_a_job_satisfies_its_systems_schema(folder: Path, ci: str, schema: str) -> None:
    needs.module("check_jsonschema")
    assert main(["init", f"--ci={ci}"]) == 0
    check = [sys.executable, "-m", "check_jsonschema"]
    words = [*check, f"--builtin-schema=vendor.{schema}", JOBS[ci]]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    job = folder / JOBS[ci]
    job.write_text(
        re.sub(
            "^( *)(script|steps):", r"\1actions:", job.read_text(), flags=re.MULTILINE
        )
    )
    assert subprocess.run(words, capture_output=True, check=False).returncode == 1


def test_the_jenkinsfile_is_groovy(folder: Path) -> None:
    tree_sitter = needs.imported("tree_sitter")
    groovy = needs.imported("tree_sitter_groovy")
    assert main(["init", "--ci=jenkins"]) == 0
    text = (folder / "Jenkinsfile").read_bytes()
    parser = tree_sitter.Parser(tree_sitter.Language(groovy.language()))
    assert not parser.parse(text).root_node.has_error
    for part in (b"}", b"'", b")"):
        assert parser.parse(text.replace(part, b"", 1)).root_node.has_error


@pytest.mark.parametrize(
    ("ci", "published", "step"),
    [
        (
            "jenkins",
            r"(?:testResults|artifacts): '([^']+)'",
            r"^ +(?:sh '(.*)'|checkout scm)$",
        ),
        ("github", r"^ {12}(\S+)$", r"^ +(?:run: (.*)|- uses: actions/checkout.*)$"),
    ],
)
def test_no_earlier_runs_reports_are_published(
    folder: Path, ci: str, published: str, step: str
) -> None:
    assert main(["init", f"--ci={ci}"]) == 0
    text = (folder / JOBS[ci]).read_text()
    names = re.findall(published, text, re.MULTILINE)
    assert sorted(names) == ["report.html", "report.xml"]
    for name in names:
        (folder / name).write_text("of the last run")
    first = re.findall(step, text, re.MULTILINE)[0]  # what follows may fail
    subprocess.run(first, shell=True, check=True)
    assert not [name for name in names if (folder / name).exists()]
    assert ci != "jenkins" or "skipDefaultCheckout()" in text


@pytest.mark.parametrize("ci", JOBS)
def test_what_a_job_does_is_done(
    folder: Path, ci: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path(sys.prefix, "bin", "mighetero").exists():
        needs.lacking("the package's commands")
    (folder / ".git").mkdir()
    assert main(["init", "mig", f"--ci={ci}"]) == 0
    text = (folder / JOBS[ci]).read_text()
    assert f"pip install 'pytest-mighetero[cpu,report]=={__version__}'" in text
    steps = re.findall(r"\.venv/bin/(?:mighetero|python -m pytest)[^'\n]*", text)
    assert len(steps) == 2
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "mig" / "test_own.py").write_text("def test_own(): assert 0, 'why'")
    leases = f"--mig-lease-dir={folder / 'leases'}"
    monkeypatch.setenv("PYTEST_ADDOPTS", f"-k 'dlrm_server or own' --dryrun {leases}")
    for step, code in zip(steps, (0, 1), strict=True):
        done = subprocess.run(
            shlex.split(step), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
    assert "FAILED mig/test_own.py::test_own - AssertionError: why" in done.stdout
    assert "mighetero: suite site (our site)" in done.stdout
    assert 'skipped="1" tests="2"' in (folder / "report.xml").read_text()
    assert (folder / "report.html").exists()
