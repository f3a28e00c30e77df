"""References, and comparisons with earlier runs, as they pass and fail a test."""

from __future__ import annotations

import pytest

from pytest_mighetero.records.comparison.history import series_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import read_record
from pytest_mighetero.records.results_folder import find_records
from tests.lab.driver import Lab

ALONE = "--background-benchmarks=none"
OFFLINE = "dlrm_offline"


def reference(lab: Lab, value: float, lower: float, upper: float, **more: str) -> None:
    entry = {
        "suite": '"fake"',
        "system": '"listed by --mig-devices"',
        "run": '"isolated"',
        "benchmark": '"dlrm"',
        "scenario": '"offline"',
        "config_ver": '"default"',
        "value": value,
        "lower": lower,
        "upper": upper,
        "unit": '"samples/s"',
        **more,
    }
    lines = [f"{key} = {said}" for key, said in entry.items()]
    folder = lab.folder / "runs" / "references"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fake.toml").write_text("\n".join(["[[reference]]", *lines]))


def test_within_its_bounds(lab: Lab) -> None:
    reference(lab, 520, 500, 540)
    report = lab.run(ALONE, k=OFFLINE)
    report.result.assert_outcomes(passed=1)
    known = report.case.properties
    assert known["reference"] == "520 (500 to 540 samples/s)"
    bounds = [known[f"reference_{name}"] for name in ("lower", "upper", "unit")]
    assert bounds == ["500", "540", "samples/s"]
    found = find_records([str(lab.folder / "results")])
    [series] = series_of(x for x in found if isinstance(x, Record))
    assert series.points[0].bounds == (500, 540)


def test_a_miss_fails_with_value_reference_and_bounds(lab: Lab) -> None:
    reference(lab, 600, 580, 620)
    report = lab.run(ALONE, k=OFFLINE)
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert (
        "dlrm_offline: 518.387 samples/s is 13.6 % worse than its reference of 600 "
        "(bounds 580 to 620, "
    ) in failure
    assert report.case.properties["validity"] == "VALID"


def test_better_than_allowed_is_a_miss_too(lab: Lab) -> None:
    reference(lab, 400, 380, 420)
    failure = lab.run(ALONE, k=OFFLINE).case.problems["failure"]
    assert "better than its reference allows" in failure


def test_lower_is_better_for_latency(lab: Lab) -> None:
    server = {"scenario": '"server"', "unit": '"ms"', "target_qps": "400"}
    reference(lab, 10, 9, 11, **server)
    failure = lab.run(ALONE).case.problems["failure"]
    assert "worse than its reference" in failure
    reference(lab, 14, 13, 15, **server)
    lab.run(ALONE).result.assert_outcomes(passed=1)


def test_a_run_at_another_target_is_not_held_to_its_bounds(lab: Lab) -> None:
    server = {"scenario": '"server"', "unit": '"ms"', "target_qps": "300"}
    reference(lab, 10, 9, 11, **server)
    report = lab.run(ALONE)
    report.result.assert_outcomes(passed=1)
    known = report.case.properties
    assert known["reference"] == "10 (9 to 11 ms)"
    assert "reference_lower" not in known


def test_a_reference_of_something_else_is_not_asked(lab: Lab) -> None:
    reference(lab, 1, 1, 1, run='"heterogeneous"')
    lab.run(ALONE, k=OFFLINE).result.assert_outcomes(passed=1)


def test_a_file_that_cannot_be_meant(lab: Lab) -> None:
    reference(lab, 600, 700, 800)
    report = lab.run(ALONE, k=OFFLINE)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "fake.toml" in report.text


