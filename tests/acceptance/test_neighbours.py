"""Isolated runs, and what the neighbours cost a benchmark."""

from __future__ import annotations

import pytest

from tests.lab.driver import Lab, Report

BOTH = ("--mig-isolated", "--background-benchmarks=bert")


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.isolated()
    return lab


def names(report: Report) -> list[str]:
    return [case.name for case in report.junit]


def facts_of(report: Report) -> dict[str, str]:
    """Return the properties of the last heterogeneous run."""
    return [c for c in report.junit if "heterogeneous" in c.name][-1].properties


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ((), ["test_heterogeneous[dlrm_server]"]),
        (("-m", "isolated"), ["test_isolated[dlrm_server]"]),
        (("-m", "not isolated"), ["test_heterogeneous[dlrm_server]"]),
        (
            ("--mig-isolated",),
            ["test_isolated[dlrm_server]", "test_heterogeneous[dlrm_server]"],
        ),
    ],
)
def test_what_runs_and_in_which_order(
    lab: Lab, options: tuple[str, ...], ran: list[str]
) -> None:
    report = lab.run(*options)
    report.result.assert_outcomes(passed=len(ran))
    assert names(report) == ran


def test_an_isolated_run_has_nothing_beside_it(lab: Lab) -> None:
    report = lab.run("-m", "isolated")
    assert report.case.properties["run"] == "isolated"
    assert "backgrounds" not in report.case.properties
    assert report.launches("background") == []
    main = lab.folder / "results"
    assert report.launches()[0]["environ"]["LOG_DIR"].startswith(str(main))


def test_both_kinds_use_the_same_device(lab: Lab) -> None:
    report = lab.run(*BOTH)
    one, other = (launch["environ"] for launch in report.launches())
    assert one["CUDA_VISIBLE_DEVICES"] == other["CUDA_VISIBLE_DEVICES"]


def test_asking_for_isolated_runs_where_no_test_is_one(lab: Lab) -> None:
    (lab.folder / "test_solo.py").unlink()
    report = lab.run("--mig-isolated")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--mig-isolated: no test is marked isolated. Add one:" in report.text
    assert "def test_isolated(main):" in report.text


def test_the_price_in_offline_is_the_rate(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 380]})
    report = lab.run(*BOTH, k="dlrm_offline")
    report.result.assert_outcomes(passed=2)
    facts = facts_of(report)
    assert facts["interference_ratio"] == "0.9500"
    assert facts["interference_figure"] == "samples/s"
    assert facts["interference_better"] == "higher"
    assert facts["interference_significant"] == "unknown: single runs"
    assert facts["isolated_value"] == "400"
    assert facts["heterogeneous_value"] == "380"
    assert facts["interference"] == (
        "-5.0% samples/s (400 -> 380 samples/s, higher is better): worse, single runs"
    )
    assert "interference" not in report.junit[0].properties
    assert report.records[1]["facts"]["interference_ratio"] == "0.9500"
    report.result.stdout.re_match_lines(
        [
            r"=+ what the neighbours cost: isolated against heterogeneous =+",
            r"pair +isolated +heterogeneous +change +which is",
            r"dlrm_offline +400 +380 +-5.0% samples/s +worse, single runs",
        ]
    )


def test_equal_server_rates_do_not_hide_the_price(lab: Lab) -> None:
    lab.fake(dlrm={"p99": [10, 12]})
    facts = facts_of(lab.run(*BOTH))
    assert facts["interference_ratio"] == "1.2000"
    assert facts["interference_better"] == "lower"
    assert facts["interference"] == (
        "+20.0% p99 at target 400 (10 -> 12 ms, 2% -> 2% of its limit, lower is "
        "better): worse, single runs"
    )


