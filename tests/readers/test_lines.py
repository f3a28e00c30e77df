"""What tools print: taken from a terminal, or written as their own source prints it.

Debian 12 has sysbench 1.0.20, wrk 4.1.0 and redis-benchmark 7.0.15.
"""

from __future__ import annotations

import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.readers.reader import reader_named
from pytest_mighetero.readers.result import Result
from tests.readers.toolbox import DATA, reader_of

LOGS = Path("/logs")
UNSAID = (None, None, None, None)


def results(tool: str, output: str) -> list[Result]:
    return reader_of("lines", tool).read_all(LOGS, DATA / f"{output}.txt")


def read(folder: Path, text: bytes, **other: Any) -> list[Result]:
    said = {"tool": "t", "unit": "x/s", "value": r"rate: (?P<value>\S+)"}
    (folder / "output.log").write_bytes(text)
    reader = reader_named("lines", said | other)
    return reader.read_all(folder / "logs", folder / "output.log")


@pytest.mark.parametrize(
    ("tool", "output", "value", "percentiles", "rest"),
    [
        (
            "sysbench-cpu",
            "sysbench/cpu",
            3602.64,
            {99.0: 1.37},
            (None, 10812, 0, 3.0008),
        ),
        (
            "sysbench-cpu",
            "sysbench/cpu-rate",
            45.51,
            {99.0: 0.45},
            (None, 138, 0, 3.032),
        ),
        (
            "sysbench-memory",
            "sysbench/memory",
            7025.65,
            {},
            (None, 21588522, 0, 3.0004),
        ),
        (
            "wrk",
            "wrk/good",
            35337.31,
            {50.0: 0.052, 99.0: 2.18},
            (74198, 74198, 0, 2.1),
        ),
        # wrk exits with code 0 all the same, and so does gpu-burn.
        ("wrk", "wrk/404", 31841.3, {50.0: 0.053, 99.0: 0.574}, (35031, 0, 35031, 1.1)),
        (
            "wrk",
            "wrk/socket-errors",
            17193.21,
            {50.0: 0.045, 99.0: 0.087},
            (90217, 36102, 54115, 2.1),
        ),
        ("gpu-burn", "gpu-burn/faulty", 5208, {}, (None, None, 1, None)),
        ("gpu-burn", "gpu-burn/ok", 5208, {}, (None, None, 0, None)),
        (
            "redis-benchmark",
            "redis-benchmark/full",
            36297.64,
            {50.0: 0.127, 99.0: 2.759},
            (None, 20000, 0, 0.55),
        ),
        (
            "redis-benchmark-quiet",
            "redis-benchmark/quiet",
            36764.71,
            {50.0: 0.119},
            UNSAID,
        ),
        (
            "redis-benchmark-csv",
            "redis-benchmark/csv",
            36832.41,
            {50.0: 0.111, 99.0: 3.183},
            UNSAID,
        ),
        ("dcgmproftester", "dcgmproftester/good", 12254.6, {}, UNSAID),
        (
            "trtllm-bench",
            "trtllm-bench/good",
            5530.7382,
            {},
            (None, 3000, None, 115.7169214),
        ),
        (
            "perf_analyzer",
            "perf_analyzer/good",
            19.8874,
            {50.0: 130.863, 99.0: 141.404},
            (None, 358, None, None),
        ),
    ],
)
def test_a_whole_run(
    tool: str,
    output: str,
    value: float,
    percentiles: dict[float, float],
    rest: tuple[float | None, ...],
) -> None:
    [result] = results(tool, output)
    assert result.metric is not None
    assert result.metric.value == value
    assert result.percentiles_ms == percentiles
    counts = (result.query_count, result.completed, result.failed)
    assert (*counts, result.duration_s) == rest
    assert (result.valid, result.damage, result.errors) == (None, (), ())
    assert (result.windows, result.folder) == ((), LOGS)


