"""``--mig-max-slowdown``: cells that are too slow fail, and none goes unjudged."""

from __future__ import annotations

import json

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.lab.driver import TWICE, UUIDS, Lab, Report

MATRIX = "--mig-interference=dlrm_offline,bert_offline"
LONG = "--background-benchmark-duration=20s"
GATE = "--mig-max-slowdown=10%"
CELL = "dlrm_offline-beside-bert_offline"
SENTENCE = (
    "dlrm_offline beside bert_offline is 1.25 times as slow as alone: samples/s is "
    "320, alone 400 (expected at least 363.64, 1.1 times at most, --mig-max-slowdown)."
)


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.isolated()
    return lab


def run(lab: Lab, *options: str, k: str) -> Report:
    return lab.run(MATRIX, LONG, *options, k=k)


DLRM = f"test_isolated and dlrm_offline or {CELL}"


def test_a_cell_that_is_too_slow_fails_where_it_runs(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320]})
    report = run(lab, GATE, k=DLRM)
    report.result.assert_outcomes(passed=2, errors=1)
    alone, cell = report.junit
    assert alone.problems == {}
    assert SENTENCE in cell.problems["error"]
    assert cell.properties["slowdown"] == "1.2500"
    assert cell.properties["slowdown_ok"] == "false"
    record = report.records[-1]
    assert record["phases"]["teardown"]["outcome"] == "failed"
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    report.result.stdout.re_match_lines(
        [
            r"dlrm_offline  400 samples/s  1\.25!",
            r"  ! slower than --mig-max-slowdown allows \(1\.1\)",
        ]
    )
    text = (lab.folder / "results" / "interference.json").read_text()
    assert json.loads(text)["cells"][0]["failed"] is True


@pytest.mark.parametrize("rate", [364, 400, 430])
def test_a_cell_that_is_slow_enough_passes(lab: Lab, rate: float) -> None:
    lab.fake(dlrm={"rate": [400, rate]})
    run(lab, GATE, k=DLRM).result.assert_outcomes(passed=2)


def test_a_latency_is_worse_the_higher_it_is(lab: Lab) -> None:
    lab.fake(dlrm={"p99": [10, 12]})
    of = "--mig-interference=dlrm_server"
    report = lab.run(of, LONG, GATE, k="dlrm")
    report.result.assert_outcomes(passed=2, errors=1)
    (problem,) = report.junit[1].problems.values()
    assert (
        "is 1.2 times as slow as alone: p99 at target 400 is 12 ms, alone 10 (expected "
        "at most 11, 1.1 times at most, --mig-max-slowdown)." in problem
    )


def test_a_limit_beyond_twice(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 180]})
    run(lab, "--mig-max-slowdown=150%", k=DLRM).result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("rates", "outcomes"),
    [
        # 400 and 410 alone; the medians are 1.33 times apart, and the spreads apart.
        ([400, 410, 300, 310], {"passed": 4, "errors": 2}),
        # One of two runs alone is slow, and excuses nothing: the better one counts.
        ([300, 410, 305, 310], {"passed": 4, "errors": 2}),
        ([400, 340, 350, 350], {"passed": 4, "errors": 2}),
        # The first would fail by itself, and the medians do not.
        ([400, 400, 300, 440], {"passed": 4}),
    ],
)
def test_of_repeats_the_medians_count(
    lab: Lab, rates: list[float], outcomes: dict[str, int]
) -> None:
    lab.fake(dlrm={"rate": rates})
    report = run(lab, GATE, "--mig-repeat=2", k=DLRM)
    report.result.assert_outcomes(**outcomes)
    assert len(report.junit) == 4
    failed = [case for case in report.junit if case.problems]
    assert len(failed) == outcomes.get("errors", 0)
    best = max(rates[:2])
    slow = f"{best / (sum(rates[2:]) / 2):.4g}"
    for case in failed:
        said = case.problems["error"]
        assert f"beside bert_offline is {slow} times as slow" in said
        why = "the better of two runs, so that a slow one excuses nothing"
        assert f"alone {best:g}, {why} (expected" in said
        assert case.properties["slowdown_ok"] == "false"
        median = sum(rates[:2]) / sum(rates[2:])
        assert case.properties["slowdown"] == f"{median:.4f}"
    if failed:
        alone = f"{sum(rates[:2]) / 2:g}"
        report.result.stdout.re_match_lines(
            [rf"dlrm_offline +{alone} samples/s +{median:.2f}!"]
        )


