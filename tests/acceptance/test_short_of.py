"""A command that did less than it was asked for measured something else."""

from __future__ import annotations

import pytest

from tests.acceptance.test_servers import problem_of
from tests.lab.web_suite import ALONE, CLIENT, Web

LONG = "--main-benchmark-duration=5s"
SECOND = "answers 50 failed 0 in 1.0 s\nrate 50 p99 1.5 ms"
UNSTAMPED = {"start": None, "end": None}


def test_a_main_that_ran_for_a_second_only(web: Web) -> None:
    web.clients(alpha={"says": SECOND})
    web.harness(result=UNSTAMPED)
    problem = problem_of(web.run(ALONE, LONG))
    said = "asked to run for 5 s ({seconds} = 5 s), webload measured 1.0 s"
    assert said in problem
    web.change(benchmarks={"alpha": {"limits": {"server": {"seconds": 0.5}}}})
    web.run(ALONE, LONG, "--results-dir=more").result.assert_outcomes(passed=1)


def test_a_main_whose_process_did_not_live_that_long(web: Web) -> None:
    web.harness(command=[*CLIENT[:-2], "1", "{rate}", "{benchmark}", "{seconds}"])
    web.harness(result={**UNSTAMPED, "duration": None})
    problem = problem_of(web.run(ALONE, LONG))
    assert "asked to run for 5 s ({seconds} = 5 s), webload measured 1." in problem


def test_a_main_of_fewer_requests(web: Web) -> None:
    command = [*CLIENT[:-2], "1", "{rate}", "{benchmark}", "{requests}"]
    web.harness(command=command)
    problem = problem_of(web.run(ALONE, LONG))
    assert "asked for 250 requests ({requests} = 250), webload made " in problem
    web.change(benchmarks={"alpha": {"limits": {"server": {"requests": 9}}}})
    web.run(ALONE, LONG, "--results-dir=more").result.assert_outcomes(passed=1)


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_does_not_keep_up(web: Web, counts: bool) -> None:
    """Without a limit on latencies, any target would be VALID."""
    web.clients(alpha={"says": "answers 20 failed 0 in 1.0 s\nrate 20 p99 1.5 ms"})
    web.harness(result=UNSTAMPED if counts else {**UNSTAMPED, "completed": None})
    web.change(benchmarks={"alpha": {"rates": {"server": 100}}})
    problem = problem_of(web.run(ALONE))
    said = "INVALID: 20 requests/s were answered of the 100 that were asked for"
    assert said in problem
    offline = web.run(ALONE, "--results-dir=more", k="alpha_offline")
    offline.result.assert_outcomes(passed=1)