@pytest.mark.parametrize(
    ("tool", "output"),
    [
        ("sysbench-cpu", "sysbench/cpu-term"),
        ("sysbench-cpu", "sysbench/cpu-badopt"),
        ("sysbench-cpu", "sysbench/cpu-badtest"),
        ("sysbench-cpu", "sysbench/memory"),
        ("wrk", "wrk/term"),
        ("wrk", "wrk/refused"),
        ("wrk", "wrk/badopt"),
        ("redis-benchmark", "redis-benchmark/refused"),
        ("redis-benchmark", "redis-benchmark/badopt"),
        ("redis-benchmark", "redis-benchmark/term"),
        ("redis-benchmark-quiet", "redis-benchmark/term"),
        ("redis-benchmark-csv", "redis-benchmark/error"),
        ("gpu-burn", "gpu-burn/cut"),
        ("dcgmproftester", "dcgmproftester/failed"),
        ("wrk", "wrk/none"),
    ],
)
def test_what_did_not_end_well_has_no_result(tool: str, output: str) -> None:
    assert results(tool, output) == []


@pytest.mark.parametrize(
    ("tool", "output", "word"),
    [
        ("sysbench-cpu", "sysbench/cpu", b"[ 1s ] thds: 1 eps: 4341.01"),
        ("sysbench-cpu", "sysbench/cpu-term", b"[ 1s ] thds: 1 eps: 4427.47"),
        ("sysbench-memory", "sysbench/memory", b"[ 1s ] 7047.46 MiB/sec"),
        ("redis-benchmark", "redis-benchmark/full", b"GET: rps=2"),
        ("redis-benchmark-quiet", "redis-benchmark/quiet", b"GET: rps=3"),
        ("redis-benchmark-quiet", "redis-benchmark/term", b"GET: rps=2"),
        ("gpu-burn", "gpu-burn/ok", b"proc'd: 1"),
        ("dcgmproftester", "dcgmproftester/good", b"(12238.2 gflops)"),
        ("trtllm-bench", "trtllm-bench/good", b"Request submission complete"),
    ],
)
def test_the_first_line_that_shows_work_is_the_sign(
    tmp_path: Path, tool: str, output: str, word: bytes
) -> None:
    text = (DATA / f"{output}.txt").read_bytes()
    at, log = text.index(word), tmp_path / "output.log"
    query = FirstQuery(tmp_path, log, reader_of("lines", tool).sign)
    log.write_bytes(text[:at])
    assert not query.look()
    log.write_bytes(text[: at + len(word)])
    assert query.look()


@pytest.mark.parametrize(
    ("tool", "output"),
    [
        ("redis-benchmark", "redis-benchmark/refused"),
        ("sysbench-cpu", "sysbench/cpu-badopt"),
    ],
)
def test_without_work_there_is_no_sign(tool: str, output: str) -> None:
    query = FirstQuery(LOGS, DATA / f"{output}.txt", reader_of("lines", tool).sign)
    assert not query.look()


def test_lines_of_progress_bars_and_colours(tmp_path: Path) -> None:
    text = b"\x1b[1mrate:\x1b[0m 1\rrate: 2\r\n\x1b]0;title\arate: \x1b[32m3\x1b[0m \r"
    [result] = read(tmp_path, text)
    assert result.metric is not None
    assert result.metric.value == 3
    # Without an end, too.
    [result] = read(tmp_path, text + b"rate: 4")
    assert result.metric is not None
    assert result.metric.value == 4


def test_errors_are_lines(tmp_path: Path) -> None:
    text = b"rate: 5\n" + b"ERROR \xff " + b"x" * 500 + b"\n" + b"ERROR\n" * 999
    [result] = read(tmp_path, text, error="^ERROR")
    assert (result.error_count, len(result.errors)) == (1000, 100)
    assert result.errors[0].startswith("ERROR \N{REPLACEMENT CHARACTER} xxx")
    assert len(result.errors[0]) == 200


@pytest.mark.parametrize("raw", ["fast", "1.2.3", "-1", "nan", "inf", "9" * 400])
def test_what_is_no_number_is_damage(tmp_path: Path, raw: str) -> None:
    [result] = read(tmp_path, f"rate: {raw}\n".encode())
    assert result.metric is None
    assert result.damage[0].startswith("value: expected a number, found ")


def test_what_is_no_count_or_unit_is_damage(tmp_path: Path) -> None:
    text = b"rate: 1\nfailed 1.5\ntook 3 parsecs\n"
    failed, took = r"failed (?P<value>\S+)", r"took (?P<value>\d+) (?P<unit>\w+)"
    [result] = read(tmp_path, text, failed=failed, duration=took)
    assert result.damage == (
        "failed: expected a whole number, found '1.5'.",
        "duration: expected a number, found '3' parsecs.",
    )
    assert result.duration_s is None


