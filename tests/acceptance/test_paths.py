"""Paths that options name: missing, hidden from this user, or an empty text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_mighetero.records.run_names import RECORD
from tests.acceptance.test_references import ALONE, OFFLINE, reference
from tests.cli.looked import BOUND, may_bind
from tests.lab.driver import Lab, Report

FOLDERS = ("mig-lease-dir", "results-dir", "mig-references", "mig-harness-dir")


def without(lab: Lab, *names: str) -> list[str]:
    """Return what the lab says, but for these options."""
    return [w for w in lab.arguments() if w.partition("=")[0].lstrip("-") not in names]


def unable(lab: Lab, *options: str, leave_out: Sequence[str] = ()) -> Report:
    """Run pytest as somebody who has no right to what modes forbid."""
    may_bind()
    words = [*without(lab, *leave_out), "-k", OFFLINE, ALONE, *options, "test_run.py"]
    pytest_ = (sys.executable, "-mpytest", *words)
    return Report(lab.folder, lab.pytester.run("setpriv", BOUND, *pytest_))


def refused(report: Report) -> str:
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in report.text
    assert "Errno" not in report.text
    assert not report.launches()
    return report.text


def hidden(folder: Path, mode: int = 0o311) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)
    return folder


@pytest.mark.parametrize("how", ["option", "ini", "suite", "link"])
def test_references_that_are_not_there_and_were_named(lab: Lab, how: str) -> None:
    words = ["--mig-references=nope"] if how == "option" else []
    said_by = "--mig-references"
    if how == "ini":
        lab.ini("mig_references = nope")
        said_by = "mig_references in tox.ini"
    if how == "suite":
        own = lab.folder / "own.toml"
        own.write_text(
            f"extends = '{lab.suite}'\ndefaults = {{ mig-references = 'n' }}"
        )
        lab.suite = str(own)
        said_by = f"{own}: defaults.mig-references"
    if how == "link":  # to what is not mounted
        (lab.folder / "runs").mkdir()
        (lab.folder / "runs" / "references").symlink_to("nope")
        said_by = "the default of --mig-references"
    said = refused(lab.run(ALONE, *words, k=OFFLINE))
    assert f"{said_by}: {lab.folder}" in said
    assert "does not exist, and no run would be held to a reference; name" in said


@pytest.mark.parametrize("how", ["option", "ini", "link"])
def test_a_folder_that_was_named_and_has_no_references(lab: Lab, how: str) -> None:
    (lab.folder / "refs").mkdir()
    (lab.folder / "refs" / "README").touch()
    words = ["--mig-references=refs"] if how == "option" else []
    if how == "ini":
        lab.ini("mig_references = refs")
    if how == "link":
        (lab.folder / "runs").mkdir()
        (lab.folder / "runs" / "references").symlink_to("../refs")
    said = refused(lab.run(ALONE, *words, k=OFFLINE))
    assert f"{lab.folder}/refs has no *.toml, and no run would be held to a " in said
    assert "or have pytest --mig-save-reference make it" in said
    (lab.folder / "refs" / "none.toml").touch()
    lab.run(ALONE, *words, k=OFFLINE).result.assert_outcomes(passed=1)


@pytest.mark.parametrize("there", [False, True])
def test_references_that_are_begun(lab: Lab, there: bool) -> None:
    if there:
        (lab.folder / "new").mkdir()
    words = (ALONE, "--mig-references=new", "--mig-save-reference")
    lab.run(*words, k=OFFLINE).result.assert_outcomes(passed=1)
    assert [*(lab.folder / "new").glob("*.toml")]


@pytest.mark.parametrize("words", [(), ("--mig-save-reference",)])
def test_references_that_are_no_folder(lab: Lab, words: tuple[str, ...]) -> None:
    (lab.folder / "file").touch()
    said = refused(lab.run(ALONE, "--mig-references=file", *words, k=OFFLINE))
    assert "--mig-references: " in said
    assert "/file cannot be read: Not a directory" in said


def test_no_references_are_needed_where_nobody_names_any(lab: Lab) -> None:
    (lab.folder / "runs").touch()
    lab.run(ALONE, k=OFFLINE).result.assert_outcomes(passed=1)


@pytest.mark.parametrize("words", [(), ("--mig-references=runs/references",)])
def test_references_that_are_hidden(lab: Lab, words: tuple[str, ...]) -> None:
    reference(lab, 600, 580, 620)
    hidden(lab.folder / "runs" / "references")
    said = refused(unable(lab, *words))
    assert "--mig-references: " in said
    assert "/runs/references cannot be read: Permission denied; name a folder" in said
    hidden(lab.folder / "runs" / "references", 0o755)
    hidden(lab.folder / "runs", 0)
    said = refused(unable(lab, *words))
    assert "/runs/references cannot be looked at: Permission denied; name a" in said


@pytest.mark.parametrize(("what", "mode"), [("", 0o311), ("", 0o644), (RECORD, 0)])
def test_what_is_compared_with_is_hidden(lab: Lab, what: str, mode: int) -> None:
    path = lab.folder / "earlier" / what
    path.parent.mkdir(exist_ok=True)
    path.touch() if what else path.mkdir()
    path.chmod(mode)
    said = refused(unable(lab, f"--mig-compare={path}"))
    assert f"--mig-compare: {path} cannot be read: Permission denied; " in said


@pytest.mark.parametrize(("what", "mode"), [("", 0), ("", 0o644), (RECORD, 0)])
@pytest.mark.parametrize("where", ["results", "last"])
def test_an_earlier_run_that_is_hidden(
    lab: Lab, what: str, mode: int, where: str
) -> None:
    worse = ("--mig-compare=" + where, "--mig-tolerance=0.0001%")
    lab.run(ALONE, k=OFFLINE).result.assert_outcomes(passed=1)
    hidden_run = next(lab.folder.glob("results/*-*"))
    (hidden_run / what).chmod(mode)
    report = unable(lab, *worse)
    name = f"{OFFLINE} is not compared with what may be its last run: "
    said = f"{name}{hidden_run}/{RECORD} cannot be read: Permission denied"
    assert "no earlier good run" not in report.text
    if where == "last":
        report.result.assert_outcomes(passed=1, warnings=1)
        assert f"--mig-compare: {said}" in report.text
        # One that is newer than it, and is seen, is what counts.
        report = unable(lab, *worse)
        assert "cannot be read" not in report.text
        assert report.case.properties["compared"]
    else:
        report.result.assert_outcomes(failed=1)
        assert said in report.case.problems["failure"]


def test_a_run_that_is_named_and_whose_record_is_hidden(lab: Lab) -> None:
    lab.run(ALONE, k=OFFLINE).result.assert_outcomes(passed=1)
    folder = next(lab.folder.glob("results/*-*"))
    (folder / RECORD).chmod(0)
    (lab.folder / "report.xml").unlink()
    result = unable(lab, f"--mig-compare={folder}").result
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = f"--mig-compare: {folder}/{RECORD} cannot be read: Permission denied"
    assert said in "\n".join(result.errlines)
    assert not (lab.folder / "report.xml").exists()


def test_a_hidden_run_before_which_one_is_seen(lab: Lab) -> None:
    for _ in range(3):
        lab.run(ALONE, k=OFFLINE).result.assert_outcomes(passed=1)
    seen, *newer = sorted(lab.folder.glob("results/*-*"))
    for folder in newer:
        hidden(folder, 0)
    report = unable(lab, "--mig-compare=last")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "cannot be read: Permission denied (and 1 more)" in report.text
    assert report.case.properties["compared"].endswith(f"than {seen}")


def test_backgrounds_of_a_run_that_is_hidden(lab: Lab) -> None:
    lab.run(k=OFFLINE).result.assert_outcomes(passed=1)
    folder = hidden(next(lab.folder.glob("results/*-*")), 0)
    may_bind()
    words = [*lab.arguments(), "-k", OFFLINE, "--mig-background-tolerance=10%"]
    pytest_ = (sys.executable, "-mpytest", *words, "test_run.py")
    report = Report(lab.folder, lab.pytester.run("setpriv", BOUND, *pytest_))
    report.result.assert_outcomes(passed=1)
    said = f"not compared with all: {folder}/{RECORD} cannot be read: Permission den"
    assert f"--mig-background-tolerance: {said}" in report.text


@pytest.mark.parametrize("mode", [0o311, 0o644])
def test_earlier_runs_that_are_hidden(lab: Lab, mode: int) -> None:
    hidden(lab.folder / "results", mode)
    said = refused(unable(lab, "--mig-compare=last"))
    assert f"--results-dir: {lab.folder}/results cannot be read: Permission" in said


@pytest.mark.parametrize("name", ["results-dir", "mig-harness-dir", "mig-suite"])
def test_a_path_that_this_user_may_not_follow(lab: Lab, name: str) -> None:
    hidden(lab.folder / "theirs", 0)
    path = lab.folder / "theirs" / "inner.toml"
    said = refused(unable(lab, f"--{name}={path}"))
    assert f"--{name}: " in said
    assert f"{path} cannot be " in said
    assert ": Permission denied" in said


def test_a_harness_folder_that_may_not_be_entered(lab: Lab) -> None:
    theirs = hidden(lab.folder / "theirs", 0o600)
    said = refused(unable(lab, f"--mig-harness-dir={theirs}"))
    denied = f"{theirs} cannot be looked into: Permission denied; run as a user who may"
    assert f"--mig-harness-dir: {denied}" in said
    own = lab.folder / "own.toml"
    own.write_text(f"extends = '{lab.suite}'\nharness = {{ folder = '{theirs}' }}")
    lab.suite = str(own)
    report = unable(lab, leave_out=("mig-harness-dir",))
    report.result.assert_outcomes(errors=1)
    assert f"{own}: harness.folder: {denied}." in report.case.problems["error"]
    assert "Traceback" not in report.text


@pytest.mark.parametrize("name", [*FOLDERS, "mig-report", "mig-suite"])
@pytest.mark.parametrize("text", ["", " "])
@pytest.mark.parametrize("how", ["--{}={}", "-o={}={}"])
def test_an_empty_path(lab: Lab, name: str, text: str, how: str) -> None:
    key = name.replace("-", "_") if how.startswith("-o") else name
    words = (*without(lab, name), how.format(key, text), ALONE)
    result = lab.pytester.runpytest_inprocess(*words)
    said = refused(Report(lab.folder, result))
    assert f"{'-o ' if how.startswith('-o') else '--'}{key}: expected " in said
    assert "found an empty text" in said
    assert "is a variable of it unset?" in said


@pytest.mark.parametrize("name", ["mig-lease-dir", "results-dir", "mig-references"])
def test_an_empty_path_takes_no_folder_back(lab: Lab, name: str) -> None:
    lab.ini(f"{name.replace('-', '_')} = elsewhere")
    assert "found an empty text" in refused(lab.run(f"--{name}="))


def test_an_empty_path_takes_back_what_the_ini_file_says(lab: Lab) -> None:
    lab.ini("mig_harness_dir = nowhere", "mig_report = page.html")
    words = ["--mig-harness-dir=", "--mig-report=", "--mig-suite=cpu", "--dryrun"]
    words += ["--mig-lease-dir=leases", "-k", "dlrm_server"]
    result = lab.pytester.runpytest_inprocess(*words)
    result.assert_outcomes(skipped=1)
    assert "pytest_mighetero/cpu" in "\n".join(result.outlines)
    assert not (lab.folder / "page.html").exists()
