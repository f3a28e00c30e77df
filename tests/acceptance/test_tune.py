"""The search for the highest VALID target QPS, isolated, then heterogeneous."""

from __future__ import annotations

import shutil

import pytest

from tests.lab.driver import FAKE, Lab, Report

# Told to run for 10 s, the harness is done in a moment: probes and all go by quickly.
TUNE = (
    "--mig-tune",
    "--main-benchmark-duration=10s",
    "--background-benchmarks=bert",
    "--background-benchmark-duration=automatic",
    "--background-benchmark-timeout=120s",
)
PROBE, FULL = 2000, 10000


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.isolated()
    return lab


def tune(lab: Lab, *options: str, **behaviour: object) -> Report:
    lab.fake(dlrm={"test": 0.05, **behaviour}, **{"*": {"test": 60}})
    return lab.run(*TUNE, *options)


def trials(report: Report, number: int = 0) -> list[dict[str, object]]:
    found: list[dict[str, object]] = report.records[number]["tuning"]
    return found


def test_it_ends_at_the_highest_target_that_is_valid(lab: Lab) -> None:
    report = tune(lab, "-m", "isolated", capacity=777)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    found = float(facts["tuned_target_qps"])
    assert 777 / 1.01 <= found <= 777
    assert facts["validity"] == "VALID"
    assert facts["target_qps"] == facts["tuned_target_qps"]
    assert facts["tuned_complete"] == "true"
    assert float(facts["tuned_resolution"].rstrip("%")) <= 1
    # What proves it: LoadGen's verdicts at full length on both sides.
    verdicts = {t["target_qps"]: t["valid"] for t in trials(report) if t["full"]}
    assert verdicts[found] is True
    assert verdicts[float(facts["tuned_invalid_above"])] is False


def test_short_probes_come_first_and_full_length_runs_last(lab: Lab) -> None:
    report = tune(lab, "-m", "isolated", capacity=777)
    lengths = [trial["full"] for trial in trials(report)]
    assert lengths == sorted(lengths, key=bool)
    assert 1 <= lengths.count(True) <= 6
    first, last = report.launches()[0]["argv"], report.launches()[-1]["argv"]
    assert f"--min_duration={PROBE // 2}" in first or f"--min_duration={PROBE}" in first
    assert "--min_query_count=1" in first
    assert f"--min_duration={FULL}" in last
    assert "--min_query_count=1" not in last


def test_both_ways_with_the_price_and_a_snippet(lab: Lab) -> None:
    one = tune(lab, "-m", "isolated", capacity=800).case
    report = tune(lab, "-m", "not isolated", capacity=720)
    report.result.assert_outcomes(passed=1)
    other = report.case
    low, high = (float(c.properties["tuned_target_qps"]) for c in (other, one))
    assert low <= 720 < high <= 800
    assert other.properties["interference_figure"] == "highest VALID target"
    assert float(other.properties["interference_ratio"]) == pytest.approx(
        low / high, abs=1e-4
    )
    assert other.properties["overlap_ok"] == "true"
    report.result.stdout.fnmatch_lines(
        [
            "*highest VALID target QPS, to paste into the suite file*",
            "# Which profile these devices have, --main-profile says.",
            '[[]targets."unknown".default]',
            f"dlrm = {{ server = {low:g} }}",
        ]
    )
    # The heterogeneous search started from the isolated answer.
    assert trials(report, -1)[0]["target_qps"] == high
    assert sum(bool(t["full"]) for t in trials(report, -1)) <= 6


def test_the_snippet_is_of_the_profile_that_was_said(lab: Lab) -> None:
    report = tune(lab, "-m", "isolated", "--main-profile=1g.10gb", capacity=777)
    assert '[targets."1g.10gb".default]' in report.text
    assert "unknown" not in report.text


def test_what_the_searches_leave_open_is_no_price(lab: Lab) -> None:
    coarse = "--mig-tune-resolution=20%"
    start = "--main-benchmark-runargs=--server_target_qps="
    tune(lab, "-m", "isolated", coarse, f"{start}770", capacity=777)
    report = tune(lab, "-m", "not isolated", coarse, f"{start}760", capacity=777)
    facts = report.case.properties
    assert facts["interference"].rpartition("): ")[2].startswith("equal within the ")
    assert facts["interference_significant"] == "no"
    assert 0.8 < float(facts["interference_ratio"]) < 1
    again = tune(
        lab,
        *("-m", "isolated", coarse, f"{start}700", "--mig-compare=last"),
        *("--mig-tolerance=0.1%",),
        capacity=777,
    )
    again.result.assert_outcomes(passed=1, warnings=1)
    assert "equal within the" in again.case.properties["compared"]
    assert "--mig-compare: dlrm_server: the search was too coarse" in again.text


