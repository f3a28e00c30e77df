"""Documents as the tools' own sources write them (of 2025 and 2026)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.readers.reader import reader_named
from pytest_mighetero.readers.result import Result
from tests.readers.toolbox import DATA, reader_of, table

OHA = {
    "summary": {"successRate": 1.0, "total": 2.0, "requestsPerSec": 500.5},
    "latencyPercentiles": {"p50": 0.002, "p99": 0.0055, "p99.9": 0.02, "p99.99": None},
    "statusCodeDistribution": {"200": 900, "304": 1, "404": 60, "503": 30},
    "errorDistribution": {"connection refused": 9, "timeout": 1},
}
K6 = {
    "root_group": {"name": "", "checks": {}},
    "metrics": {
        "http_reqs": {"count": 1587, "rate": 528.8},
        "http_req_failed": {"passes": 7, "fails": 1580, "value": 0.0044},
        "http_req_duration": {"avg": 3.9, "med": 3.63, "max": 29.6, "p(95)": 8.26},
    },
}
GUIDELLM = {
    "metadata": {"guidellm_version": "0.7.3"},
    "benchmarks": [
        {
            "start_time": 1777451496.5,
            "end_time": 1777451697.25,
            "duration": 200.75,
            "metrics": {
                "request_totals": {"successful": 32, "errored": 5, "incomplete": 3},
                "requests_per_second": {"successful": {"mean": 0.16}},
                "request_latency": {"successful": {"percentiles": {"p99": 1.25}}},
                "time_to_first_token_ms": {
                    "successful": {"percentiles": {"p50": 48.5, "p99": 77.79}}
                },
                "time_per_output_token_ms": {"successful": {"percentiles": {"p99": 9}}},
                "output_tokens_per_second": {"successful": {"mean": 20.4}},
            },
        }
    ],
}
VLLM = {
    "elapsed_time": 12.5,
    "num_requests": 100,
    "total_num_tokens": 25600,
    "requests_per_second": 8.0,
    "tokens_per_second": 2048.0,
}
TRTLLM = {
    "engine": {"version": "1.1.0"},
    "request_info": {"num_requests": 3000},
    "performance": {
        "total_latency_ms": 115716.9,
        "request_throughput_req_s": 43.2,
        "system_output_throughput_tok_s": 5530.7,
        "request_latency_percentiles_ms": {"p50": 71000.0, "p99": 109000.5},
    },
    "streaming_metrics": {
        "ttft_percentiles": {"p99": 52667.0},
        "tpot_percentiles": {"p99": 182.9},
    },
}
SGLANG = {
    "duration": 45.1,
    "completed": 100,
    "output_throughput": 1773.1,
    "median_e2e_latency_ms": 4487.4,
    "p99_e2e_latency_ms": 4534.8,
    "p99_ttft_ms": 61.1,
    "p99_tpot_ms": 5.6,
    "accept_length": None,
}


def read(folder: Path, tool: str, text: str, /, **other: Any) -> Result:
    said = table("json", tool, **other)
    (folder / said["file"]).write_text(text)
    [result] = reader_named("json", said).read_all(folder, folder / "output.log")
    return result


def value(result: Result) -> float | None:
    return None if result.metric is None else result.metric.value


def test_oha(tmp_path: Path) -> None:
    result = read(tmp_path, "oha", json.dumps(OHA, indent=2))
    assert result.metric is not None
    assert (result.metric.value, result.metric.unit) == (500.5, "requests/s")
    assert result.percentiles_ms == {50.0: 2.0, 99.0: 5.5, 99.9: 20.0}
    assert (result.completed, result.failed) == (901, 100)
    assert result.errors == ("connection refused", "timeout")
    assert (result.duration_s, result.windows) == (2.0, ())
    assert (result.valid, result.damage) == (None, ())


def test_oha_without_a_failure(tmp_path: Path) -> None:
    fine = {"statusCodeDistribution": {"200": 901}, "errorDistribution": {}}
    result = read(tmp_path, "oha", json.dumps(OHA | fine))
    assert (result.completed, result.failed, result.error_count) == (901, 0, 0)


def test_k6(tmp_path: Path) -> None:
    result = read(tmp_path, "k6", json.dumps(K6, indent=4))
    assert value(result) == 528.8
    assert result.percentiles_ms == {50.0: 3.63, 95.0: 8.26}
    assert (result.query_count, result.completed, result.failed) == (1587, 1580, 7)


def test_guidellm(tmp_path: Path) -> None:
    result = read(tmp_path, "guidellm", json.dumps(GUIDELLM))
    assert value(result) == 0.16
    assert result.percentiles_ms == {99.0: 1250.0}
    tokens = result.tokens
    assert tokens is not None
    assert tokens.tokens_per_second == 20.4
    assert tokens.first_token.percentiles_ms == {99.0: 77.79}
    assert tokens.per_output_token.percentiles_ms == {99.0: 9.0}
    assert (result.completed, result.failed) == (32, 5)
    [window] = result.windows
    assert (window.begin, window.seconds) == (1777451496.5, 200.75)
    assert (window.source, window.clock) == ("json", "wall")


def test_vllm_bench_throughput(tmp_path: Path) -> None:
    result = read(tmp_path, "vllm-throughput", json.dumps(VLLM, indent=4))
    assert (value(result), result.completed, result.duration_s) == (8.0, 100, 12.5)
    assert result.tokens is not None
    assert result.tokens.tokens_per_second == 2048.0


def test_trtllm_bench(tmp_path: Path) -> None:
    result = read(tmp_path, "trtllm-bench", json.dumps(TRTLLM, indent=4))
    assert (value(result), result.completed) == (5530.7, 3000)
    assert result.duration_s == pytest.approx(115.7169)
    assert result.percentiles_ms == {50.0: 71000.0, 99.0: 109000.5}
    assert result.tokens is not None
    assert result.tokens.per_output_token.percentiles_ms == {99.0: 182.9}


def test_llama_bench_prints_its_document(tmp_path: Path) -> None:
    reader = reader_of("json", "llama-bench")
    output = DATA / "llama-bench/good.txt"
    [result] = reader.read_all(tmp_path, output)
    assert value(result) == 118.881411
    cut = tmp_path / "output.log"
    cut.write_bytes(output.read_bytes()[:-5])
    assert reader.read_all(tmp_path, cut) == []
    assert reader.read_all(tmp_path, tmp_path / "none.log") == []
    with pytest.raises(FileNotFoundError, match="llama-bench writes its result to its"):
        reader.read(tmp_path)


def test_sglang_adds_a_line_for_each_run(tmp_path: Path) -> None:
    before = SGLANG | {"output_throughput": 1.0}
    text = "".join(json.dumps(each) + "\n" for each in (before, SGLANG))
    result = read(tmp_path, "sglang", text)
    assert (value(result), result.completed, result.duration_s) == (1773.1, 100, 45.1)
    assert result.percentiles_ms == {50.0: 4487.4, 99.0: 4534.8}
    cut = read(tmp_path, "sglang", text[:-20])
    assert (value(cut), cut.damage) == (None, ("sglang.jsonl ends within a document.",))


def test_it_is_known_who_says_when_it_was() -> None:
    for tool, stamps in (("guidellm", True), ("oha", False)):
        reader = reader_of("json", tool)
        assert (reader.judges, reader.stamps) == (False, stamps)


def test_a_document_far_below_is_found_with_its_folder(tmp_path: Path) -> None:
    deep = tmp_path / "a/b"
    deep.mkdir(parents=True)
    read(deep, "oha", json.dumps(OHA))
    reader = reader_of("json", "oha")
    [result] = reader.read_all(tmp_path, tmp_path / "output.log")
    assert result.folder == deep
    (tmp_path / "oha.json").write_text(json.dumps(OHA))
    assert len(reader.read_all(tmp_path, tmp_path / "output.log")) == 2


@pytest.mark.parametrize(
    ("begin", "end", "unit", "window"),
    [
        (1777451496.5, 1777451500, "s", (1777451496.5, 1777451500)),
        (1777451496500, 1777451500000, "ms", (1777451496.5, 1777451500)),
        (1777451496500000000, 1777451500000000000, "ns", (1777451496.5, 1777451500)),
        ("2026-04-29T08:31:36.5Z", "2026-04-29T10:31:40+02:00", "iso", None),
        (
            "2026-04-29T08:31:36.5",
            "2026-04-29T10:31:40+02:00",
            "iso",
            "start: expected",
        ),
        (1777451500, "2026-04-29T10:31:40+02:00", "iso", "start: expected"),
        ("soon", 1777451500, "s", "start: expected a number, found 'soon'"),
        (1777451500, 1777451496.5, "s", "its end is 3.500 s before its start"),
    ],
)
def test_a_window_by_its_own_stamps(
    tmp_path: Path, begin: Any, end: Any, unit: str, window: Any
) -> None:
    said = {"start": "from", "end": "to", "time_unit": unit, "duration": None}
    text = json.dumps(OHA | {"from": begin, "to": end})
    result = read(tmp_path, "oha", text, **said)
    if isinstance(window, str):
        assert result.windows == ()
        assert window in result.damage[0]
        return
    [found] = result.windows
    assert found.seconds == pytest.approx(3.5)
    if window:
        assert (found.begin, found.end) == pytest.approx(window)


@pytest.mark.parametrize(("one", "other"), [("start", 2.0), ("end", 0.0)])
def test_a_window_by_one_stamp_and_its_length(
    tmp_path: Path, one: str, other: float
) -> None:
    text = json.dumps(OHA | {"at": 1777451500})
    [window] = read(tmp_path, "oha", text, **{one: "at"}).windows
    assert (window.end - 1777451500, window.seconds) == (other, 2.0)


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("", "oha.json has no document in 256 MiB."),
        ("no result\n", "oha.json has no document in 256 MiB."),
        ("{", "oha.json ends within a document."),
        (json.dumps(OHA, indent=2)[:-9], "oha.json ends within a document."),
        ("{}", "value: there is none at summary.requestsPerSec."),
        ("[]", "value: there is none at summary.requestsPerSec."),
        ('{"summary": {"requestsPerSec": null}}', "value: there is none at "),
        ('{"summary": {"requestsPerSec": "fast"}}', "value: expected a number, found"),
        ('{"summary": {"requestsPerSec": true}}', "value: expected a number, found"),
        ('{"summary": {"requestsPerSec": NaN}}', "value: expected a number, found"),
        ('{"summary": {"requestsPerSec": -1}}', "value: expected a number, found"),
        ('{"summary": {"requestsPerSec": {}}}', "value: expected a number, found"),
        (
            f'{{"summary": {{"requestsPerSec": 1{"0" * 400}}}}}',
            "value: expected a number",
        ),
        ("[" * 100_000, "oha.json has no document in 256 MiB."),
    ],
)
def test_what_has_no_figure_has_none(tmp_path: Path, text: str, damage: str) -> None:
    result = read(tmp_path, "oha", text)
    assert value(result) is None
    assert result.damage[0].startswith(damage)


def test_a_sum_with_what_is_no_number_is_none(tmp_path: Path) -> None:
    wrong = {"statusCodeDistribution": {"200": 900, "404": "many"}}
    result = read(tmp_path, "oha", json.dumps(OHA | wrong))
    assert result.failed is None
    assert "failed: expected a number" in result.damage[0]


def test_what_is_not_there_is_unknown_not_nothing(tmp_path: Path) -> None:
    less = {"summary": OHA["summary"]}
    result = read(tmp_path, "oha", json.dumps(less))
    assert value(result) == 500.5
    assert (result.completed, result.failed, result.percentiles_ms) == (None, None, {})
    assert result.damage == ()


def test_errors_are_bounded_and_counted(tmp_path: Path) -> None:
    many = {f"error {n} {'x' * 1000}": 1 for n in range(1000)}
    result = read(tmp_path, "oha", json.dumps(OHA | {"errorDistribution": many}))
    assert (result.error_count, len(result.errors)) == (1000, 100)
    assert max(map(len, result.errors)) == 200


def test_a_file_that_is_a_folder_is_damage(tmp_path: Path) -> None:
    (tmp_path / "oha.json").mkdir()
    result = reader_of("json", "oha").read(tmp_path)
    assert result.damage == (
        "oha.json cannot be read: it is a folder, expected a file.",
    )
    with pytest.raises(FileNotFoundError, match=r"No oha\.json in"):
        reader_of("json", "oha").read(tmp_path / "none")


def test_logs_around_a_document_cost_no_more_than_their_length(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    document = json.dumps(VLLM, indent=4)
    for line in ("[ 1s ] thds: 1", "[", "{", '{"level": "info", "msg": 1', "]"):
        output.write_text(f"{line}\n" * 100_000 + document + "\n")
        begun = time.monotonic()
        reader = reader_of("json", "vllm-throughput", file=None)
        found = reader.read_all(tmp_path, output)
        assert time.monotonic() - begun < 30
        # A bracket that the document's own closes is of a document that is none.
        assert bool(found and found[0].metric) is (line != "{")


def test_the_sign_stands_in_the_output(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    query = FirstQuery(tmp_path, output, reader_of("json", "k6").sign)
    output.write_bytes(b"running (0m01.0s), 10/10 VUs, 0 complete and 0 interrupted\r")
    assert not query.look()
    with output.open("ab") as file:
        file.write(b"running (0m02.0s), 10/10 VUs, 24 complete and 0 interrupted\r")
    assert query.look()
    assert reader_of("json", "oha").sign is None


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"vaule": "a"}, r"vaule: no such key: did you mean value\?"),
        ({"tool": None}, "tool: expected one in the table, found none"),
        ({"value": None}, "value: expected one in the table, found none"),
        ({"unit": 3}, "unit: expected a text of one line, found 3"),
        ({"value": 3}, "value: expected a path such as .*, found 3"),
        ({"value": ""}, "value: expected a path such as .*, found ''"),
        ({"value": "a..b"}, r"value: expected a path such as .*, found 'a\.\.b'"),
        ({"failed": ["a", 1]}, "failed: expected a path such as .*, found 1"),
        ({"errors": 1}, "errors: expected a path such as .*, found 1"),
        ({"file": "a/b.json"}, "file: expected the name of a file.*, found 'a/b.json'"),
        ({"file": ".."}, r"file: expected the name of a file.*, found '\.\.'"),
        ({"file": 3}, "file: expected the name of a file.*, found 3"),
        ({"higher_is_better": 1}, "higher_is_better: expected true or false, found 1"),
        (
            {"latency_unit": None},
            "latency_unit: expected the unit of latency.50, .* none",
        ),
        (
            {"latency_unit": "min"},
            "latency_unit: expected the unit .*, us, ns; found 'm",
        ),
        (
            {"time_unit": None},
            "time_unit: expected the unit of duration: .* found none",
        ),
        ({"time_unit": "iso"}, "time_unit: expected the unit of duration, too, found"),
        ({"latency": "a"}, "latency: expected a table of percentiles such as .* 'a'"),
        ({"latency": {}}, "latency: expected a table of percentiles such as .* {}"),
        ({"latency": {"p99": "a"}}, "latency.p99: expected a percentile such as 50 or"),
        ({"latency": {"99": 9}}, "latency.99: expected a path such as .*, found 9"),
        ({"issuing": "("}, r"issuing: expected a regular expression, found '\(': "),
        (
            {"issuing": "x*"},
            "issuing: expected one that an empty output does not match",
        ),
    ],
)
def test_what_cannot_be_meant(other: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=rf"result\.{sentence}"):
        reader_of("json", "oha", **other)
