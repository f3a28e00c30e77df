"""What backgrounds came to themselves, and beside their own history."""

from __future__ import annotations

import json

import pytest

from tests.lab.driver import Lab

BOTH = "bert=518.387 samples/s,resnet50=518.387 samples/s"


def test_every_background_that_ended_has_its_value(lab: Lab) -> None:
    report = lab.run()
    assert report.case.properties["background_values"] == BOTH
    lines = [line.split(maxsplit=1) for line in report.case.system_out.splitlines()]
    assert ["background_values", BOTH] in lines
    assert "background_history" not in report.case.properties
    record = report.record
    assert record["facts"]["background_values"] == BOTH
    bert = record["harnesses"][1]
    assert bert["loadgen"]["metric"]["value"] == 518.387
    assert "--benchmarks=bert" in bert["run_args"]


def test_one_that_was_stopped_has_none(lab: Lab) -> None:
    options = ("--background-benchmark-duration=automatic", "--mig-stop-grace=200ms")
    report = lab.run(*options, "--mig-background-tolerance=10%")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "background_values" not in report.case.properties
    assert "--mig-background-tolerance: not compared, for lack of a" in report.text


def test_one_whose_logs_are_damaged_has_none(lab: Lab) -> None:
    lab.fake(bert={"logged": {"result_validity": "INVALID"}})  # and VALID
    lab.run()
    lab.fake()
    first, second = (record["facts"] for record in lab.run().records)
    assert first["background_values"] == "resnet50=518.387 samples/s"
    assert second["background_values"] == BOTH
    assert second["background_history"] == "resnet50=518.39 samples/s (1 run)"


def test_as_good_as_before(lab: Lab) -> None:
    lab.run()
    lab.fake(bert={"rate": 440})
    report = lab.run("--mig-background-tolerance=20%")
    report.result.assert_outcomes(passed=1)
    (case,) = report.junit
    assert case.properties["background_history"] == (
        "bert=518.39 samples/s (1 run),resnet50=518.39 samples/s (1 run)"
    )


def test_far_below_its_history_is_a_warning(lab: Lab) -> None:
    for rate in (510, 500, 490):
        lab.fake(bert={"rate": rate})
        lab.run()
    lab.fake(bert={"rate": 390})
    report = lab.run()
    report.result.assert_outcomes(passed=1, warnings=1)
    assert (
        "Background bert_offline came to 390 samples/s, 22.0% below the 500 of its "
        "history of 3 runs (expected at least 400, --mig-background-tolerance); that "
        "is the median of good runs of dlrm_server beside bert,resnet50, the newest in "
    ) in report.text


def test_below_the_tolerance_is_an_error(lab: Lab) -> None:
    lab.run()
    lab.fake(bert={"rate": 440}, resnet50={"rate": 380})
    report = lab.run("--mig-background-tolerance=10%")
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.case.problems["error"]
    assert "Background bert_offline came to 440 samples/s, 15.1% below" in error
    assert "Background resnet50_offline came to 380 samples/s, 26.7% below" in error
    # It is no history for the next one.
    lab.fake(bert={"rate": 510})
    case = lab.run("--mig-background-tolerance=10%").case
    assert case.properties["background_history"].startswith("bert=518.39 samples/s (1")


def test_a_tolerance_without_a_history_is_a_warning(lab: Lab) -> None:
    report = lab.run("--mig-background-tolerance=10%")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "an earlier good run like this: bert, resnet50" in report.text


@pytest.mark.parametrize(
    ("options", "k"),
    [
        (["--background-benchmarks=bert"], "dlrm_server"),  # less beside it
        (["--config-ver=high"], "dlrm_server"),
        (
            ["--background-scenario=singlestream", "--background-benchmarks=bert"],
            "dlrm_server",
        ),
        ([], "dlrm_offline"),  # another main
    ],
)
def test_what_is_not_alike_is_no_history(lab: Lab, options: list[str], k: str) -> None:
    lab.run()
    lab.fake(dlrm={}, **{"*": {"rate": 100}})
    report = lab.run(*options, k=k)
    report.result.assert_outcomes(passed=1)
    assert "background_history" not in report.case.properties


def test_a_longer_background_is_the_same(lab: Lab) -> None:
    lab.run()
    case = lab.run("--background-benchmark-duration=2s").case
    assert "bert=518.39" in case.properties["background_history"]


def test_records_that_are_none_are_left_alone(lab: Lab) -> None:
    lab.run()
    (path,) = lab.folder.glob("results/*/record.json")
    record = json.loads(path.read_text())
    changes: list[dict[str, object]] = [
        {"facts": None},
        {"harnesses": None},
        {"harnesses": [{}, {}, {"loadgen": None}]},
        {"phases": {}},
    ]
    for number, change in enumerate(changes):
        folder = path.parents[1] / f"20991231-00000{number}-dlrm_server"
        folder.mkdir()
        (folder / "record.json").write_text(json.dumps({**record, **change}))
    lab.run().result.assert_outcomes(passed=1)
