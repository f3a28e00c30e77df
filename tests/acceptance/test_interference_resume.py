"""``--mig-resume``: what a good record of the very same thing has is not run again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import TWICE, UUIDS, Lab, Report

MATRIX = "--mig-interference=dlrm_offline,bert_offline"
LONG = "--background-benchmark-duration=20s"
RESUME = "--mig-resume"
CELL = "dlrm_offline-beside-bert_offline"


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.isolated()
    return lab


def run(lab: Lab, *options: str, k: str = "offline", devices: int = 3) -> Report:
    return lab.run(MATRIX, LONG, *options, k=k, devices=devices)


def record_of(lab: Lab, part: str) -> Path:
    (path,) = lab.folder.glob(f"results/*{part}/record.json")
    return path


def change(path: Path, **changed: Any) -> None:
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, **changed}))


def test_after_an_interruption_the_rest_is_run(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320, 390]}, bert={"rate": [200, 180]})
    first = run(lab, k=f"offline and (isolated or {CELL})")
    first.result.assert_outcomes(passed=3)
    (folder,) = lab.folder.glob(f"results/*{CELL}")
    report = run(lab, RESUME)
    report.result.assert_outcomes(passed=3, skipped=3)
    skipped = [case for case in report.junit if case.problems]
    said = f"--mig-resume: {folder} has it, a good run"
    assert said in skipped[-1].problems["skipped"]
    text = (lab.folder / "results" / "interference.json").read_text()
    cells = json.loads(text)["cells"]
    found = {(x["victim"], x["aggressor"]): x["slowdown"] for x in cells}
    assert found["dlrm_offline", "bert_offline"] == 1.25
    assert found["bert_offline", "bert_offline"] == 200 / 180
    # What was not run is in the table of slow-downs, and not in that of runs.
    assert len([x for x in report.result.outlines if x.startswith("dlrm  ")]) == 1
    assert None not in found.values()
    assert report.junit[-1].properties["slowdown"] == f"{400 / 390:.4f}"
    again = run(lab, RESUME, "--mig-report=report.html")
    again.result.assert_outcomes(skipped=6)
    page = (lab.folder / "report.html").read_text()
    assert (
        "dlrm_offline beside bert_offline: 1.250 times as slow as alone, of single"
        in page
    )
    assert "bert_offline beside bert_offline: 1.111 times as slow as alone" in page
    assert json.loads(text)["cells"] == cells


def test_without_the_option_everything_is_run(lab: Lab) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    run(lab, k=CELL).result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "options",
    [
        ("--main-benchmark-duration=400ms",),
        ("--main-benchmark-runargs=--offline_expected_qps=300",),
        ("--main-benchmark-cmd-prefix=env",),
        ("--config-ver=other",),
        ("--background-scenario=server",),
        ("--mig-aggressor-count=1",),
        ("--mig-rotate=1",),
        ("--settle-time=10ms",),
        ("--start-from-device",),
    ],
)
def test_a_record_of_another_set_up_is_not_taken(
    lab: Lab, options: tuple[str, ...]
) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    name = "beside-bert and dlrm_offline"
    report = run(lab, RESUME, *options, k=name)
    assert report.result.parseoutcomes().get("skipped") is None
    assert "has it, a good run" not in report.text


def test_another_gpu_is_another_set_up(lab: Lab) -> None:
    run(lab, k=CELL, devices=3).result.assert_outcomes(passed=1)
    run(lab, RESUME, k=CELL, devices=4).result.assert_outcomes(passed=1)
    others = f"--mig-devices={','.join(UUIDS[3:6])}"
    run(lab, RESUME, others, k=CELL, devices=0).result.assert_outcomes(passed=1)


def test_another_test_is_another_thing(lab: Lab) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    lab.pytester.makepyfile(
        test_run="def test_other(background, main):\n    main.run()\n"
    )
    run(lab, RESUME, k=CELL).result.assert_outcomes(passed=1)


def test_a_record_that_is_not_good_is_not_taken(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    run(lab, k=CELL).result.assert_outcomes(failed=1)
    lab.fake()
    run(lab, RESUME, k=CELL).result.assert_outcomes(passed=1)


def test_no_older_good_record_hides_that_the_newest_failed(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320, 320, 320]})
    of = f"test_isolated and dlrm_offline or {CELL}"
    run(lab, k=of).result.assert_outcomes(passed=2)
    gate = "--mig-max-slowdown=10%"
    run(lab, gate, k=CELL).result.assert_outcomes(passed=1, errors=1)
    report = run(lab, RESUME, k=CELL)
    report.result.assert_outcomes(passed=1)
    assert "has it, a good run" not in report.text


def test_no_older_good_record_stands_in_for_one_that_is_damaged(lab: Lab) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    first = record_of(lab, CELL)
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    (newest,) = {*lab.folder.glob(f"results/*{CELL}*/record.json")} - {first}
    newest.write_text(newest.read_text()[:300])
    run(lab, RESUME, k=CELL).result.assert_outcomes(passed=1)


def now_main(data: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
    main, *beside = data["harnesses"]
    return [{**main, "exited": time.time() - seconds}, *beside]


@pytest.mark.parametrize(
    ("age", "taken"),
    [(23 * 3600, True), (25 * 3600, False), (-3600, False)],
)
def test_a_record_is_fresh_for_a_day(lab: Lab, age: float, taken: bool) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    path = record_of(lab, CELL)
    change(path, harnesses=now_main(json.loads(path.read_text()), age))
    report = run(lab, RESUME, k=CELL)
    report.result.assert_outcomes(**{"skipped" if taken else "passed": 1})


@pytest.mark.parametrize(
    "changed",
    [
        {"setup": None},
        {"setup": ["x"]},
        {"setup": {"a": 1}},
        {"harnesses": [{"exited": "now"}]},
        {"harnesses": [{"exited": float("nan")}]},
        {"harnesses": [{"exited": 10**400}]},
        {"harnesses": None},
        {"executed_again": True},
        {"version": 7},
        {"phases": {}},
    ],
)
def test_a_strange_record_is_not_taken(lab: Lab, changed: dict[str, Any]) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    change(record_of(lab, CELL), **changed)
    run(lab, RESUME, k=CELL).result.assert_outcomes(passed=1)


def test_a_record_that_is_cut_short_is_not_taken(lab: Lab) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    path = record_of(lab, CELL)
    path.write_text(path.read_text()[:300])
    run(lab, RESUME, k=CELL).result.assert_outcomes(passed=1)


def test_repeats_are_resumed_one_by_one(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320, 330]})
    of = f"test_isolated and dlrm_offline-run1 or {CELL}-run1"
    run(lab, "--mig-repeat=2", k=of).result.assert_outcomes(passed=2)
    of = f"test_isolated and dlrm_offline-run1 or {CELL}"
    report = run(lab, "--mig-repeat=2", RESUME, k=of)
    report.result.assert_outcomes(passed=1, skipped=2)
    text = (lab.folder / "results" / "interference.json").read_text()
    assert json.loads(text)["cells"][0]["beside"] == 325


def test_the_gate_judges_what_is_resumed(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320]})
    of = f"test_isolated and dlrm_offline or {CELL}"
    run(lab, k=of).result.assert_outcomes(passed=2)
    gate = "--mig-max-slowdown=10%"
    report = run(lab, RESUME, gate, "--mig-report=report.html", k=of)
    report.result.assert_outcomes(skipped=2, errors=1)
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    cell = report.junit[-1]
    assert "is 1.25 times as slow as alone" in cell.problems["error"]
    assert "skipped" not in cell.problems
    assert len(report.junit) == 2
    counted = (lab.folder / "report.xml").read_text()
    assert f'errors="1" failures="0" skipped="1" tests="{2 + TWICE}"' in counted
    page = (lab.folder / "report.html").read_text()
    assert f"[{CELL}]</a> <em>error</em>: dlrm_offline beside bert_offline is" in page
    assert "Over time" not in page  # of tests that were skipped
    # What was the same for all is known of what was resumed, too.
    files = lab.folder / "results"
    matrix = json.loads((files / "interference.json").read_text())
    assert matrix["about"]["geometry"] == "listed by --mig-devices (3 MIG devices)"
    # The record of the earlier session says what that said.
    assert report.records[-1]["phases"]["teardown"]["outcome"] == "passed"


def test_two_workers_resume(lab: Lab) -> None:
    lab.run_apart(MATRIX, LONG, k="offline").result.assert_outcomes(passed=6)
    report = lab.run_apart("-n2", MATRIX, LONG, RESUME, k="offline")
    report.result.assert_outcomes(skipped=6)
    text = (lab.folder / "results" / "interference.json").read_text()
    assert {each["slowdown"] for each in json.loads(text)["cells"]} == {1}


def test_a_search_is_never_resumed(lab: Lab) -> None:
    report = lab.run("--mig-interference", RESUME, "--mig-tune", k="server")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "a search is always run anew" in report.text


ALONE = "test_isolated and dlrm_offline"


@pytest.mark.parametrize(
    ("options", "which", "said"),
    [
        (("--mig-compare=last",), CELL, "--mig-compare"),
        (("--mig-compare=last",), ALONE, "--mig-compare"),
        (("--mig-background-tolerance=10%",), CELL, "--mig-background-tolerance"),
        (("--mig-save-reference",), ALONE, "--mig-save-reference"),
        ((), ALONE, "its reference"),
    ],
)
def test_what_is_skipped_says_that_nothing_was_compared(
    lab: Lab, options: tuple[str, ...], which: str, said: str
) -> None:
    (lab.folder / "references").mkdir()
    (lab.folder / "references" / "none.toml").touch()
    where = "--mig-references=references"
    saves = ("--mig-save-reference",) if said == "its reference" else ()
    run(lab, where, *saves, k=which).result.assert_outcomes(passed=1)
    report = run(lab, where, RESUME, *options, k=which)
    report.result.assert_outcomes(skipped=1, warnings=1)
    why = f"has it, a good run; nothing was compared anew ({said})"
    assert why in report.case.problems["skipped"]
    assert why in report.text


def test_what_nobody_would_have_compared_says_nothing(lab: Lab) -> None:
    run(lab, k=CELL).result.assert_outcomes(passed=1)
    report = run(lab, RESUME, "--mig-save-reference", k=CELL)
    assert report.case.problems["skipped"].count("nothing was compared") == 0
