"""What of the user's environment reaches a harness, and what does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.lab.driver import FAKE, Lab

MAKEFILE = f"""
SHELL := /bin/bash
export LOG_DIR

run_harness:
\t@$(MAKE) --no-print-directory inner

inner:
\t@{sys.executable} {FAKE / "harness.py"} run_harness $(RUN_ARGS)
"""
# Each makes an exit code 3 of the harness a 0 of make.
SWALLOWING = {
    "GNUMAKEFLAGS": "-i",
    "MAKEFILES": "{ignore}",
    "MAKE": "make -i",
    "MAKE_COMMAND": "make -i",
    ".SHELLFLAGS": "-c 'eval \"$$0\"; true'",
    "BASH_ENV": "{trap}",
}
WITHHELD = {
    **SWALLOWING,
    "MAKECMDGOALS": "all",
    "SHELLOPTS": "onecmd",
    "BASHOPTS": "extdebug",
    "PYTHONINSPECT": "1",
    "PYTHONOPTIMIZE": "1",
    "FAKETIME": "+0 x2",
    "FAKETIME_TIMESTAMP_FILE": "/nowhere",
}


@pytest.fixture
def nested(lab: Lab) -> Lab:
    """A harness of two makes and a bash."""
    lab.harness = lab.folder / "closed"
    lab.harness.mkdir()
    (lab.harness / "Makefile").write_text(MAKEFILE)
    return lab


def value_of(name: str, folder: Path) -> str:
    ignore, trap = folder / "ignore.mk", folder / "trap.sh"
    ignore.write_text(".IGNORE:\n")
    trap.write_text("trap 'exit 0' EXIT\n")
    return WITHHELD[name].format(ignore=ignore, trap=trap)


@pytest.mark.parametrize("name", SWALLOWING)
def test_main_cannot_pass_by_a_variable(
    nested: Lab, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, value_of(name, nested.folder))
    nested.fake(dlrm={"exit": 3})
    report = nested.run("--background-benchmarks=none")
    failure = report.case.problems["failure"]
    assert "Main dlrm_server failed: it exited with code 2 (make: Error 3)" in failure
    assert report.case.properties["validity"] == "VALID"
    assert report.case.properties["environment_withheld"] == name


@pytest.mark.parametrize("name", SWALLOWING)
def test_a_background_cannot_pass_by_a_variable(
    nested: Lab, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, value_of(name, nested.folder))
    nested.fake(bert={"exit": 3})
    report = nested.run()
    (problem,) = report.case.problems.values()
    assert "did not exit with code 0: bert_offline: code 2 (make: Error 3)" in problem


def test_what_is_withheld_is_said(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WITHHELD:
        monkeypatch.setenv(name, value_of(name, lab.folder))
    monkeypatch.setenv("MAKEFLAGS", "i")
    monkeypatch.setenv("MAKELEVEL", "7")
    report = lab.run("--background-benchmarks=none")
    (launch,) = report.launches()
    # The harness's make sets some of them for what it starts.
    kept = {k for k in WITHHELD if launch["environ"].get(k) == os.environ[k]}
    assert not kept
    assert launch["environ"]["MAKELEVEL"] == "1"
    assert not launch["environ"]["MAKEFLAGS"].startswith("i")
    named = ", ".join(sorted(WITHHELD))
    assert f"mighetero: no harness gets your {named}, which can change" in report.text
    assert report.case.properties["environment_withheld"] == named


def test_a_suite_may_set_what_is_withheld(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab.folder / "own.toml").write_text(
        f"extends = '{FAKE / 'fake.toml'}'\n"
        "[harness.environment]\nPYTHONOPTIMIZE = '1'\n"
    )
    lab.suite = str(lab.folder / "own.toml")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    report = lab.run("--background-benchmarks=none")
    assert report.launches()[0]["environ"]["PYTHONOPTIMIZE"] == "1"
    assert "environment_withheld" not in report.case.properties


def test_an_outer_make_goes_without_saying(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", "-j2")
    monkeypatch.setenv("MAKELEVEL", "1")
    report = lab.run("--background-benchmarks=none")
    assert report.launches()[0]["environ"]["MAKELEVEL"] == "1"
    assert "environment_withheld" not in report.case.properties


def test_other_words_of_the_user_arrive(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"LC_ALL": "C", "PYTHONUNBUFFERED": "1", "TZ": "UTC", "SYSTEM": "x"}
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    report = lab.run("--background-benchmarks=none")
    environ = report.launches()[0]["environ"]
    assert {name: environ[name] for name in theirs} == theirs