def test_saving_and_being_checked_by_it(lab: Lab) -> None:
    report = lab.run("--mig-save-reference", "--background-benchmarks=bert", k="dlrm")
    report.result.assert_outcomes(passed=2)
    report.result.stdout.fnmatch_lines(["*= references =*", "written to *fake.toml"])
    text = (lab.folder / "runs/references/fake.toml").read_text()
    assert text.count("[[reference]]") == 2
    assert "value = 518.387\nlower = 492.468\nupper = 544.306\n" in text
    assert 'unit = "ms"\ntarget_qps = 400' in text
    beside = "--background-benchmarks=bert"
    lab.run(beside, k="dlrm").result.assert_outcomes(passed=2)
    lab.fake(dlrm={"p99": 20})
    report = lab.run(beside, k="dlrm_server")
    report.result.assert_outcomes(failed=1)


def test_bounds_hold_what_was_seen(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 440]})
    options = ("--mig-save-reference", "--mig-repeat=2", "--mig-tolerance=10%")
    lab.run(ALONE, *options, k=OFFLINE).result.assert_outcomes(passed=2)
    text = (lab.folder / "runs/references/fake.toml").read_text()
    assert "value = 420\nlower = 360\nupper = 484\n" in text


def test_a_run_that_failed_is_not_saved(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    report = lab.run("--mig-save-reference", ALONE)
    assert "no reference was saved: no run was good" in report.text
    assert not (lab.folder / "runs").exists()


def test_saving_where_nothing_can_be_written(lab: Lab) -> None:
    (lab.folder / "runs").touch()
    report = lab.run("--mig-save-reference", ALONE)
    assert "no reference was saved: " in report.text
    assert report.result.ret == pytest.ExitCode.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("rates", "worse"),
    [([500, 480], None), ([500, 450], "10.0% worse"), ([1, 9], None)],
)
def test_worse_than_the_last_run(
    lab: Lab, rates: list[float], worse: str | None
) -> None:
    lab.fake(dlrm={"rate": rates, "p99": 1})
    options = (ALONE, "--main-benchmark-runargs=--offline_expected_qps=600")
    first = lab.run("--mig-compare=last", *options, k=OFFLINE)
    assert "there is no earlier good run like dlrm_offline to compare" in first.text
    report = lab.run("--mig-compare=last", *options, k=OFFLINE)
    report.result.assert_outcomes(passed=int(not worse), failed=int(bool(worse)))
    if worse:
        failure = report.case.problems["failure"]
        assert "samples/s is 450 samples/s, 10.0% worse than the 500 of" in failure
        assert "(expected at least 475, --mig-tolerance)" in failure
        assert report.case.properties["compared_ok"] == "false"
        found = find_records([str(lab.folder / "results")], read=read_record)
        [series] = series_of(x for x in found if isinstance(x, Record))
        assert [point.value for point in series.points] == [500, 450]
        assert "10.0% worse than the 500 of" in series.points[1].flagged


def test_latency_is_worse_when_it_is_higher(lab: Lab) -> None:
    lab.fake(dlrm={"p99": [10, 11, 9]})
    lab.run(ALONE)
    report = lab.run(ALONE, "--mig-compare=results")
    failure = report.case.problems["failure"]
    assert "p99 at target 400 is 11 ms, 10.0% worse than the 10 of" in failure
    assert "(expected at most 10.5" in failure
    lab.run(ALONE, "--mig-compare=last").result.assert_outcomes(passed=1)


@pytest.mark.parametrize("named", ["record", "folder"])
def test_comparing_with_a_record(lab: Lab, named: str) -> None:
    lab.run(ALONE)
    (record,) = lab.folder.glob("results/*/record.json")
    record = record if named == "record" else record.parent
    report = lab.run(ALONE, f"--mig-compare={record}")
    report.result.assert_outcomes(passed=1)
    assert report.junit[0].properties["compared"].startswith("+0.0% p99 at target 400")


def test_comparing_with_what_is_not_there(lab: Lab) -> None:
    report = lab.run("--mig-compare=nowhere")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "expected last, a results folder, a run's folder or a record.json"
        in report.text
    )


def test_saving_needs_the_reporter_that_knows_the_runs(lab: Lab) -> None:
    report = lab.run("--mig-save-reference", "-p", "no:terminal")
    assert report.result.ret == 4
    assert "leave out -p no:terminal, or say --quiet instead" in report.text
    assert not report.launches()
