"""Interactive: a scenario of its own here, and Server for LoadGen."""

from __future__ import annotations

import shutil

import pytest

from tests.lab.driver import FAKE, Lab, Report

SUITE = """
extends = "fake.toml"

[benchmarks.bert]
scenarios = ["offline", "server", "interactive"]

[benchmarks.bert.limits]
server = { ttft_ms = 2000, tpot_ms = 200 }
interactive = { ttft_ms = 450, tpot_ms = 40 }
"""
_LIMITS = {"server": (2000, 200), "interactive": (450, 40)}


@pytest.fixture
def lab(lab: Lab) -> Lab:
    shutil.copy(FAKE / "fake.toml", lab.folder)
    (lab.folder / "site.toml").write_text(SUITE)
    lab.suite = str(lab.folder / "site.toml")
    return lab


def ran(lab: Lab, limits: str, *options: str) -> Report:
    """Run a language model in Interactive, with the *limits* of a scenario."""
    ttft, tpot = (1e6 * ms for ms in _LIMITS[limits])
    settings = {
        "requested_use_token_latencies": True,
        "requested_server_ttft_latency": ttft,
        "requested_server_tpot_latency": tpot,
        "effective_target_latency_ns": 0,
    }
    logged = {
        "result_completed_tokens_per_second": 59545.4,
        "result_first_token_99.00_percentile_latency_ns": 0.9 * ttft,
        "result_time_per_output_token_99.00_percentile_ns": 0.8 * tpot,
    }
    lab.fake(bert={"ran_with": settings, "logged": logged})
    return lab.run("--main-scenario=interactive", *options, k="bert_interactive")


def test_it_is_measured_by_tokens_and_both_latencies(lab: Lab) -> None:
    report = ran(lab, "interactive", "--mig-compare=last")
    report.result.assert_outcomes(passed=1, warnings=1)
    (case,) = report.junit
    assert case.name == "test_heterogeneous[bert_interactive]"
    facts = case.properties
    assert (facts["scenario"], facts["value"]) == ("interactive", "59545.4")
    assert (facts["unit"], facts["validity"]) == ("tokens/s", "VALID")
    assert (facts["ttft_p99_ms"], facts["ttft_limit_ms"]) == ("405", "450")
    assert (facts["tpot_p99_ms"], facts["tpot_limit_ms"]) == ("32", "40")
    assert "p99_ms" not in facts
    report.result.stdout.fnmatch_lines(
        [
            "*benchmark  scenario *valid *target *metric*p99 TTFT ms *limit ms*",
            "*bert *interactive *VALID *400 *59545.40  tokens/s *405.00 *450*32.00*",
        ]
    )
    assert "[bert_interactive]" in ran(lab, "interactive", "--collect-only").text

    again = ran(lab, "interactive", "--mig-compare=last")
    compared = again.junit[0].properties["compared"]
    assert "p99 TTFT at target 400 (405 -> 405 ms, 90% -> 90% of its limit" in compared
    assert "tokens/s (59545 -> 59545 tokens/s" in compared


def test_a_run_with_the_limits_of_server_is_none_of_interactive(lab: Lab) -> None:
    report = ran(lab, "server")
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "asked for ttft_ms 450 (limits of bert_interactive), LoadGen ran" in failure
    assert "ran with 2000" in failure


def test_a_reference_of_it_is_of_it_alone(lab: Lab) -> None:
    saved = ran(lab, "interactive", "--mig-save-reference")
    saved.result.assert_outcomes(passed=1)
    (file,) = (lab.folder / "runs" / "references").glob("*.toml")
    text = file.read_text()
    assert 'scenario = "interactive"' in text
    assert 'unit = "% of limit"' in text
    assert "value = 90" in text
    report = ran(lab, "interactive")
    assert report.case.properties["reference"].startswith("90 (85.5 to 94.5 % of lim")