def test_single_stream_is_compared_by_its_latency(lab: Lab) -> None:
    options = ("--main-scenario=singlestream", *BOTH[:1])
    report = lab.run(*options, k="bert_singlestream")
    facts = facts_of(report)
    assert facts["interference_figure"] == "ms"
    assert facts["interference_better"] == "lower"
    assert facts["interference"].endswith("equal, single runs")


def test_the_isolated_run_may_come_later(lab: Lab) -> None:
    lab.fake(dlrm={"p99": [12, 10]})
    lab.run("--background-benchmarks=bert")
    report = lab.run("-m", "isolated", "--background-benchmarks=bert")
    assert report.case.properties["interference_ratio"] == "1.2000"


@pytest.mark.parametrize(
    ("p99", "significant", "verdict"),
    [
        ([10, 11, 12, 13], "yes", "worse"),
        ([10, 12.5, 12, 13], "no", "worse, not significant"),
    ],
)
def test_repeats_give_medians_and_spreads(
    lab: Lab, p99: list[float], significant: str, verdict: str
) -> None:
    lab.fake(dlrm={"p99": p99})
    report = lab.run(*BOTH, "--mig-repeat=2")
    report.result.assert_outcomes(passed=4)
    assert names(report)[2:] == [
        "test_heterogeneous[dlrm_server-run1]",
        "test_heterogeneous[dlrm_server-run2]",
    ]
    facts = facts_of(report)
    assert facts["heterogeneous_value"] == "12.5 [12..13, 2 runs]"
    assert facts["isolated_value"].endswith(f"[10..{p99[1]:g}, 2 runs]")
    assert facts["interference_significant"] == significant
    assert facts["interference"].endswith(f": {verdict}")


def test_targets_that_were_chosen_differently_give_no_price(lab: Lab) -> None:
    lab.run("-m", "isolated")
    target = "--main-benchmark-runargs=--server_target_qps=300"
    facts = lab.run(target).junit[0].properties
    assert facts["interference"] == (
        "unknown: the targets were chosen differently (300, 400); run both at one "
        "target, or with --mig-tune"
    )
    assert "interference_ratio" not in facts


def test_a_target_that_was_backed_off_is_compared_with_where_it_began(
    lab: Lab,
) -> None:
    lab.run("-m", "isolated")
    lab.fake(dlrm={"capacity": 380})
    backoff = "--target-qps-backoff=7%"
    facts = lab.run(backoff, "--background-benchmarks=bert").junit[0].properties
    assert facts["interference"].startswith("-7.0% highest VALID target (400 -> 372")
    lab.fake(dlrm={"capacity": 280})
    lower = "--main-benchmark-runargs=--server_target_qps=300"
    facts = lab.run(backoff, lower, "--background-benchmarks=bert").junit[0].properties
    assert facts["target_qps"] == "279"
    assert "chosen differently (300, 400)" in facts["interference"]


def test_what_to_do_when_only_isolated_runs_are_selected(lab: Lab) -> None:
    report = lab.run(k="isolated and dlrm")
    assert report.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    hint = "5 isolated runs are deselected; --mig-isolated or -m isolated runs them"
    assert f"mighetero: {hint}" in report.text


@pytest.mark.parametrize(
    "option",
    ["--main-benchmark-duration=400ms", "--config-ver=other"],
)
def test_runs_of_something_else_are_not_compared(lab: Lab, option: str) -> None:
    lab.run("-m", "isolated")
    assert "interference" not in lab.run(option).junit[0].properties


def test_a_run_whose_overlap_broke_is_not_compared(lab: Lab) -> None:
    lab.run("-m", "isolated")
    lab.fake(bert={"test": 1}, dlrm={"test": 2})
    report = lab.run("--lenient", "--background-benchmarks=bert")
    assert report.junit[0].properties["overlap_ok"] == "false"
    assert "interference" not in report.junit[0].properties


def test_a_run_that_failed_is_not_compared(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    lab.run("-m", "isolated").result.assert_outcomes(failed=1)
    lab.fake()
    assert "interference" not in lab.run().junit[0].properties
