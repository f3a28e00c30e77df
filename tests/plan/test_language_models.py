"""A language model's runs in searches, back-offs, references and tables: real logs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mighetero.plan.advice import next_target
from pytest_mighetero.plan.trial import Trial, trial_of
from pytest_mighetero.readers.loadgen import read_result
from pytest_mighetero.readers.result import Result, TokenMetrics
from pytest_mighetero.records.comparison.figure import of_facts
from pytest_mighetero.records.comparison.references import Key, check, reference_of
from pytest_mighetero.records.facts import Facts, texts
from pytest_mighetero.run.findings import result_facts
from pytest_mighetero.run.judge import judge_performance
from pytest_mighetero.show.report import table
from tests.readers.loadgen.mllog import find_results

LOGS = Path(__file__).resolve().parents[3] / "shared" / "failing-logs"
INTERACTIVE = "04-interactive"
SERVER = "05-llm-server-same-target/A"
OFFLINE = "07-llm-offline-tokens"

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason=f"no logs in {LOGS}")


def read(case: str) -> Result:
    (folder,) = find_results(LOGS / case)
    return read_result(folder)


def facts_of(case: str, scenario: str) -> Facts:
    told = {"benchmark": "llm", "scenario": scenario, "run": "heterogeneous"}
    return {**told, "action": "run_harness", **texts(result_facts(read(case)))}


def slower(result: Result, by: float) -> Result:
    """Return it with a TPOT that is so much longer, and so over its limit."""
    tokens = result.tokens or TokenMetrics()
    each = tokens.per_output_token.percentiles_ms
    longer = {percentile: ms * by for percentile, ms in each.items()}
    stats = replace(tokens.per_output_token, percentiles_ms=longer)
    tokens = replace(tokens, per_output_token=stats)
    return replace(result, valid=False, tokens=tokens)


@pytest.mark.parametrize(
    ("case", "scenario", "cells"),
    [
        (
            INTERACTIVE,
            "interactive",
            "llm interactive VALID 220 59545.40 tokens/s 140.38 450 38.15 40",
        ),
        (
            SERVER,
            "server",
            "llm server VALID 1.9 1240.42 tokens/s 5134.16 6000 138.25 175",
        ),
        (OFFLINE, "offline", "llm offline VALID 10 30873.90 tokens/s 2684540.00"),
    ],
)
def test_the_table(case: str, scenario: str, cells: str) -> None:
    heading, row = table([facts_of(case, scenario)])
    assert " ".join(row.split()) == cells
    assert ("p99 TTFT ms" in heading) is (scenario != "offline")


@pytest.mark.parametrize(
    ("case", "latency"), [(INTERACTIVE, "p99 TPOT"), (SERVER, "p99 TTFT")]
)
def test_a_search_is_guided_by_what_is_nearest_its_limit(
    case: str, latency: str
) -> None:
    trial = trial_of(read(case), full=True)
    assert trial.holds
    assert trial.latency == latency
    assert trial.headroom is not None
    assert 1 < trial.headroom[1] < 1.2
    assert latency in trial.figures


def test_waiting_for_long_answers_is_no_backlog() -> None:
    """Of 60 s plus 72 s for the last answer half is no time of the device's."""

    def probe(completed: float, answer_s: float, seconds: float) -> Trial:
        known = trial_of(read(SERVER), full=False)
        return replace(
            known, completed_qps=completed, answer_s=answer_s, seconds=seconds
        )

    target = trial_of(read(SERVER), full=False).scheduled_qps or 0.0
    assert probe(target * 600 / 672, 72, 672).holds
    assert not probe(target * 600 / 672, 0, 672).holds
    # A backlog is one still: 600 s of queries took 900 s, and the last waited longest.
    assert not probe(target * 600 / 900, 72 + 150, 900).holds


def test_an_invalid_one_is_lowered_by_a_fraction() -> None:
    bad = slower(read(SERVER), 1.5)
    assert next_target(bad, 0.07, whole=False) == 1.767
    (problem,) = judge_performance(bad)
    assert "1240.42 tokens/s at target 1.9. p99 TTFT 5134 ms, limit 6000 ms" in problem
    assert "p99 TPOT 207.4 ms, limit 175 ms" in problem
    assert "Next to try: --server_target_qps=1.767" in problem


@pytest.mark.parametrize(
    ("case", "scenario", "value", "target"),
    [(INTERACTIVE, "interactive", 95.3725, 220), (SERVER, "server", 85.5694, 1.9)],
)
def test_a_reference_is_of_the_nearer_limit(
    case: str, scenario: str, value: float, target: float
) -> None:
    measured = of_facts(facts_of(case, scenario))
    assert measured is not None
    key = Key("v5.1", "H100", "1g.10gb", "heterogeneous", "llm", scenario, "")
    made = reference_of(key, [measured], 0.05, Path())
    assert made is not None
    assert (made.unit, made.target_qps) == ("% of limit", target)
    assert made.value == pytest.approx(value, rel=1e-4)
    assert check(made, measured) is None
    lower = replace(measured, target_qps=target * 0.93)
    assert "below its reference's" in str(check(made, lower))


def test_offline_is_compared_by_tokens() -> None:
    measured = of_facts(facts_of(OFFLINE, "offline"))
    assert measured is not None
    assert (measured.value, measured.unit) == (30873.9, "tokens/s")


def test_a_run_too_short_for_early_stopping_is_told_how_long() -> None:
    """A language model's rate is so low that min_duration gives too few queries."""
    logs = LOGS.parent / "loadgen-logs" / "v6.0" / "tok"
    (problem,) = judge_performance(read_result(logs))
    assert "processed 144 queries; would need to run at least 315 more" in problem
    assert "Next to try: --main-benchmark-duration=6s, for the 459 queries" in problem
    slow = replace(read_result(logs), scheduled_qps=0.8)
    assert "--main-benchmark-duration=632s, for" in judge_performance(slow)[0]
