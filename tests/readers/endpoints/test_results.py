"""What Endpoints 0.1.0 left of its sessions."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.readers.reader import reader_named
from tests.readers.clients import (
    DATA,
    SHARED,
    copy,
    edit,
    read,
    said_by_differences,
    seen_from,
)

RUNS = DATA / "endpoints"
SUMMARY = Path("performance", "result_summary.json")
EVENTS = "events.jsonl"


def stamps(folder: Path, kind: str) -> list[float]:
    lines = map(json.loads, (folder / EVENTS).read_text().splitlines())
    return [x["timestamp_ns"] / 1e9 for x in lines if x["event_type"] == kind]


def test_server_with_a_warm_up_and_failures() -> None:
    result = read("endpoints", RUNS / "server")
    assert (result.tool, result.version) == ("Endpoints", "0.1.0")
    assert (result.scenario, result.mode) == ("Server", "PerformanceOnly")
    assert (result.valid, result.damage) == (None, ())
    assert result.metric is not None
    assert result.metric.name == "completed tokens per second"
    assert (result.metric.value, result.metric.unit) == (71.3972644235496, "tokens/s")
    assert (result.target_qps, result.completed_qps) == (10, 14.928518924924008)
    assert (result.query_count, result.completed, result.failed) == (24, 22, 2)
    assert result.errors == ('HTTP 500: {"error":{"message":"boom"}}',) * 2
    assert result.settings["min_duration_ms"] == 1000
    assert result.settings["n_samples_to_issue"] == 24


def test_percentiles_are_as_the_checker_takes_them() -> None:
    result = read("endpoints", RUNS / "server")
    assert result.percentiles_ms == {50.0: 41.649337, 75.0: 43.577989}
    tokens = result.tokens
    assert tokens is not None
    assert tokens.first_token.percentiles_ms == {50.0: 41.773211}
    assert tokens.per_output_token.percentiles_ms == {50.0: 3.0205945}
    # Two processes stamped its ends.
    assert tokens.per_output_token.min_ms == pytest.approx(-0.035, abs=0.001)
    assert [bound.ms for bound in result.bounds] == [None, None]


def test_its_window_is_that_of_the_measured_samples() -> None:
    result = read("endpoints", RUNS / "server")
    (started,) = stamps(RUNS / "server", "session.start_performance_tracking")
    issued = stamps(RUNS / "server", "sample.issued")
    (window,) = result.windows
    assert (window.source, window.clock) == ("endpoints", "monotonic")
    assert window.begin == min(each for each in issued if each > started)
    assert window.end == max(stamps(RUNS / "server", "sample.complete"))
    assert min(issued) < started  # the warm-up's
    assert result.window == window
    assert (result.issuing_since, result.duration_s) == (None, None)


def test_offline_without_a_tokenizer() -> None:
    result = read("endpoints", RUNS / "offline")
    assert (result.scenario, result.damage, result.tokens) == ("Offline", (), None)
    assert result.metric is not None
    assert result.metric.name == "samples per second"
    assert result.metric.value == result.samples_per_second == 498.1911923284535
    assert (result.target_qps, result.completed_qps) == (None, None)


def test_one_that_was_interrupted_and_calls_itself_complete() -> None:
    result = read("endpoints", RUNS / "interrupted")
    assert result.damage == (
        "events.jsonl has no end of its session.",
        "96 of 1000 samples were issued: it was interrupted.",
    )
    assert (result.windows, result.duration_s) == ((), 8.783671939)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no logs in {SHARED}")
def test_enough_samples_for_the_99th_percentile() -> None:
    result = read("endpoints", SHARED / "inference-endpoint")
    assert result.percentiles_ms[99.0] == 260.410595
    assert 99.9 not in result.percentiles_ms
    assert result.metric is not None
    assert result.metric.name == "completed samples per second"
    # Its events are cut, in the middle.
    assert result.damage == (
        "events.jsonl has 25 samples issued, result_summary.json has 1000.",
    )


def test_events_without_an_end_tell_since_when(tmp_path: Path) -> None:
    events = (RUNS / "server" / EVENTS).read_text().splitlines(keepends=True)
    (tmp_path / EVENTS).write_text("".join(events[:20]))
    result = read("endpoints", tmp_path)
    (started,) = stamps(tmp_path, "session.start_performance_tracking")
    first = min(x for x in stamps(tmp_path, "sample.issued") if x > started)
    assert result.windows == ()
    assert result.issuing_since is not None
    of_this_boot = result.issuing_since - time.time() + time.monotonic()
    assert of_this_boot == pytest.approx(first, abs=60)
    assert "result_summary.json is missing: the run did not" in result.damage[-1]


def test_a_warm_up_is_no_issuing(tmp_path: Path) -> None:
    events = (RUNS / "server" / EVENTS).read_text().splitlines(keepends=True)
    (tmp_path / EVENTS).write_text("".join(events[:12]))
    assert len(stamps(tmp_path, "sample.issued")) == 5
    assert stamps(tmp_path, "session.start_performance_tracking")
    assert read("endpoints", tmp_path).issuing_since is None


@pytest.mark.parametrize("step", [7, 100, 1500])
def test_it_issues_once_its_progress_bar_counts(tmp_path: Path, step: int) -> None:
    text = (RUNS / "server" / "output.log").read_bytes()
    measured = text.index(b"Starting phase: performance")
    first = text.index(b"%|", measured)
    low = text.index(b"Starting phase: warmup")
    steps = range(low, len(text), step)
    seen = seen_from("endpoints", text, tmp_path / "output.log", steps)
    assert seen is not None
    assert first < seen <= first + 1 + step


def test_other_progress_bars_are_none_of_it() -> None:
    bars = (
        "Map:  10%|#         | 100/1000 [00:00<00:01]",
        "name (Streaming: True):   0%|          | 0/1000 [00:00<?, ?it/s]",
    )
    sign = reader_named("endpoints").sign
    assert sign is not None
    assert not any(sign.mark.search(bar.encode()) for bar in bars)
    first = "name (Streaming: True):   0%|▏         | 1/1000 [00:04<1:12:03,  4.33s/it]"
    assert sign.mark.search(first.encode())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"state": "interrupted"}, "its state is interrupted, expected complete"),
        ({"complete": False}, "its counts of tokens are not complete"),
        ({"n_samples_issued": 25}, "has 24 samples issued, result_summary.json has 25"),
        ({"n_samples_failed": 25}, "25 failed of 24 completed of 24 issued samples"),
        ({"qps": float("nan")}, "qps is NaN, expected a number from 0 on"),
        ({"qps": -1}, "qps is -1, expected a number from 0 on"),
        ({"tps": "71"}, 'tps is "71", expected a number from 0 on'),
        ({"n_samples_issued": None}, "does not count samples: is it one of Endpoints?"),
    ],
)
def test_what_no_whole_run_says(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    folder = copy("endpoints", "server", tmp_path)
    edit(folder / SUMMARY, lambda said: said.update(change))
    assert sentence in " ".join(read("endpoints", folder).damage)


def test_what_was_not_answered_has_failed(tmp_path: Path) -> None:
    folder = copy("endpoints", "server", tmp_path)
    edit(folder / SUMMARY, lambda said: said.update(n_samples_completed=20))
    result = read("endpoints", folder)
    assert (result.completed, result.failed, result.damage) == (18, 6, ())


def test_early_stopping_that_is_off_leaves_no_percentile(tmp_path: Path) -> None:
    folder = copy("endpoints", "server", tmp_path)
    edit(
        folder / SUMMARY,
        lambda said: [
            said[each].pop("early_stopping_percentiles")
            for each in ("latency", "ttft", "tpot")
        ],
    )
    result = read("endpoints", folder)
    assert result.percentiles_ms == {}
    assert result.damage == ()


def test_what_was_asked_for_is_compared() -> None:
    result = read("endpoints", RUNS / "server")
    same = {"server_target_qps": "10.0", "min_duration": "1000", "scenario": "server"}
    assert said_by_differences("endpoints", result, **same) == []
    assert said_by_differences("endpoints", result, server_target_qps="20") == [
        "asked for server_target_qps 20 (--server_target_qps=20), Endpoints ran with 10"
    ]
    offline = read("endpoints", RUNS / "offline")
    (said,) = said_by_differences("endpoints", offline, server_target_qps="20")
    assert said.endswith("Endpoints ran with no target")