def test_isolated_comes_first(lab: Lab) -> None:
    report = tune(lab, capacity=400)
    assert [case.name for case in report.junit] == [
        "test_isolated[dlrm_server]",
        "test_heterogeneous[dlrm_server]",
    ]
    assert report.junit[1].properties["interference_ratio"] == "1.0000"


def test_rates_far_below_1_are_found_as_near(lab: Lab) -> None:
    start = "--main-benchmark-runargs=--server_target_qps=0.9"
    report = tune(lab, "-m", "isolated", start, capacity=0.777)
    facts = report.case.properties
    found = float(facts["tuned_target_qps"])
    assert 0.777 / 1.01 <= found <= 0.777
    assert facts["target_qps"] == f"{found:g}"
    report.result.stdout.fnmatch_lines([f"dlrm = {{ server = {found:g} }}*isolated*"])


@pytest.fixture
def whole(lab: Lab) -> Lab:
    shutil.copy(FAKE / "fake.toml", lab.folder)
    suite = 'extends = "fake.toml"\n[harness]\nwhole_targets = true\n'
    suite += '[targets."1g.10gb".default]\ndlrm = { server = 4.4 }\n'
    (lab.folder / "site.toml").write_text(suite)
    lab.suite = str(lab.folder / "site.toml")
    return lab


def test_a_harness_of_whole_targets_is_told_no_others(whole: Lab) -> None:
    report = tune(whole, "-m", "isolated", "--main-profile=1g.10gb", capacity=5.5)
    facts = report.case.properties
    assert facts["tuned_target_qps"] == "5"
    assert facts["tuned_invalid_above"] == "6"
    assert facts["tuned_from"] == (
        "suite site (4.4: the harness takes whole targets alone)"
    )
    said = [word for each in report.launches() for word in each["argv"]]
    told = [word for word in said if word.startswith("--server_target_qps=")]
    assert told
    assert all(word.partition("=")[2].isdigit() for word in told)

    report = whole.run("--main-benchmark-runargs=--server_target_qps=97.5")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "expected a whole number as server_target_qps, found 97.5" in report.text


def test_one_set_of_backgrounds_serves_the_whole_search(lab: Lab) -> None:
    report = tune(lab, "-m", "not isolated", capacity=500)
    report.result.assert_outcomes(passed=1)
    assert len(report.launches("background")) == 1
    assert len(report.launches()) > 2
    assert report.case.properties["background_exit_codes"] == "bert=stopped"


def test_it_starts_where_main_was_told_to(lab: Lab) -> None:
    target = "--main-benchmark-runargs=--server_target_qps=700"
    report = tune(lab, "-m", "isolated", target, capacity=720)
    assert trials(report)[0]["target_qps"] == 700
    assert report.case.properties["tuned_from"] == "--main-benchmark-runargs"


def test_it_gives_up_with_a_reason(whole: Lab) -> None:
    report = tune(whole, "-m", "isolated", capacity=0.5)
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "--mig-tune found no target of dlrm_server: no target held in" in failure
    assert "Reduce target QPS" in failure or "limit 500 ms" in failure
    assert "tuned_target_qps" not in report.case.properties
    assert trials(report)


def test_a_main_that_fails_is_no_trial(lab: Lab) -> None:
    report = tune(lab, "-m", "isolated", die=["start", 3])
    report.result.assert_outcomes(failed=1)
    assert "make: Error 3" in report.case.problems["failure"]


def test_a_background_that_dies_ends_the_search(lab: Lab) -> None:
    lab.fake(dlrm={"test": 3}, bert={"test": 60, "die": ["marker", 9], "late": 2})
    report = lab.run(*TUNE, "-m", "not isolated")
    problems = report.case.problems
    assert "bert_offline exited with code 2" in "".join(problems.values())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--main-scenario=offline"], "none of the selected pairs is one of theirs"),
        (["--main-action=run_audit_test01"], "an audit (run_audit_test01) has no"),
        (["--mig-tune-resolution=1"], "expected a percentage such as 7%, found '1'"),
    ],
)
def test_usage(lab: Lab, options: list[str], said: str) -> None:
    report = lab.run("--mig-tune", *options)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in report.text
