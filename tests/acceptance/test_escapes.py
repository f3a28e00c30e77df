"""What harnesses, files and people say is shown on a terminal, and not obeyed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET

import pexpect
import pytest

from pytest_mighetero.cli.__main__ import main
from tests.lab.driver import Lab

# A title, a cleared screen, a bell, C1's CSI, and writing from right to left.
EVIL = "\x1b]0;evil\x07\x1b[2J\x08\x9b31mC1\u202eevil\u2066"
SHOWN = r"\x1b]0;evil\x07\x1b[2J\x08\x9b31mC1\u202eevil\u2066"
# As pytest writes, and what shows a run's lines in place.
COLOUR = re.compile(r"\x1b\[([0-9;]*[mKAC]|J)")
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def obeyed(text: str) -> set[str]:
    """Return what a terminal would obey in *text*, colours apart."""
    return set(OBEYED.findall(COLOUR.sub("", text)))


def on_a_terminal(lab: Lab, *options: str, k: str = "dlrm_server") -> str:
    """Run pytest on a terminal of 80 columns and return what that is sent."""
    arguments = ["-m", "pytest", *lab.arguments("-k", k, *options)]
    child = pexpect.spawn(
        sys.executable,
        arguments,
        cwd=str(lab.folder),
        env={**os.environ, "TERM": "xterm", "PYTHONUTF8": "1"},
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 2000),
    )
    text: str = child.read()
    child.close()
    return text


MODES = [
    (),
    ("-s",),
    ("-v",),
    ("--color=yes", "-rA", "-vv", "-s"),
    ("--tb=short", "-l"),
]


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
def test_a_main_that_fails(lab: Lab, mode: tuple[str, ...]) -> None:
    lab.fake(dlrm={"marker": EVIL, "die": ["marker", 3]})
    text = on_a_terminal(lab, *mode)
    assert f"  {SHOWN}" in text
    assert "Main dlrm_server failed: it exited with code 2 (make: Error 3)" in text
    assert obeyed(text) == set()
    assert SHOWN in lab_case(lab)


@pytest.mark.parametrize("mode", [(), ("-s", "--color=yes")], ids=" ".join)
def test_a_background_that_fails(lab: Lab, mode: tuple[str, ...]) -> None:
    lab.fake(bert={"marker": EVIL, "die": ["marker", 3]})
    text = on_a_terminal(lab, *mode)
    assert SHOWN in text
    assert obeyed(text) == set()


@pytest.mark.parametrize("who", ["dlrm", "bert"])
def test_colours_are_left_out_of_what_it_printed_last(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setenv("OWN_TOKEN", "own-0123-secret")
    # As Python 3.13 on a terminal; the last are put together of what is taken out.
    said = "\x1b[1;35mCalledProcessError\x1b[0m: \x1b[38:5:208mexit 1\x1b[m"
    said += " own-\x1b[1m0123-secret \x1b\x1b[0m[2J"
    lab.fake(**{who: {"marker": said, "die": ["marker", 3]}})
    text = on_a_terminal(lab)
    assert "  CalledProcessError: exit 1 *** \\x1b[2J" in text
    assert obeyed(text) == set()
    logs = [each.read_bytes() for each in lab.folder.glob("results/*/*/output.log")]
    assert [said.encode() in log for log in logs].count(True) == 1


COMMANDS = [
    "  ::stop-commands::x",
    "::error file=a.py::forged%0Atext",
    "a ##[add-mask]x",
]
COMMANDS += ["##vso[task.complete result=Succeeded;]done", "##teamcity[testFinished]"]
COMMAND = re.compile(r"^\s*::|##(vso|teamcity)?\[", re.MULTILINE)


@pytest.mark.parametrize("mode", MODES[:-1], ids=" ".join)
@pytest.mark.parametrize("who", ["dlrm", "bert"])
def test_what_a_ci_would_obey(lab: Lab, who: str, mode: tuple[str, ...]) -> None:
    assert len(COMMAND.findall("\n".join(COMMANDS))) == len(COMMANDS)
    lab.fake(**{who: {"marker": "\n".join(COMMANDS), "die": ["marker", 3]}})
    text = COLOUR.sub("", on_a_terminal(lab, *mode)).replace("\r\n", "\n")
    assert r"  \x3a:error file=a.py::forged%0Atext" in text
    assert r"  a \x23#[add-mask]x" in text
    assert COMMAND.findall(text) == []


def test_what_loadgen_says(lab: Lab) -> None:
    said = {"result_invalid_reason": EVIL, "early_stopping_met": False}
    said["early_stopping_result"] = f" * Run {EVIL}."
    lab.fake(dlrm={"validity": "INVALID", "logged": said, "errors": 1, "p99": 600})
    text = on_a_terminal(lab)
    assert "the result is INVALID" in text
    assert SHOWN in text
    assert obeyed(text) == set()


def test_what_a_suite_says_of_itself(lab: Lab) -> None:
    suite = lab.folder / "site.toml"
    described = json.dumps(f"a {EVIL} suite")
    suite.write_text(f'extends = "{lab.suite}"\ndescription = {described}\n')
    lab.suite = str(suite)
    text = on_a_terminal(lab, "--dryrun", "-rs", "-v")
    assert f"found 'a {SHOWN} suite'" in text
    assert obeyed(text) == set()


def test_what_a_folder_is_called(lab: Lab) -> None:
    folder = lab.folder / f"h {EVIL}"
    shutil.copytree(lab.harness, folder)
    lab.harness = folder
    text = on_a_terminal(lab, "--dryrun", "-rs", "-v")
    assert f"h {SHOWN}" in text
    assert obeyed(text) == set()


def test_a_makefile_of_its_own(lab: Lab) -> None:
    folder = lab.folder / "harness"
    folder.mkdir()
    (folder / "Makefile").write_text(f"run_harness:\n\t@echo '{EVIL}'; exit 7\n")
    lab.harness = folder
    text = on_a_terminal(lab)
    assert SHOWN in text
    assert obeyed(text) == set()


@pytest.mark.parametrize(
    "option",
    ["--mig-suite", "--background-benchmarks", "--mig-compare", "--start-time-buffer"],
)
def test_wrong_options(lab: Lab, option: str) -> None:
    text = on_a_terminal(lab, f"{option}={EVIL}")
    assert "evil" in text
    assert obeyed(text) == set()


def test_a_run_that_is_shown_again(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    lab.fake(dlrm={"marker": EVIL, "die": ["marker", 3]})
    lab.run()
    (path,) = lab.folder.glob("results/*/record.json")
    record = json.loads(path.read_text())
    record["test"] += EVIL
    record["facts"]["gpu"] = record["phases"]["call"]["text"] = f"{EVIL}\n{EVIL}"
    record["harnesses"][0]["benchmark"] = record["attempts"] = [{EVIL: {EVIL: EVIL}}]
    path.write_text(json.dumps(record))
    evil = path.parent.with_name(f"20991231-235959-{EVIL}")
    path.parent.rename(evil)
    (evil.parent / f"{EVIL}2").mkdir()
    (evil.parent / f"{EVIL}2" / "record.json").write_text("{")
    capfd.readouterr()
    words = [
        ["show", str(evil.parent)],
        ["show", "--json", str(evil.parent)],
        ["compare", str(evil.parent), str(evil)],
        ["junit", "-o", str(lab.folder / "again.xml"), str(evil.parent)],
        ["show", f"gone{EVIL}"],
        [f"no{EVIL}"],
        ["list", f"--mig-suite={EVIL}"],
        ["list", f"--mig-devices=MIG-{EVIL}"],
    ]
    for each in words:
        main(each)
        text = "".join(capfd.readouterr())
        assert obeyed(text) == set(), each
        assert "\x1b" not in text
        assert "evil" in text or each[0] == "junit"
    assert len(list(ET.parse(lab.folder / "again.xml").iter("testcase"))) == 2


def lab_case(lab: Lab) -> str:
    """Return the failure that the junit has; that it parses is part of it."""
    root = ET.parse(lab.folder / "report.xml").getroot()
    return "".join(each.text or "" for each in root.iter("failure"))