def earlier_alone(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320, 320]})
    options = (MATRIX, LONG, "-m", "isolated")
    lab.run_apart(*options, k="dlrm_offline").result.assert_outcomes(passed=1)


def check_late(report: Report) -> None:
    report.result.assert_outcomes(passed=1, errors=1)
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    assert SENTENCE in report.case.problems["error"]  # of the one testcase
    (alone,) = report.folder.glob("results/*-dlrm_offline")
    base = f"{alone.relative_to(report.folder)}, of 20"
    earlier = f"Alone it ran in an earlier session: {base}"
    assert earlier in report.case.problems["error"].replace(f"{report.folder}/", "")
    said = f"dlrm_offline alone is of an earlier session: {base}"
    assert said in report.text.replace(f"{report.folder}/", "")
    assert report.case.properties["slowdown"] == "1.2500"
    assert "benchmark" in report.case.system_out
    counted = (report.folder / "report.xml").read_text()
    assert f'errors="1" failures="0" skipped="0" tests="{1 + TWICE}"' in counted
    record = report.records[-1]
    assert record["phases"]["teardown"]["outcome"] == "failed"
    assert record["facts"]["slowdown_ok"] == "false"
    assert f"ERROR test_run.py::test_heterogeneous[{CELL}]" in report.text


def test_a_cell_is_judged_late_by_an_earlier_run_alone(lab: Lab) -> None:
    earlier_alone(lab)
    check_late(run(lab, GATE, k=CELL))


def test_a_cell_is_judged_by_the_controller_of_workers(lab: Lab) -> None:
    earlier_alone(lab)
    check_late(lab.run_apart("-n2", MATRIX, LONG, GATE, k=CELL))


def test_a_cell_without_a_run_alone_is_not_green(lab: Lab) -> None:
    report = run(lab, GATE, k=CELL)
    report.result.assert_outcomes(passed=1, errors=1)
    (problem,) = report.case.problems.values()
    assert "nobody knows how much slower than alone it is" in problem
    assert "dlrm_offline has no good run alone." in problem
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED


def test_nor_with_workers(lab: Lab) -> None:
    options = ("-n2", MATRIX, LONG, GATE, "--mig-lease-timeout=60s")
    report = lab.run_apart(*options, k="beside")
    report.result.assert_outcomes(passed=4, errors=4)
    assert len(report.junit) == 4
    for case in report.junit:
        assert "nobody knows how much slower" in case.problems["error"]


def test_whichever_worker_measures_alone_every_cell_is_judged(lab: Lab) -> None:
    options = ("-n2", MATRIX, LONG, GATE, "--mig-lease-timeout=60s")
    report = lab.run_apart(*options, k="offline")
    report.result.assert_outcomes(passed=6)
    cells = [case for case in report.junit if "beside" in case.name]
    assert [case.properties["slowdown"] for case in cells] == ["1.0000"] * 4


def test_a_run_alone_that_failed_is_none(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_solo="import pytest\n"
        "@pytest.mark.isolated\n"
        "def test_isolated(main):\n    main.run()\n    assert False, 'on purpose'\n"
    )
    report = run(lab, GATE, k=DLRM)
    report.result.assert_outcomes(passed=1, failed=1, errors=1)
    (problem,) = report.junit[1].problems.values()
    assert "dlrm_offline has no good run alone: call failed: " in problem


def test_an_interrupted_session_judges_what_ran(lab: Lab) -> None:
    lab.pytester.makepyfile(test_zlast="def test_z():\n    raise KeyboardInterrupt\n")
    report = lab.run_apart(MATRIX, LONG, GATE, k=f"{CELL} or test_z")
    assert report.result.ret == pytest.ExitCode.INTERRUPTED
    (case,) = (each for each in report.junit if "dlrm" in each.name)
    assert "nobody knows how much slower" in case.problems["error"]


def test_the_first_cell_that_fails_may_end_the_session(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320]})
    report = run(lab, GATE, "-x", k="dlrm_offline and not bert_offline-")
    report.result.assert_outcomes(passed=2, errors=1)


def check_unfinished(report: Report, said: str) -> None:
    assert said in report.text
    assert f"<strong>{said}.</strong>" in (report.folder / "page.html").read_text()
    text = (report.folder / "results" / "interference.json").read_text()
    count, asked = (int(word) for word in said.split()[:3:2])
    document = json.loads(text)
    assert (document["asked"], len(document["not_run"])) == (asked, count)


