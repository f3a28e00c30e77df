"""Logs that the installed LoadGen writes: finished, refused, cut short and killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_mighetero.readers.loadgen import read_result
from pytest_mighetero.readers.result import Result
from tests.lab import needs
from tests.readers.loadgen.mllog import is_issuing

needs.module("mlperf_loadgen")

SCRIPT = Path(__file__).with_name("loadgen_run.py")
DEADLINE_S = 20.0


def start(log_dir: Path, *args: str, zone: str = "UTC0") -> subprocess.Popen[bytes]:
    log_dir.mkdir(exist_ok=True)
    scenario, mode, *settings = args
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), scenario, mode, str(log_dir), *settings],
        env={**os.environ, "TZ": zone},
    )


def run(log_dir: Path, *args: str, zone: str = "UTC0") -> Result:
    with start(log_dir, *args, zone=zone) as process:
        assert process.wait(DEADLINE_S) == 0
    return read_result(log_dir)


# Within which the window must lie; LoadGen cuts its stamps to milliseconds.
def assert_within(result: Result, begin: float, end: float) -> None:
    window = result.window
    assert window is not None
    assert begin - 0.001 <= window.begin <= window.end <= end


@pytest.mark.parametrize("zone", ["JST-9", "PST8"])
def test_server(tmp_path: Path, zone: str) -> None:
    began = time.time()
    result = run(
        tmp_path,
        "Server",
        "PerformanceOnly",
        "server_target_qps=2000",
        "min_duration_ms=400",
        "server_target_latency_ns=500000000",
        zone=zone,
    )
    assert_within(result, began, time.time())
    assert result.host_utc_offset_s == {"JST-9": 9 * 3600, "PST8": -8 * 3600}[zone]
    assert result.valid is True
    assert result.metric is not None
    assert result.metric.name == "completed samples per second"
    assert 1000 < result.metric.value < 3000
    assert (result.target_qps, result.target_latency_ms) == (2000, 500)
    assert result.window is not None
    assert result.window.seconds > 0.3
    assert result.query_count is not None
    assert result.query_count > 400


def test_offline_that_ends_too_soon(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "Offline",
        "PerformanceOnly",
        "offline_expected_qps=500",
        "min_duration_ms=1000",
    )
    assert result.valid is False
    assert result.invalid_reasons == ("Minimum duration not met: 1 s were asked for.",)
    assert result.metric is not None
    assert result.metric.unit == "samples/s"
    assert result.settings["samples_per_query"] == 550


@pytest.mark.parametrize(
    ("scenario", "percentile"), [("SingleStream", 90), ("MultiStream", 99)]
)
def test_streams(tmp_path: Path, scenario: str, percentile: int) -> None:
    result = run(
        tmp_path,
        scenario,
        "PerformanceOnly",
        "min_duration_ms=200",
        "max_query_count=50",
        "single_stream_expected_latency_ns=100000",
        "multi_stream_expected_latency_ns=100000",
    )
    assert result.valid is False
    assert any("Early stopping" in reason for reason in result.invalid_reasons)
    assert result.metric is not None
    assert result.metric.name == f"{percentile}th percentile latency"
    assert result.metric.value == result.percentiles_ms[percentile]
    assert result.metric.higher_is_better is False
    assert result.query_count == 50


def test_submission_run(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "Server",
        "SubmissionRun",
        "server_target_qps=400",
        "min_duration_ms=100",
    )
    assert result.mode == "SubmissionRun"
    # Two sets of 32 samples for the accuracy, then the performance.
    assert len(result.windows) == 3
    assert result.metric is not None
    assert result.issuing_since == result.windows[0].begin


def test_find_peak_performance_where_there_is_none(tmp_path: Path) -> None:
    result = run(tmp_path, "Offline", "FindPeakPerformance")
    assert result.mode == "FindPeakPerformance"
    assert (result.metric, result.valid, result.window) == (None, None, None)
    assert result.error_count == 1
    assert len(result.errors) == 1
    assert "only supported in Server" in result.errors[0]
    assert is_issuing(tmp_path) is False


def test_a_run_cut_short_by_max_duration(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "Server",
        "PerformanceOnly",
        "server_target_qps=400",
        "min_duration_ms=400",
        "max_duration_ms=100",
    )
    assert result.valid is False
    assert result.error_count == len(result.errors) == 1
    assert "Max test duration reached" in result.errors[0]
    assert result.recommendations == (
        "Increase the target QPS so the loadgen pre-generates more queries.",
    )


def test_a_killed_run(tmp_path: Path) -> None:
    began = time.time()
    seconds_east = 9 * 3600
    with start(
        tmp_path,
        "Server",
        "PerformanceOnly",
        "server_target_qps=400",
        "min_duration_ms=60000",
        zone="JST-9",
    ) as process:
        try:
            deadline = time.monotonic() + DEADLINE_S
            while not is_issuing(tmp_path):
                assert process.poll() is None
                assert time.monotonic() < deadline
                threading.Event().wait(0.01)
            live = read_result(tmp_path, utc_offset_s=seconds_east)
        finally:
            process.kill()
    ended = time.time()
    result = read_result(tmp_path, utc_offset_s=seconds_east)
    assert (result.scenario, result.mode) == ("Server", "PerformanceOnly")
    assert (result.valid, result.metric, result.window) == (None, None, None)
    assert live.windows == result.windows == ()
    assert result.issuing_since is not None
    # Never earlier than the truth, and at most a second later.
    assert began <= result.issuing_since <= ended + 1
