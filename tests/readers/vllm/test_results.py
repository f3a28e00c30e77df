"""What vLLM 0.33.0's ``bench serve`` left of its runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.readers.clients import DATA, copy, edit, read, said_by_differences, seen_from

RUNS = DATA / "vllm"


def file_of(folder: Path) -> Path:
    (path,) = folder.glob("*.json")
    return path


def test_server() -> None:
    result = read("vllm", RUNS / "server")
    assert (result.tool, result.version, result.valid) == ("vLLM", None, None)
    assert (result.scenario, result.damage) == ("Server", ())
    assert result.metric is not None
    assert result.metric.name == "output tokens per second"
    assert result.metric.value == pytest.approx(49.807323)
    assert (result.target_qps, result.completed_qps) == (10, 9.961464577342982)
    assert (result.completed, result.failed) == (40, 0)
    assert result.percentiles_ms == pytest.approx(
        {50.0: 11.84088, 90.0: 18.937985, 99.0: 43.240599}
    )
    assert result.tokens is not None
    assert result.tokens.first_token.percentiles_ms[99.0] == pytest.approx(43.190569)
    assert result.tokens.per_output_token.percentiles_ms[99.0] == pytest.approx(
        6.108094
    )


def test_it_stamps_no_window() -> None:
    result = read("vllm", RUNS / "server")
    assert (result.windows, result.issuing_since) == ((), None)
    assert result.duration_s == pytest.approx(4.015474)


def test_offline_with_failures() -> None:
    result = read("vllm", RUNS / "offline")
    assert (result.scenario, result.target_qps) == ("Offline", None)
    assert (result.completed, result.failed, result.damage) == (27, 3, ())
    assert result.samples_per_second == pytest.approx(83.612931)
    assert result.percentiles_ms == {}  # e2el is not among the default metrics


def test_without_a_tokenizer_tokens_are_not_counted() -> None:
    result = read("vllm", RUNS / "detailed")
    assert (result.tokens, result.damage) == (None, ())
    assert result.metric is not None
    assert (result.metric.name, result.metric.unit) == (
        "requests per second",
        "requests/s",
    )


def test_zero_is_no_latency(tmp_path: Path) -> None:
    folder = copy("vllm", "server", tmp_path)
    not_streamed = {
        f"{figure}_{name}_ms": 0.0
        for figure in ("mean", "median", "p50", "p90", "p99")
        for name in ("ttft", "tpot")
    }
    edit(file_of(folder), lambda said: said.update(not_streamed))
    result = read("vllm", folder)
    assert result.tokens is not None
    assert result.tokens.first_token.percentiles_ms == {}
    assert result.tokens.per_output_token.percentiles_ms == {}
    assert result.tokens.first_token.mean_ms is None


def test_errors_are_kept_where_it_keeps_them(tmp_path: Path) -> None:
    folder = copy("vllm", "detailed", tmp_path)
    errors = ["", "Traceback (most recent call last):\n  ...\nTimeoutError: late\n"]
    edit(file_of(folder), lambda said: said.update(errors=errors))
    assert read("vllm", folder).errors == ("TimeoutError: late",)


def test_older_ones_do_not_count_failures(tmp_path: Path) -> None:
    folder = copy("vllm", "offline", tmp_path)
    edit(file_of(folder), lambda said: said.pop("failed"))
    assert read("vllm", folder).failed == 3


def test_a_rate_that_rises_is_no_target(tmp_path: Path) -> None:
    folder = copy("vllm", "offline", tmp_path)
    ramp = {"ramp_up_strategy": "linear", "ramp_up_start_rps": 1, "ramp_up_end_rps": 9}
    edit(file_of(folder), lambda said: said.update(ramp))
    result = read("vllm", folder)
    assert (result.scenario, result.target_qps) == ("Server", None)
    assert said_by_differences("vllm", result, server_target_qps="10") == []


def test_other_files_are_none_of_its(tmp_path: Path) -> None:
    folder = copy("vllm", "server", tmp_path)
    (folder / "config.json").write_text('{"model": "m", "date": "20261128-000250"}')
    (folder / "list.json").write_text("[1, 2]")
    (folder / "folder.json").mkdir()
    assert read("vllm", folder).damage == ()


def test_several_results_are_named(tmp_path: Path) -> None:
    folder = copy("vllm", "server", tmp_path)
    (folder / "second.json").write_text(file_of(RUNS / "server").read_text())
    assert read("vllm", folder).damage == ("There are 2 results in one folder.",)


def test_results_in_one_file_are_damage(tmp_path: Path) -> None:
    folder = copy("vllm", "server", tmp_path)
    path = file_of(folder)
    path.write_text(path.read_text() + "\n" + path.read_text())  # --append-result
    assert "no JSON: Extra data" in read("vllm", folder).damage[0]


@pytest.mark.parametrize("run", ["server", "offline"])
@pytest.mark.parametrize("step", [7, 100])
def test_it_issues_once_its_progress_bar_counts(
    tmp_path: Path, run: str, step: int
) -> None:
    text = (RUNS / run / "output.log").read_bytes()
    begin = text.index(b"Starting initial")
    zero = text.index(b"  0%|", text.index(b"Maximum request concurrency: "))
    first = text.index(b"%|", zero + len(b"  0%|"))
    steps = range(begin, len(text), step)
    seen = seen_from("vllm", text, tmp_path / "output.log", steps)
    assert seen is not None
    assert first < seen <= first + 1 + step


def test_of_many_requests_the_first_one_counts(tmp_path: Path) -> None:
    begin = b"Maximum request concurrency: None\n"
    zero = b"\r  0%|" + b" " * 350 + b"| 0/9999 [00:00<?, ?it/s]"
    one = b"\r  0%|" + b" " * 340 + b"| 1/9999 [00:00<09:00, 18.50it/s]"
    text = b"." * 5000 + begin + zero + one
    steps = range(5000, len(text) + 1, 10)
    seen = seen_from("vllm", text, tmp_path / "output.log", steps)
    assert seen is not None
    assert seen > len(text) - len(one)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"completed": 39}, "39 requests completed in 4.01547 s, and 9.96146 requests"),
        ({"duration": None}, "does not count requests and seconds"),
        ({"output_throughput": float("nan")}, "output_throughput is NaN, expected"),
        ({"failed": -1}, "failed is -1, expected a number from 0 on"),
    ],
)
def test_what_no_whole_run_says(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    folder = copy("vllm", "server", tmp_path)
    edit(file_of(folder), lambda said: said.update(change))
    assert sentence in " ".join(read("vllm", folder).damage)


def test_what_was_asked_for_is_compared() -> None:
    result = read("vllm", RUNS / "server")
    assert said_by_differences("vllm", result, server_target_qps="10") == []
    (said,) = said_by_differences("vllm", result, server_target_qps="12")
    assert said.endswith("vLLM ran with 10")
    offline = read("vllm", RUNS / "offline")
    (said,) = said_by_differences("vllm", offline, server_target_qps="12")
    assert said.endswith("vLLM ran with no target")
    assert json.dumps(offline.to_dict(), allow_nan=False)