def test_cells_that_were_not_run_are_named(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320]})
    report = run(lab, GATE, "-x", "--mig-report=page.html", k="offline")
    cells = "bert_offline beside dlrm_offline, dlrm_offline beside dlrm_offline"
    check_unfinished(report, f"2 of 4 cells were not run to an end: {cells}")


def test_nor_by_workers_and_after_what_ran_alone_failed(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    options = ("-n1", "-x", "--mig-report=page.html", MATRIX, LONG)
    report = lab.run_apart(*options, k=DLRM)
    said = "1 of 1 cell was not run to an end: dlrm_offline beside bert_offline"
    check_unfinished(report, said)


def test_without_a_junit_file_and_a_terminal(lab: Lab) -> None:
    report = run(lab, GATE, "-p", "no:terminal", "-p", "no:junitxml", k=CELL)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR  # --junitxml is unknown
    arguments = [
        each
        for each in lab.arguments(MATRIX, LONG, GATE, "-p", "no:terminal", "-k", CELL)
        if "junitxml" not in each
    ]
    report = lab.apart(*arguments)
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    assert (lab.folder / "results" / "interference.csv").exists()


def test_a_cell_whose_record_is_gone_is_not_green(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_zlast="import glob, os\n\n"
        "def test_z():\n"
        "    for path in glob.glob('results/*beside*/record.json'):\n"
        "        os.unlink(path)\n"
    )
    report = run(lab, GATE, k=f"{CELL} or test_z")
    report.result.assert_outcomes(passed=2, errors=1)
    (case,) = (each for each in report.junit if "dlrm" in each.name)
    assert "its record cannot be read" in case.problems["error"]


def test_a_broken_overlap_that_is_excused_has_no_figure(lab: Lab) -> None:
    lab.fake(bert={"test": 1}, dlrm={"test": 2})
    report = run(lab, GATE, "--lenient", "--background-scope=test", k=DLRM)
    assert report.result.parseoutcomes()["errors"] == 1
    (problem,) = report.junit[1].problems.values()
    assert "nobody knows how much slower" in problem
    assert "the backgrounds did not cover main" in problem


def test_a_repeat_without_a_figure_has_none_of_another(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 400, 400, 380]})
    lab.pytester.makepyfile(
        test_zlast="import pathlib\n\n"
        "def test_z():\n"
        "    for path in pathlib.Path('results').glob('*beside*/record.json'):\n"
        "        if '-run1]' in path.read_text():\n"
        "            path.unlink()\n"
    )
    of = f"test_isolated and dlrm_offline or {CELL} or test_z"
    report = run(lab, GATE, "--mig-repeat=2", k=of)
    report.result.assert_outcomes(passed=5, errors=1)
    one, two = (case for case in report.junit if "beside" in case.name)
    assert "this run has no figure to judge" in one.problems["error"]
    assert one.properties["slowdown"] == "1.0000"  # as it ran
    assert "slowdown_ok" not in one.properties
    assert two.problems == {}
    assert two.properties["slowdown"] == "1.0526"


XFAIL = (
    "import pytest\n"
    "@pytest.mark.xfail(reason='known', raises={})\n"
    "def test_heterogeneous(background, main):\n    main.run()\n"
)


def excused(lab: Lab, raises: str, *options: str, repeat: int) -> Report:
    """Run a cell that is too slow; one that is repeated is judged at the end."""
    lab.fake(dlrm={"rate": [*[400] * repeat, *[320] * repeat]})
    lab.pytester.makepyfile(test_run=XFAIL.format(raises))
    more = (f"--mig-repeat={repeat}", "--mig-report=page.html", *options)
    return run(lab, GATE, *more, k=DLRM)


@pytest.mark.parametrize("repeat", [1, 2])
def test_xfail_excuses_what_is_too_slow_wherever_it_is_judged(
    lab: Lab, repeat: int
) -> None:
    report = excused(lab, "pytest.fail.Exception", repeat=repeat)
    counts = report.result.parseoutcomes()
    assert (counts["xpassed"], counts["xfailed"]) == (repeat, repeat)
    assert "errors" not in counts
    assert report.result.ret == pytest.ExitCode.OK
    for case in report.junit[repeat:]:
        assert [*case.problems] == ["skipped"]
        assert case.properties["slowdown_ok"] == "false"
    end = report.records[-1]["phases"]["teardown"]
    assert end["outcome"] == "skipped"
    assert "is 1.25 times as slow as alone" in end["text"]
    page = (lab.folder / "page.html").read_text()
    assert f"<strong>{repeat}</strong> passed, <strong>{repeat}</strong> skip" in page
    assert "<li>Fails: dlrm_offline beside bert_offline is 1.25 times as" in page
    assert "times as slow as alone, " not in page


