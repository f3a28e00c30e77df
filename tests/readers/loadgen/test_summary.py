"""Summaries that no shared log has: other LoadGen versions, cut off, odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.readers.loadgen import read_result
from pytest_mighetero.readers.result import Metric
from tests.readers.loadgen.mllog import write_summary

if TYPE_CHECKING:
    from pathlib import Path

BOX = "=" * 48

# LoadGen v0.7, before MLLOG.
OLD_SINGLE_STREAM = f"""\
{BOX}
MLPerf Results Summary
{BOX}
SUT name : TFLite
Scenario : Single Stream
Mode     : Performance
90th percentile latency (ns) : 141426994
Result is : VALID
  Min duration satisfied : Yes
  Min queries satisfied : Yes

{BOX}
Additional Stats
{BOX}
QPS w/ loadgen overhead         : 7.72
QPS w/o loadgen overhead        : 7.73

Min latency (ns)                : 121304127
Max latency (ns)                : 206884000
Mean latency (ns)               : 129000000
50.00 percentile latency (ns)   : 128000000
90.00 percentile latency (ns)   : 141426994

{BOX}
Test Parameters Used
{BOX}
samples_per_query : 1
target_qps : 1000
target_latency (ns): 0
min_duration (ms): 60000
min_query_count : 1024

1 warning encountered. See detailed log.

No errors encountered during test.
"""

# The fixed-rate MultiStream of LoadGen v1.0.
OLD_MULTI_STREAM = f"""\
{BOX}
MLPerf Results Summary
{BOX}
SUT name : LWIS_Server
Scenario : MultiStream
Mode     : PerformanceOnly
Samples per query : 24
Result is : INVALID
  Performance constraints satisfied : NO
  Min duration satisfied : Yes
  Min queries satisfied : Yes
Recommendations:
 * Reduce samples per query to improve latency.
 * The test exited early, before enough queries were issued.
   See the detailed log for why this may have occurred.

{BOX}
Additional Stats
{BOX}
Intervals between each IssueQuery:  qps : 20
50.00 percentile : 1
99.00 percentile : 1

Per-query latency:  target_ns : 50000000
50.00 percentile latency (ns)   : 47000000
99.00 percentile latency (ns)   : 51000000

Per-sample latency:
Min latency (ns)                : 1000000
Max latency (ns)                : 52000000
Mean latency (ns)               : 26000000
50.00 percentile latency (ns)   : 46000000
99.00 percentile latency (ns)   : 50500000

{BOX}
Test Parameters Used
{BOX}
samples_per_query : 24
target_qps : 20
target_latency (ns): 50000000

No warnings encountered during test.

2 ERRORS encountered. See detailed log.
"""

TOKENS_OF_V5 = f"""\
{BOX}
MLPerf Results Summary
{BOX}
SUT name : PySUT
Scenario : Offline
Mode     : PerformanceOnly
Samples per second: 80.2353
Tokens per second: 23545.5
Tokens per second (inferred): 23544.5
Result is : VALID
  Min duration satisfied : Yes
  Min queries satisfied : Skipped
  Early stopping satisfied: Yes

{BOX}
Additional Stats
{BOX}
Min Time to Output Token (ns)                : 71802
Mean Time to Output Token (ns)               : 76467
Max Time to Output Token (ns)                : 131121
99.00 percentile time to output token (ns)   : 82750
"""


def test_single_stream_before_mllog(tmp_path: Path) -> None:
    result = read_result(write_summary(tmp_path, OLD_SINGLE_STREAM))
    assert (result.scenario, result.mode) == ("SingleStream", "PerformanceOnly")
    assert result.metric == Metric(
        "90th percentile latency", 141.426994, "ms", higher_is_better=False
    )
    assert result.valid is True
    assert result.percentiles_ms == {50.0: 128.0, 90.0: 141.426994}
    assert (result.min_latency_ms, result.max_latency_ms) == (121.304127, 206.884)
    assert result.target_qps == 1000
    assert result.target_latency_ms is None
    assert result.settings == {
        "scenario": "SingleStream",
        "test_mode": "PerformanceOnly",
        "samples_per_query": 1,
        "target_qps": 1000,
        "target_latency_ns": 0,
        "min_duration_ms": 60000,
        "min_query_count": 1024,
    }
    assert result.error_count == 0
    assert (result.version, result.windows) == (None, ())
    assert result.issuing_since is None


def test_multi_stream_of_v1(tmp_path: Path) -> None:
    result = read_result(write_summary(tmp_path, OLD_MULTI_STREAM))
    assert result.metric == Metric(
        "samples per query", 24, "samples/query", higher_is_better=True
    )
    assert result.percentiles_ms == {50.0: 47.0, 99.0: 51.0}
    # Those that it gives are per sample.
    assert (result.min_latency_ms, result.mean_latency_ms) == (None, None)
    assert result.valid is False
    # The summary does not say which percentile the limit holds for.
    assert result.invalid_reasons == ("Performance constraints not met.",)
    assert result.recommendations == (
        "Reduce samples per query to improve latency.",
        (
            "The test exited early, before enough queries were issued. See the detailed"
            " log for why this may have occurred."
        ),
    )
    assert result.target_latency_ms == 50
    assert result.error_count == 2


def test_tokens_before_v6(tmp_path: Path) -> None:
    result = read_result(write_summary(tmp_path, TOKENS_OF_V5))
    assert result.metric is not None
    assert (result.metric.value, result.metric.unit) == (23545.5, "tokens/s")
    assert result.valid is True
    assert result.tokens is not None
    assert result.tokens.tokens_per_second == 23545.5
    assert result.tokens.inferred_tokens_per_second == 23544.5
    assert result.tokens.per_output_token.min_ms == 0.071802
    assert result.tokens.per_output_token.mean_ms == 0.076467
    assert result.tokens.per_output_token.max_ms == 0.131121
    assert result.tokens.per_output_token.percentiles_ms == {99.0: 0.08275}


def test_a_condition_that_does_not_count(tmp_path: Path) -> None:
    text = TOKENS_OF_V5.replace("VALID", "INVALID").replace("Yes", "NO", 1)
    result = read_result(write_summary(tmp_path, text))
    assert result.invalid_reasons == ("Minimum duration not met.",)


@pytest.mark.parametrize("text", [OLD_SINGLE_STREAM, OLD_MULTI_STREAM, TOKENS_OF_V5])
def test_every_cut_is_survived(tmp_path: Path, text: str) -> None:
    whole = read_result(write_summary(tmp_path, text))
    for end in range(0, len(text), 13):
        part = read_result(write_summary(tmp_path, text[:end]))
        assert part.valid in (None, whole.valid)
        assert part.metric is None or part.metric.name == (
            whole.metric and whole.metric.name
        )


def test_early_stopping_alone(tmp_path: Path) -> None:
    text = OLD_SINGLE_STREAM.replace("VALID", "INVALID").replace(
        "\n\n" + BOX + "\nAdditional",
        "\n  Early stopping satisfied: NO\nRecommendations:\nEarly Stopping Result:\n"
        " * Only processed 9 queries.\n * Need to process at least 64 queries for"
        " early stopping.\n\n" + BOX + "\nAdditional",
    )
    result = read_result(write_summary(tmp_path, text))
    assert result.recommendations == ()
    assert result.early_stopping == (
        "Only processed 9 queries. Need to process at least 64 queries for early"
        " stopping."
    )
    assert result.invalid_reasons == (
        (
            "Early stopping not satisfied: only processed 9 queries; need to process at"
            " least 64 queries for early stopping."
        ),
    )
