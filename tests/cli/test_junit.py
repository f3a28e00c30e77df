"""``mighetero junit``: what a run's own junit file says, from its record."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.show.replay import message_in
from tests.cli.runs import FACTS, PASSED, failed, write_run
from tests.lab.driver import TWICE, Case, Files, Lab

Capture = pytest.CaptureFixture[str]


def rebuilt(folder: Path, *records: Path) -> list[Case]:
    """Return the testcases of a junit file that is written into *folder*."""
    report = folder / "report.xml"
    assert main(["junit", *map(str, records), "-o", str(report)]) == 0
    return Files(folder).junit


def named(report: Path) -> list[tuple[str | None, ...]]:
    """Return the attributes of the testcases that do not depend on the collection."""
    names = ("classname", "name", "file", "time")
    return [
        tuple(case.get(name) for name in names)
        for case in ET.parse(report).iter("testcase")
    ]


@pytest.mark.parametrize(
    ("outcome", "faults"),
    [
        ({"passed": 1}, {}),
        ({"failed": 1}, {"dlrm": {"validity": "INVALID", "p99": 612.5}}),
        ({"errors": 1}, {"bert": {"die": ["start", 7]}}),
        ({"passed": 1, "errors": 1}, {"resnet50": {"exit": 5}}),
    ],
    ids=["passed", "bad main", "setup error", "teardown error"],
)
def test_the_same_as_the_runs_own(
    lab: Lab, outcome: dict[str, int], faults: dict[str, Any]
) -> None:
    lab.fake(**faults)
    own = lab.run()
    own.result.assert_outcomes(**outcome)
    again = lab.folder / "again"
    again.mkdir()
    assert rebuilt(again, lab.folder / "results") == own.junit
    assert named(again / "report.xml") == named(lab.folder / "report.xml")
    suites = [ET.parse(x / "report.xml").find("*") for x in (again, lab.folder)]
    counts = ("tests", "errors", "failures", "skipped")
    first, second = ([x.get(n) for n in counts] for x in suites if x is not None)
    assert first == second


CUT_OFF = [
    ({}, [], "Known by then: nothing."),
    (
        {"setup": PASSED["setup"]},
        [
            {"role": "main", "launched": 1.0, "exit_code": None},
            {"role": "background-1-dlrm", "launched": None, "exit_code": None},
        ],
        "setup passed; main was running; background-1-dlrm was not launched.",
    ),
    (
        {"setup": PASSED["setup"], "call": PASSED["call"]},
        [{"role": "main", "launched": 1.0, "exit_code": 0}],
        "setup passed; call passed; main exited with code 0.",
    ),
]


@pytest.mark.parametrize(("phases", "harnesses", "known"), CUT_OFF)
def test_a_run_that_did_not_end_is_an_error(
    tmp_path: Path, phases: dict[str, Any], harnesses: list[Any], known: str
) -> None:
    folder = write_run(tmp_path, phases=phases, record={"harnesses": harnesses})
    (case,) = rebuilt(tmp_path, folder)
    assert case.name == "test_heterogeneous[bert_server]"
    error = case.problems["error"]
    assert "the run did not end: pytest was ended, or it still runs. " in error
    assert known in error
    assert str(folder / "record.json") in error
    assert case.properties == FACTS
    assert "  benchmark         bert\n" in case.system_out
    suite = ET.parse(tmp_path / "report.xml").find("testsuite")
    assert suite is not None
    count = 1 + (TWICE and "call passed" in known)
    assert (suite.get("tests"), suite.get("errors")) == (str(count), "1")


def test_a_damaged_record_is_an_error(tmp_path: Path) -> None:
    write_run(tmp_path)
    damaged = tmp_path / "20260722-101501-rnnt_server" / "record.json"
    damaged.parent.mkdir()
    damaged.write_text('{"test":')
    good, bad = rebuilt(tmp_path, tmp_path)
    assert good.problems == {}
    assert bad.name == "20260722-101501-rnnt_server"
    assert f"{damaged} is no record of a run: no JSON: " in bad.problems["error"]


def test_repeats_are_testcases_of_their_own(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, f"20260722-10150{n}-bert_server") for n in (1, 2)]
    write_run(tmp_path, "20260722-101503-bert_server", failed("call", "no"))
    assert [case.problems for case in rebuilt(tmp_path, *runs)] == [{}, {}]
    assert len(rebuilt(tmp_path, tmp_path)) == 3


def test_a_skipped_run(tmp_path: Path) -> None:
    skipped = {"outcome": "skipped", "text": "('/x/test_run.py', 3, 'Skipped: later')"}
    folder = write_run(tmp_path, phases={**PASSED, "call": skipped})
    (case,) = rebuilt(tmp_path, folder)
    assert case.problems == {"skipped": "later\n/x/test_run.py:3: later"}


TRACEBACK = """\
>       main.run().metric.value
E       ValueError

test_x.py:3: ValueError
_ _ _ _
>       assert 1 == 2, "that\\nmore"
E       AssertionError: that
E         more
E       assert 1 == 2

test_x.py:5: AssertionError"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Main failed.\nLast lines", "Failed: Main failed.\nLast lines"),
        (
            TRACEBACK,
            "AssertionError: that\n  more\nassert 1 == 2",
        ),
    ],
)
def test_the_message_of_a_failure(text: str, message: str) -> None:
    assert message_in(text) == message


def test_nothing_else_has_a_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    folder = write_run(tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    monkeypatch.setenv("PYTEST_PLUGINS", "nonsense")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    (tmp_path / "conftest.py").write_text("1 / 0")
    (tmp_path / "test_it.py").write_text("def test_it(): pass")
    assert main(["junit", str(folder)]) == 0
    out, err = capsys.readouterr()
    (case,) = ET.fromstring(out).iter("testcase")
    assert (case.get("name"), err) == ("test_heterogeneous[bert_server]", "")
    assert {path.name for path in tmp_path.iterdir()} == {
        "conftest.py", "pytest.ini", "results", "test_it.py",
    }  # fmt: skip


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: Capture) -> None:
    folder = write_run(tmp_path)
    assert main(["junit", str(folder), "-o", str(tmp_path / "no" / "x.xml")]) == 2
    assert "x.xml cannot be written: No such file or directory; name a file in" in (
        capsys.readouterr().err
    )
