"""Which latencies and limits are facts of a run that a suite's limits judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.readers.result import LatencyStats, Result, TokenMetrics
from pytest_mighetero.records.facts import texts
from pytest_mighetero.run.evidence.limits import judged
from pytest_mighetero.run.findings import result_facts
from pytest_mighetero.spec.limits import Limits

RESULT = Result(
    Path(),
    "AIPerf",
    percentiles_ms={90.0: 300.0, 99.0: 400.0},
    tokens=TokenMetrics(
        first_token=LatencyStats(percentiles_ms={90.0: 20.0, 99.0: 30.0}),
        per_output_token=LatencyStats(percentiles_ms={90.0: 2.0, 99.0: 3.0}),
    ),
)
TOKENS = {"ttft_p99_ms": "30", "tpot_p99_ms": "3"}


@pytest.mark.parametrize(
    ("limits", "known", "tightest"),
    [
        (
            Limits(ttft_ms=40, tpot_ms=10),
            {**TOKENS, "ttft_limit_ms": "40", "tpot_limit_ms": "10"},
            "TTFT",
        ),
        (
            Limits(ttft_ms=40, percentile=90),
            {**TOKENS, "ttft_limit_ms": "40", "limit_percentile": "90"},
            "TTFT",
        ),
        (
            Limits(latency_ms=450),
            {**TOKENS, "p99_ms": "400", "latency_limit_ms": "450"},
            "latency",
        ),
        (
            Limits(latency_ms=800, tpot_ms=4),
            {
                **TOKENS,
                "p99_ms": "400",
                "latency_limit_ms": "800",
                "tpot_limit_ms": "4",
            },
            "TPOT",
        ),
    ],
)
def test_every_limit_has_its_figure(
    limits: Limits, known: dict[str, str], tightest: str
) -> None:
    result = judged(RESULT, limits, "server", 10.0)
    facts = texts(result_facts(result))
    named = {k: v for k, v in facts.items() if k.endswith(("_ms", "limit_percentile"))}
    named.pop("percentiles_ms", None)
    assert named == known
    assert result.tightest is not None
    assert result.tightest.name == tightest