@pytest.mark.parametrize("repeat", [1, 2])
@pytest.mark.parametrize(
    ("raises", "options"), [("OSError", ()), ("None", ("--runxfail",))]
)
def test_nor_does_it_where_it_does_not_apply(
    lab: Lab, raises: str, options: tuple[str, ...], repeat: int
) -> None:
    report = excused(lab, raises, *options, repeat=repeat)
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.result.parseoutcomes()["errors"] == repeat


def test_xfail_excuses_no_cell_that_cannot_be_judged(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run=XFAIL.format("None"))
    report = run(lab, GATE, k=CELL)
    assert report.result.parseoutcomes()["errors"] == 1
    assert "nobody knows how much slower" in report.case.problems["error"]


def test_a_search_is_judged_by_its_answers(lab: Lab) -> None:
    lab.fake(dlrm={"capacity": 400})
    options = ("--mig-interference=dlrm_server", "--mig-tune", GATE)
    report = lab.run(*options, "--mig-tune-resolution=20%", k="dlrm_server")
    report.result.assert_outcomes(passed=2)
    assert "slowdown" in report.junit[1].properties


def test_what_is_too_slow_and_failed_for_more_has_no_figure(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.fake(dlrm={"rate": [400, 320]})
    lab.pytester.makepyfile(
        test_run="import pytest\n\n"
        "@pytest.fixture\n"
        "def broken():\n    yield\n    raise RuntimeError('the fan stood still')\n\n"
        "def test_heterogeneous(broken, background, main):\n    main.run()\n"
    )
    report = run(lab, GATE, k=DLRM)
    report.result.assert_outcomes(passed=2, errors=1)
    assert "is 1.25 times as slow" in report.junit[-1].problems["error"]
    capsys.readouterr()
    main(["interference", str(lab.folder / "results"), "--json"])
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    assert cell["slowdown"] is None


FAILING = """
import pytest
{setup}
@pytest.mark.isolated
def test_isolated({first}main):
    main.run()
    {last}
"""


@pytest.mark.parametrize(
    "how",
    [
        {"last": "assert False"},
        {"last": "pytest.skip('not today')"},
        {"first": "missing, "},
        {
            "setup": "@pytest.fixture\ndef bad():\n    raise RuntimeError\n",
            "first": "bad, ",
        },
    ],
)
def test_no_earlier_run_alone_stands_in_for_one_that_failed(
    lab: Lab, how: dict[str, str]
) -> None:
    run(lab, k="test_isolated and dlrm_offline").result.assert_outcomes(passed=1)
    parts = {"setup": "", "first": "", "last": "", **how}
    lab.pytester.makepyfile(test_solo=FAILING.format(**parts))
    report = run(lab, GATE, k=DLRM)
    cell = report.junit[-1]
    assert "dlrm_offline has no good run alone" in cell.problems["error"]


def test_nor_for_one_whose_worker_died(lab: Lab) -> None:
    run(lab, k="test_isolated and dlrm_offline").result.assert_outcomes(passed=1)
    last = "import os; os._exit(1)"
    solo = FAILING.format(setup="", first="", last=last)
    lab.pytester.makepyfile(test_solo=solo)
    report = lab.run_apart("-n1", MATRIX, LONG, GATE, k=DLRM)
    (cell,) = (case for case in report.junit if "beside" in case.name)
    assert "dlrm_offline has no good run alone" in cell.problems["error"]


@pytest.mark.parametrize(
    "options",
    [
        ("--settle-time=10ms",),
        ("--main-benchmark-duration=400ms",),
        ("--mig-rotate=1",),
        (f"--mig-devices={','.join(UUIDS[3:6])}",),
    ],
)
def test_an_earlier_run_alone_of_another_set_up_is_none(
    lab: Lab, options: tuple[str, ...]
) -> None:
    run(lab, k="test_isolated and dlrm_offline").result.assert_outcomes(passed=1)
    report = lab.run(MATRIX, LONG, GATE, *options, k=CELL)
    assert "dlrm_offline has no good run alone" in report.case.problems["error"]


def test_an_earlier_run_alone_that_is_old_is_none(lab: Lab) -> None:
    run(lab, k="test_isolated and dlrm_offline").result.assert_outcomes(passed=1)
    (path,) = lab.folder.glob("results/*/record.json")
    data = json.loads(path.read_text())
    data["harnesses"][0]["exited"] -= 25 * 3600
    path.write_text(json.dumps(data))
    report = run(lab, GATE, k=CELL)
    assert "dlrm_offline has no good run alone" in report.case.problems["error"]


@pytest.mark.parametrize("damage", ["", "{", "validity"])
def test_no_older_run_alone_hides_that_the_newest_failed(lab: Lab, damage: str) -> None:
    run(lab, k="test_isolated and dlrm_offline").result.assert_outcomes(passed=1)
    lab.fake(dlrm={"validity": "INVALID"} if damage == "validity" else {})
    run(lab, k="test_isolated and dlrm_offline")
    newest = max(
        lab.folder.glob("results/*/record.json"), key=lambda x: x.stat().st_mtime
    )
    if damage != "validity":
        newest.write_text(damage)
    lab.fake()
    report = run(lab, GATE, k=CELL)
    assert "dlrm_offline has no good run alone" in report.case.problems["error"]


def test_a_resumed_base_is_named(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 390]})
    run(lab, k="test_isolated and dlrm_offline").result.assert_outcomes(passed=1)
    report = run(lab, GATE, "--mig-resume", k=DLRM)
    report.result.assert_outcomes(passed=1, skipped=1)
    (alone,) = report.folder.glob("results/*-dlrm_offline")
    text = (lab.folder / "results" / "interference.json").read_text()
    (cell,) = json.loads(text)["cells"]
    assert cell["base"].startswith(f"{alone}, of 20")


