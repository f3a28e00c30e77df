"""A tool without a verdict is judged by the suite's limits, whatever its exit code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.acceptance.test_servers import problem_of
from tests.lab.web_suite import ALONE, ONE, Web

TOKENS = {"every": {"tokens": True, "slow_ms": 200}}


def limit(web: Web, **limits: Any) -> None:
    web.change(benchmarks={"alpha": {"limits": {"server": limits}}})


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"latency_ms": 150}, "p99 latency "),
        ({"ttft_ms": 90}, "p99 TTFT "),
        ({"tpot_ms": 15}, "p99 TPOT "),
        (
            {"latency_ms": 900, "percentile": 99.9},
            "p99.9 latency is unknown, limit 900",
        ),
        ({"seconds": 30}, "seconds: 1.0"),
        ({"requests": 9000}, "completed requests: "),
    ],
)
def test_each_limit(web: Web, limits: dict[str, Any], said: str) -> None:
    web.clients(**TOKENS)
    limit(web, **limits)
    report = web.run(ALONE)
    problem = problem_of(report)
    assert "Main alpha_server failed: the result is INVALID: " in problem
    assert said in problem
    assert report.case.properties["validity"] == "INVALID"
    assert " INVALID " in report.text
    assert report.case.properties["exit_code"] == "0"


@pytest.mark.parametrize(
    "limits",
    [
        {"latency_ms": 9000, "ttft_ms": 4500, "tpot_ms": 900, "percentile": 99},
        {"seconds": 0.2, "requests": 5, "failed": 0},
        {},
    ],
)
def test_within_them_it_is_valid(web: Web, limits: dict[str, Any]) -> None:
    web.clients(**TOKENS)
    limit(web, **limits)
    report = web.run(ALONE)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["validity"] == "VALID"
    assert 95 < float(facts["ttft_p99_ms"]) < 4500
    assert 15 < float(facts["tpot_p99_ms"]) < 900
    if "ttft_ms" in limits:
        assert (facts["ttft_limit_ms"], facts["tpot_limit_ms"]) == ("4500", "900")
        assert "p99 TTFT ms" in report.text


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ({}, "1 requests failed, 0 may"),
        ({"failed": 0}, "1 requests"),
        ({"failed": 1}, ""),
    ],
)
def test_failed_requests_of_main(
    web: Web, limits: dict[str, Any], outcome: str
) -> None:
    web.servers(alpha={"failing": [3]})
    limit(web, **limits)
    report = web.run(ALONE)
    if outcome:
        assert f"INVALID: {outcome}" in problem_of(report)
    else:
        report.result.assert_outcomes(passed=1)


def test_a_limit_on_failures_that_nobody_counts(web: Web) -> None:
    web.harness(result={"failed": None})
    web.run(ALONE).result.assert_outcomes(passed=1)
    limit(web, failed=0)
    assert "webload does not say how many requests failed" in problem_of(web.run(ALONE))


def test_a_main_that_did_nothing(web: Web) -> None:
    web.clients(alpha={"says": "answers 0 failed 0 in 0.5 s\nrate 0 p99 0 ms"})
    problem = problem_of(web.run(ALONE))
    assert "INVALID: no request completed" in problem


def test_a_main_that_left_no_figure(web: Web) -> None:
    web.clients(alpha={"says": "it did not work"})
    assert "left no webload result of its own" in problem_of(web.run(ALONE))


NOTHING = "answers 0 failed 0 in 1.5 s\nrate 0 p99 0 ms"


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (
            "no luck",
            "Background beta_offline: it ended without a result of webload: see",
        ),
        (NOTHING, "Background beta_offline: webload completed no request: see"),
    ],
)
def test_a_background_that_has_done_nothing(web: Web, says: str, said: str) -> None:
    """It printed its marker and what stands for its first answer all the same."""
    web.clients(beta={"says": says})
    report = web.run(ONE, "--background-benchmark-duration=6s")
    assert said in problem_of(report)


def test_failed_requests_of_a_background(web: Web) -> None:
    web.servers(beta={"failing": [5, 6]})
    options = [ONE, "--background-benchmark-duration=6s"]
    said = "Background beta_offline: 2 requests failed, 0 may: see "
    assert said in problem_of(web.run(*options))
    web.change(benchmarks={"beta": {"limits": {"offline": {"failed": 2}}}})
    web.run(*options, "--results-dir=more").result.assert_outcomes(passed=1)


def test_a_backgrounds_latencies_are_its_own_business(web: Web) -> None:
    web.change(benchmarks={"beta": {"limits": {"offline": {"latency_ms": 0.001}}}})
    options = [ONE, "--background-benchmark-duration=6s"]
    web.run(*options).result.assert_outcomes(passed=1)


def test_show_has_the_verdict_and_the_limits(
    web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    web.clients(**TOKENS)
    limit(web, ttft_ms=90)
    web.run(ALONE)
    capsys.readouterr()
    main(["show", str(web.folder / "results")])
    shown = capsys.readouterr().out
    assert "INVALID" in shown
    assert re.search(r"^ *ttft_limit_ms +90$", shown, re.MULTILINE)


def test_a_figure_of_which_less_is_better(web: Web) -> None:
    """A slower run is a regression, whatever its unit; its reference is read again."""
    web.harness(result={"unit": "s", "higher_is_better": False})
    compare = ["--mig-compare=last", "--mig-tolerance=5%"]
    for rate, more in (("10", ["--mig-save-reference"]), ("20", compare)):
        says = f"answers 50 failed 0 in 1.0 s\nrate {rate} p99 1.5 ms"
        web.clients(alpha={"says": says})
        web.harness(result={"start": None, "end": None})
        report = web.run(ALONE, *more, k="alpha_offline")
    problem = problem_of(report)
    assert "s is 20 s, 100.0% worse than the 10 of" in problem
    assert "20 s is 100.0 % worse than its reference of 10" in problem
