"""Which target to try after an INVALID run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.loadgen import LoadGenResult, Metric
from pytest_mighetero.tuning.target import backed_off

LONGER = "Increase expected QPS so the loadgen pre-generates a larger query."


def server(target: float, p99: float, valid: bool | None = False) -> LoadGenResult:
    return LoadGenResult(
        Path(),
        scenario="Server",
        valid=valid,
        target_qps=target,
        target_latency_ms=100.0,
        percentiles_ms={99.0: p99},
    )


def offline(target: float, measured: float, advice: str = LONGER) -> LoadGenResult:
    metric = Metric("samples per second", measured, "samples/s", higher_is_better=True)
    return LoadGenResult(
        Path(),
        scenario="Offline",
        valid=False,
        target_qps=target,
        metric=metric,
        recommendations=(advice,),
    )


@pytest.mark.parametrize(
    ("result", "step", "target"),
    [
        (server(36000, 120), 0.07, 33480),
        (server(4000, 120), 0.93, 280),
        (server(97.5, 120), 0.01, 96),
        (server(3, 120), 0.01, 2),
        (server(1, 120), 0.07, None),
        (server(100, 90), 0.07, None),
        (server(100, 120, valid=True), 0.07, None),
        (server(100, 120, valid=None), 0.07, None),
        (offline(100, 105), 0.07, 107),
        (offline(100, 5000), 0.07, 5000),
        (offline(100, 105, "Decrease the expected QPS."), 0.07, 93),
        (offline(100, 105, ""), 0.07, None),
    ],
)
def test_the_next_target(
    result: LoadGenResult, step: float, target: float | None
) -> None:
    assert backed_off(result, step) == target