ALONE = [400, 390, 410]


@pytest.mark.parametrize(
    ("alone", "beside", "is_excused"),
    [
        ([400, 360, 402], [350, 362, 401], True),
        # One fast run beside, and two runs alone that are no outliers.
        (ALONE, [360, 350, 392], False),
        # One slow run alone, whose spread covers everything.
        ([400, 200, 402], [320, 322, 318], False),
        ([400, 330, 402], [362, 363, 361], False),
        # One fast run beside.
        (ALONE, [320, 322, 420], False),
        # Noise that is more than the gate is to find.
        ([400, 200, 430], [350, 180, 420], False),
        # Apart, however near the limit.
        ([400, 399, 401], [363, 360, 362], False),
    ],
)
def test_noise_excuses_what_no_single_run_could(
    lab: Lab, alone: list[float], beside: list[float], is_excused: bool
) -> None:
    lab.fake(dlrm={"rate": [*alone, *beside]})
    report = run(lab, GATE, "--mig-repeat=3", k=DLRM)
    report.result.assert_outcomes(passed=6, errors=0 if is_excused else 3)
    (cell,) = json.loads((lab.folder / "results" / "interference.json").read_text())[
        "cells"
    ]
    assert (cell["excused"], cell["failed"]) == (is_excused, not is_excused)
    said = [case.properties.get("slowdown_excused") for case in report.junit[3:]]
    assert said == ["true" if is_excused else None] * 3
    line = "passes by noise alone: dlrm_offline beside bert_offline"
    assert (line in report.text) is is_excused
    assert ("1.10*" in report.text) is is_excused


def test_no_other_test_of_the_same_cell_makes_up_for_one(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320, 440]})
    run(lab, k="test_isolated and dlrm_offline").result.assert_outcomes(passed=1)
    lab.pytester.makepyfile(
        test_run="def test_heterogeneous(background, main):\n    main.run()\n\n"
        "def test_other(background, main):\n    main.run()\n"
    )
    report = run(lab, GATE, k=CELL)
    report.result.assert_outcomes(passed=2, errors=1)
    assert SENTENCE in report.junit[0].problems["error"]


def test_a_skip_after_measuring_hides_no_slowness(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320]})
    lab.pytester.makepyfile(
        test_run="import pytest\n\n"
        "def test_heterogeneous(background, main):\n"
        "    main.run()\n    pytest.skip('not today')\n"
    )
    report = run(lab, GATE, k=DLRM)
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
