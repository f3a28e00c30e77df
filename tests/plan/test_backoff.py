"""Which target to try after an INVALID run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mighetero.plan.advice import next_target
from pytest_mighetero.readers.result import (
    LatencyStats,
    Metric,
    Result,
    TokenMetrics,
)
from pytest_mighetero.run.judge import judge_performance

LONGER = "Increase expected QPS so the loadgen pre-generates a larger query."


def server(target: float, p99: float, valid: bool | None = False) -> Result:
    return Result(
        Path(),
        "LoadGen",
        scenario="Server",
        valid=valid,
        target_qps=target,
        target_latency_ms=100.0,
        percentiles_ms={99.0: p99},
    )


def offline(target: float, measured: float, advice: str = LONGER) -> Result:
    metric = Metric("samples per second", measured, "samples/s", higher_is_better=True)
    return Result(
        Path(),
        "LoadGen",
        scenario="Offline",
        valid=False,
        target_qps=target,
        metric=metric,
        recommendations=(advice,),
    )


def answered(result: Result, share: float) -> Result:
    """Return *result* of a device that answered so much of what was scheduled."""
    scheduled = (result.target_qps or 0) * 0.99
    return replace(result, scheduled_qps=scheduled, completed_qps=scheduled * share)


def token(target: float, ttft: float, tpot: float) -> Result:
    """Return a language model's run, with limits of 2000 and 200 ms."""
    first, each = LatencyStats(None, None, None, {99.0: ttft}), LatencyStats()
    each = replace(each, percentiles_ms={99.0: tpot})
    tokens = TokenMetrics(1000, None, first, each, 2000, 200)
    return Result(
        Path(),
        "LoadGen",
        scenario="Server",
        valid=False,
        target_qps=target,
        tokens=tokens,
    )


@pytest.mark.parametrize(
    ("result", "step", "target"),
    [
        (answered(server(1000, 9000), 0.2), 0.07, 186),
        (answered(server(1000, 120), 0.99), 0.07, 930),
        (answered(server(1, 9000), 0.2), 0.07, 0.186),
        (answered(server(0.8, 9000), 0.2), 0.07, 0.1488),
        (server(0.8, 120), 0.07, 0.744),
        (server(1.9, 120), 0.07, 1.767),
        (server(0, 120), 0.07, None),
        (replace(server(100, 120), damage=("It is cut off.",)), 0.07, None),
        (token(10.5, 2500, 90), 0.1, 9.45),
        (token(10.5, 1500, 250), 0.1, 9.45),
        (token(10.5, 1500, 190), 0.1, None),
        (server(36000, 120), 0.07, 33480),
        (server(4000, 120), 0.93, 280),
        (server(97.5, 120), 0.01, 96.53),
        (server(3, 120), 0.01, 2.97),
        (server(1, 120), 0.07, 0.93),
        (server(100, 90), 0.07, None),
        (server(100, 120, valid=True), 0.07, None),
        (server(100, 120, valid=None), 0.07, None),
        (offline(100, 105), 0.07, 107),
        (offline(100, 5000), 0.07, 5000),
        (offline(100, 105, "Decrease the expected QPS."), 0.07, 93),
        (offline(100, 105, ""), 0.07, None),
    ],
)
def test_the_next_target(result: Result, step: float, target: float | None) -> None:
    assert next_target(result, step, whole=False) == target


@pytest.mark.parametrize(
    ("result", "step", "target"),
    [
        (answered(server(1000, 9000), 0.2), 0.07, 186),
        (answered(server(1, 9000), 0.2), 0.07, None),
        (server(0.8, 120), 0.07, None),
        (server(1.9, 120), 0.07, 1),
        (server(36000, 120), 0.07, 33480),
        (server(4000, 120), 0.93, 280),
        (server(97.5, 120), 0.01, 96),
        (server(3, 120), 0.01, 2),
        (server(1, 120), 0.07, None),
        (offline(100, 105.7), 0.05, 105.7),
    ],
)
def test_the_next_that_a_harness_of_whole_ones_takes(
    result: Result, step: float, target: float | None
) -> None:
    assert next_target(result, step, whole=True) == target


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (answered(server(1000, 9000), 0.2), "Next to try: --server_target_qps=186"),
        (server(0.8, 120), "Next to try: --server_target_qps=0.744"),
        (
            answered(server(3, 9000), 0.2),
            "Next to try: --server_target_qps=0.558",
        ),
        (server(100, 306244.4), "p99 306200 ms, limit 100 ms"),
        (token(10, 2500, 90), "p99 TTFT 2500 ms, limit 2000 ms, p99 TPOT 90 ms, limit"),
    ],
)
def test_what_the_failure_says(result: Result, says: str) -> None:
    (problem,) = judge_performance(result)
    assert says in problem


def test_the_failure_says_where_no_whole_target_is_left() -> None:
    (problem,) = judge_performance(answered(server(3, 9000), 0.2), whole_targets=True)
    assert "Next to try: a target of 0.558 QPS, which this harness does not" in problem


def test_a_loss_that_no_target_mends_gets_no_advice() -> None:
    (problem,) = judge_performance(server(100, 90))
    assert "Next to try" not in problem