def test_a_window_by_printed_stamps(tmp_path: Path) -> None:
    text = b"from 2026-11-27T23:59:51Z\nrate: 1\nto 2026-11-27T23:59:53.5Z\n"
    stamps = {"start": r"^from (?P<value>\S+)", "end": r"^to (?P<value>\S+)"}
    [result] = read(tmp_path, text, time_unit="iso", **stamps)
    [window] = result.windows
    assert (window.begin, window.seconds) == (1795823991, 2.5)
    assert window.source == "lines"


@pytest.mark.parametrize(
    "text",
    [
        b"[ 1s ] thds: 1 eps: 4341.01 lat (ms,99%): 0.27\r\n" * 50_000 + b"rate: 7\n",
        b"rate: 7\n" + b"y" * 30_000_000 + b" rate: 8\n",
    ],
    ids=["many lines", "an endless one"],
)
def test_memory_is_bounded(tmp_path: Path, text: bytes) -> None:
    tracemalloc.start()
    [result] = read(tmp_path, text, error="eps")
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    assert result.metric is not None
    assert result.metric.value == 7


def test_it_bounds_no_window_without_stamps() -> None:
    reader = reader_of("lines", "wrk")
    assert (reader.judges, reader.stamps) == (False, False)
    assert reader_of("lines", "wrk", end="at (?P<value>.*)", time_unit="s").stamps


def test_there_are_no_files_to_find(tmp_path: Path) -> None:
    (tmp_path / "output.log").mkdir()
    reader = reader_of("lines", "wrk")
    assert reader.read_all(tmp_path, tmp_path / "output.log") == []
    assert reader.find(tmp_path) == ()
    with pytest.raises(FileNotFoundError, match="wrk prints its result"):
        reader.read(tmp_path)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"p99": "a"}, "p99: no such key: accepted: "),
        (
            {"value": "rate"},
            r"value: expected .* group \(\?P<value>...\), found 'rate'",
        ),
        ({"value": "(?P<v>.)"}, r"value: expected .* group .*, found '\(\?P<v>\.\)'"),
        ({"value": "(?P<value>"}, "value: expected a regular expression, found .*: "),
        ({"value": 3}, "value: expected a regular expression, found 3: it is no text"),
        ({"value": ["a", "b"]}, "value: expected .* group .*, found 'a'"),
        ({"done": "("}, r"done: expected a regular expression, found '\('"),
        (
            {"error": ""},
            "error: expected a regular expression, found '': it is no text",
        ),
        ({"failed_if": 1}, "failed_if: expected a regular expression, found 1"),
        ({"failed": "bad"}, r"failed: expected .* group .*, found 'bad'"),
        (
            {"latency": {"99": "p99=(?P<value>.)"}, "latency_unit": None},
            "latency_unit: expected the unit of latency.99: s, ms, us, ns; found none",
        ),
        (
            {"tokens_per_second": ["(?P<value>.)", "x(?P<value>.)"]},
            "tokens_per_second: expected one regular expression, found 2: only counts",
        ),
    ],
)
def test_what_cannot_be_meant(other: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=rf"result\.{sentence}"):
        reader_of("lines", "redis-benchmark", **other)


def test_a_figure_in_another_unit(tmp_path: Path) -> None:
    """Tools change the prefix with the size: 900 KB/s are not better than 1.2 MB/s."""
    value = r"rate: (?P<value>[\d.]+) (?P<unit>\S+)"
    (good,) = read(tmp_path, b"rate: 1.2 MB/s\n", value=value, unit="MB/s")
    assert good.metric is not None
    assert (good.metric.value, good.damage) == (1.2, ())
    (bad,) = read(tmp_path, b"rate: 900 KB/s\n", value=value, unit="MB/s")
    assert bad.metric is None
    assert bad.damage == ("value: expected a figure in MB/s, found 'KB/s'.",)


def test_a_pattern_is_taken_without_a_warning() -> None:
    """Python may take ``[[`` otherwise one day, and warns of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = {"tool": "x", "unit": "x", "value": r"= (?P<value>[[\d.]+)"}
        assert reader_named("lines", said).tool == "x"
