"""What AIPerf 0.13.0 left of its runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.readers.clients import (
    DATA,
    SHARED,
    copy,
    edit,
    read,
    said_by_differences,
    seen_from,
)

RUNS = DATA / "aiperf"
SUMMARY, REQUESTS = "profile_export_aiperf.json", "profile_export.jsonl"


def metadata(folder: Path, phase: str = "profiling") -> list[dict[str, Any]]:
    lines = map(json.loads, (folder / REQUESTS).read_text().splitlines())
    every = [line["metadata"] for line in lines]
    return [each for each in every if each["benchmark_phase"] == phase]


def test_server_with_a_warm_up_and_failures() -> None:
    result = read("aiperf", RUNS / "server")
    assert (result.tool, result.version) == ("AIPerf", "0.13.0")
    assert (result.scenario, result.valid, result.damage) == ("Server", None, ())
    assert result.metric is not None
    assert result.metric.name == "output tokens per second"
    assert (result.metric.value, result.metric.unit) == (88.0482207796497, "tokens/s")
    assert (result.target_qps, result.completed_qps) == (20, 17.60964415592994)
    assert (result.completed, result.failed) == (53, 6)
    assert result.errors == ('{"error":{"message":"boom"}}',)
    assert result.percentiles_ms[99.0] == pytest.approx(46.484214)
    tokens = result.tokens
    assert tokens is not None
    assert tokens.first_token.percentiles_ms[99.0] == pytest.approx(46.484214)
    assert tokens.per_output_token.percentiles_ms[99.0] == pytest.approx(2.852899)


def test_its_window_is_that_of_the_phase_that_is_measured() -> None:
    result = read("aiperf", RUNS / "server")
    sent = [each["request_start_ns"] / 1e9 for each in metadata(RUNS / "server")]
    ended = [each["request_end_ns"] / 1e9 for each in metadata(RUNS / "server")]
    warm_up = [each["request_start_ns"] for each in metadata(RUNS / "server", "warmup")]
    (window,) = result.windows
    assert (window.source, window.clock) == ("aiperf", "wall")
    assert (window.begin, window.end) == (min(sent), max(ended))
    assert min(warm_up) / 1e9 < window.begin
    assert window.seconds == pytest.approx(2.95, abs=0.01)
    assert result.issuing_since == window.begin


def test_offline_without_streaming() -> None:
    result = read("aiperf", RUNS / "offline")
    assert (result.scenario, result.target_qps) == ("Offline", None)
    assert (result.completed, result.failed, result.damage) == (12, 0, ())
    assert result.samples_per_second == pytest.approx(86.87164)
    assert result.tokens is not None
    assert result.tokens.tokens_per_second == pytest.approx(434.358206)
    assert result.tokens.first_token.percentiles_ms == {}


def test_without_tokens_it_is_the_rate_of_requests(tmp_path: Path) -> None:
    folder = copy("aiperf", "offline", tmp_path)
    edit(folder / SUMMARY, lambda said: said.pop("output_token_throughput"))
    metric = read("aiperf", folder).metric
    assert metric is not None
    assert (metric.name, metric.unit) == ("requests per second", "requests/s")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no logs in {SHARED}")
def test_another_run() -> None:
    result = read("aiperf", SHARED / "aiperf")
    assert (result.completed, result.failed) == (224, 0)
    assert result.settings == {"target_qps": 20, "min_duration_ms": 10000}
    # Its requests are cut.
    assert "has 20 requests that succeeded, " in result.damage[0]


def test_phases_inside_are_parts_of_the_run(tmp_path: Path) -> None:
    folder = copy("aiperf", "server", tmp_path)
    inner = folder / "phases" / "profiling"
    inner.mkdir(parents=True)
    (inner / SUMMARY).write_text((folder / SUMMARY).read_text())
    assert read("aiperf", tmp_path).folder == folder


def test_a_live_run_tells_since_when(tmp_path: Path) -> None:
    lines = (RUNS / "server" / REQUESTS).read_text().splitlines(keepends=True)
    (tmp_path / REQUESTS).write_text("".join(lines[:5]))
    assert len(metadata(tmp_path, "warmup")) == 5
    assert read("aiperf", tmp_path).issuing_since is None
    (tmp_path / REQUESTS).write_text("".join(lines[:9]) + lines[9][:100])
    result = read("aiperf", tmp_path)
    first = min(each["request_start_ns"] for each in metadata(RUNS / "server"))
    assert (result.windows, result.metric) == ((), None)
    assert result.issuing_since == pytest.approx(first / 1e9, abs=0.5)
    assert result.damage == (
        "profile_export.jsonl has 1 lines that are no requests.",
        "profile_export_aiperf.json is missing: the run did not come to its end.",
    )


def test_without_requests_it_has_a_length(tmp_path: Path) -> None:
    folder = copy("aiperf", "server", tmp_path)
    (folder / REQUESTS).unlink()
    result = read("aiperf", folder)
    assert (result.windows, result.damage) == ((), ())
    assert result.duration_s == pytest.approx(2.947, abs=0.001)


@pytest.mark.parametrize("step", [7, 100, 2000])
def test_it_issues_once_a_measured_request_has_ended(tmp_path: Path, step: int) -> None:
    text = (RUNS / "server" / REQUESTS).read_bytes()
    mark = b'"benchmark_phase":"profiling"'
    end = text.index(mark) + len(mark)
    steps = range(1, len(text), step)
    seen = seen_from("aiperf", text, tmp_path / REQUESTS, steps)
    assert seen is not None
    assert end <= seen < end + step


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"was_cancelled": True}, "says that it was cancelled"),
        (
            {"is_complete": False, "incomplete_reason": "It stalled."},
            "not complete: It stalled.",
        ),
        ({"request_count": {"avg": 60}}, "has 53 requests that succeeded, "),
        (
            {"request_count": None, "error_request_count": None},
            "does not count requests: is it one of AIPerf?",
        ),
        (
            {"request_throughput": {"avg": float("inf")}},
            "request_throughput.avg is Infinity, expected a number from 0 on",
        ),
    ],
)
def test_what_no_whole_run_says(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    folder = copy("aiperf", "server", tmp_path)
    edit(folder / SUMMARY, lambda said: said.update(change))
    assert sentence in " ".join(read("aiperf", folder).damage)


def test_a_run_whose_requests_all_failed(tmp_path: Path) -> None:
    folder = copy("aiperf", "server", tmp_path)
    lines = (folder / REQUESTS).read_text().splitlines(keepends=True)
    failed = [line for line in lines if '"error":' in line]
    (folder / REQUESTS).write_text("".join(failed))
    gone = ("request_count", "request_throughput", "output_token_throughput")
    edit(folder / SUMMARY, lambda said: [said.pop(each) for each in gone])
    result = read("aiperf", folder)
    assert (result.completed, result.failed) == (0, 6)
    assert (result.metric, result.damage) == (None, ())


def test_what_was_asked_for_is_compared() -> None:
    result = read("aiperf", RUNS / "server")
    # Its duration is in seconds, whole ones for most suites.
    same = {"server_target_qps": "20", "min_duration": "2600"}
    assert said_by_differences("aiperf", result, **same) == []
    other = {"server_target_qps": "20.5", "min_duration": "600000"}
    target, seconds = said_by_differences("aiperf", result, **other)
    assert target.endswith("(--server_target_qps=20.5), AIPerf ran with 20")
    assert seconds.endswith("(--min_duration=600000), AIPerf ran with 3000")
