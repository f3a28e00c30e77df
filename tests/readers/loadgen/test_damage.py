"""Logs that no whole run leaves: never VALID without a word, never a traceback."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from pytest_mighetero.readers.loadgen import read_result
from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.comparison.figure import of_facts, of_result
from pytest_mighetero.records.facts import texts
from pytest_mighetero.run.findings import result_facts
from pytest_mighetero.run.judge import judge_performance
from tests.readers.loadgen.mllog import (
    DETAIL,
    SUMMARY,
    is_issuing,
    line,
    lines,
    write_detail,
    write_summary,
)

HEAD = lines(
    ("loadgen_version", "6.0.17 @ d6147c7eb7"),
    ("test_datetime", "2026-11-23T13:46:00Z"),
    ("effective_scenario", "Server"),
    ("effective_test_mode", "PerformanceOnly"),
    ("requested_server_target_qps", 400),
    ("effective_target_qps", 400),
    ("effective_target_latency_ns", 15000000),
    ("generated_query_count", 595),
)
STAMPS = lines(
    ("power_begin", "11-23-2026 13:46:00.271"), ("power_end", "11-23-2026 13:46:01.782")
)
RESULT = lines(
    ("result_validity", "VALID"),
    ("result_perf_constraints_met", True),
    ("result_scheduled_samples_per_sec", 395.818),
    ("result_completed_samples_per_sec", 393.025),
    ("result_99.00_percentile_latency_ns", 14242991),
    ("num_errors", 0),
)
DEEP = "[" * 3000 + "]" * 3000
BIG = "1" * 400


def summary(verdict: str = "VALID", rate: str = "393.03", p99: int = 14242991) -> str:
    return (
        f"MLPerf Results Summary\nScenario : Server\nMode     : PerformanceOnly\n"
        f"Completed samples per second    : {rate}\nResult is : {verdict}\n"
        f"Additional Stats\n99.00 percentile latency (ns)   : {p99}\n"
        f"No warnings encountered during test.\nNo errors encountered during test.\n"
    )


def raw(key: str, value: str, **more: str) -> str:
    """Return a line whose value is written as it is."""
    text = line(key, "VALUE").replace('"VALUE"', value)
    for name, other in more.items():
        text = text.replace('"time_ms": 1.000000', f'"{name}": {other}')
    return text


def read(folder: Path) -> Result:
    result = read_result(folder, utc_offset_s=0)
    assert json.dumps(result.to_dict(), allow_nan=False)
    assert "".join(texts(result_facts(result)).values()).encode()
    return result


def damage(folder: Path) -> str:
    """Return what is wrong with a VALID run, which nobody then takes for one."""
    result = read(folder)
    assert result.damage
    assert judge_performance(result)
    assert of_result(result) is None
    assert of_facts({"scenario": "server", **texts(result_facts(result))}) is None
    return " ".join(result.damage)


def test_a_whole_run_is_not_damaged(tmp_path: Path) -> None:
    write_detail(tmp_path, HEAD, STAMPS, RESULT)
    write_summary(tmp_path, summary())
    result = read(tmp_path)
    assert (result.valid, result.damage) == (True, ())
    assert judge_performance(result) == []
    assert of_result(result) is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            summary("INVALID"),
            "different runs: result_validity is VALID in one, INVALID",
        ),
        (summary(rate="393.05"), "result_completed_samples_per_sec is 393.025 in one"),
        (summary(p99=14242000), "result_99.00_percentile_latency_ns is 14242991 in"),
        (summary().replace("Server", "Offline"), "effective_scenario is Server in one"),
        (summary().replace("PerformanceO", "AccuracyO"), "effective_test_mode is Perf"),
        (summary() + summary("INVALID"), "mlperf_log_summary.txt: it holds several"),
        (summary().replace("No err", "9" * 5000 + " err"), "count of errors is not re"),
        (summary() + "x" * 2_000_000, "it is larger than any summary of LoadGen's"),
    ],
)
def test_two_files_of_different_runs(tmp_path: Path, text: str, says: str) -> None:
    write_detail(tmp_path, HEAD, STAMPS, RESULT)
    write_summary(tmp_path, text)
    assert says in damage(tmp_path)


@pytest.mark.parametrize(
    ("detail", "says"),
    [
        ("", "mlperf_log_detail.txt is empty, though mlperf_log_summary.txt has the"),
        ("\0" * 4096, "holds no line of LoadGen's, though"),
        ("\n".join([*HEAD, *STAMPS]), "is cut off within the run"),
        ("\n".join(HEAD)[:-9], "is cut off within the run"),
    ],
)
def test_a_summary_that_is_whole_beside_a_detail_log_that_is_not(
    tmp_path: Path, detail: str, says: str
) -> None:
    write_detail(tmp_path, detail, end="")
    write_summary(tmp_path, summary())
    assert says in damage(tmp_path)


def test_an_accuracy_run_whose_detail_log_is_cut_off(tmp_path: Path) -> None:
    accuracy = line("effective_test_mode", "AccuracyOnly")
    write_summary(tmp_path, "\n".join(summary().splitlines()[-2:]))
    write_detail(tmp_path, HEAD, accuracy, STAMPS)
    assert read(tmp_path).damage == ()
    write_detail(tmp_path, HEAD, accuracy, STAMPS, STAMPS[:1])
    assert "is cut off within the run" in " ".join(read(tmp_path).damage)


def test_a_log_of_before_v1_is_no_damage(tmp_path: Path) -> None:
    write_detail(tmp_path, '"pid": 7, "tid": 7, "ts": 1ns : version : 0.7')
    write_summary(tmp_path, summary())
    assert read(tmp_path).damage == ()


def test_a_run_that_was_killed_is_no_damage(tmp_path: Path) -> None:
    write_detail(tmp_path, "\n".join(HEAD)[:-9], end="")
    write_summary(tmp_path, "")
    result = read(tmp_path)
    assert (result.valid, result.damage) == (None, ())


def test_two_runs_in_one_file(tmp_path: Path) -> None:
    later = [each.replace("2026", "2027") for each in (*HEAD, *STAMPS)]
    invalid = [each.replace('"VALID"', '"INVALID"') for each in RESULT]
    write_detail(tmp_path, HEAD, STAMPS, invalid, later, RESULT)
    assert "holds several runs" in damage(tmp_path)
    window = read(tmp_path).window
    assert window is not None
    assert window.seconds == pytest.approx(1.511)
    write_detail(tmp_path, HEAD, STAMPS, invalid, later[1:], RESULT)
    assert "holds several runs" in damage(tmp_path)


def test_one_run_with_two_results(tmp_path: Path) -> None:
    write_detail(tmp_path, HEAD, STAMPS, line("result_validity", "INVALID"), RESULT)
    assert "two different results: result_validity" in damage(tmp_path)
    write_detail(tmp_path, HEAD, STAMPS, RESULT, RESULT)
    assert read(tmp_path).damage == ()


@pytest.mark.parametrize(
    "value",
    ["NaN", "-Infinity", "1e999", "-1", BIG, "true", "null", "[1]", "{}", '"many"'],
)
@pytest.mark.parametrize("at", range(2, 6))
def test_figures_that_are_none(tmp_path: Path, at: int, value: str) -> None:
    key = RESULT[at].split('"')[3]
    part = [*RESULT[:at], raw(key, value), *RESULT[at + 1 :]]
    write_detail(tmp_path, HEAD, STAMPS, part)
    assert f"figures that are none: {key}" in damage(tmp_path)


@pytest.mark.parametrize("value", [DEEP, "1" * 5000, '"cut'])
def test_results_that_cannot_be_read(tmp_path: Path, value: str) -> None:
    key = "result_completed_samples_per_sec"
    write_detail(tmp_path, HEAD, STAMPS, RESULT[:3], raw(key, value), RESULT[4:])
    said = damage(tmp_path)
    # Python 3.13 reads what is nested that deep.
    assert f"cannot be read: {key}" in said or f"figures that are none: {key}" in said


@pytest.mark.parametrize("left", [5, 20, 60])
def test_a_detail_log_that_ends_within_a_line_of_its_result(
    tmp_path: Path, left: int
) -> None:
    write_detail(tmp_path, HEAD, STAMPS, RESULT[:4], RESULT[4][:left], end="")
    assert "lines that cannot be read: " in damage(tmp_path)
    for end in ("", "\n\n", "\r\n"):
        write_detail(tmp_path, HEAD, STAMPS, RESULT, end=end)
        assert read(tmp_path).damage == ()


@pytest.mark.parametrize(
    "text",
    [
        "No errors encountered during test.\n",
        summary().partition("Result is")[0],
        "\0" * 4096,
    ],
)
def test_a_detail_log_that_is_whole_beside_a_summary_that_is_not(
    tmp_path: Path, text: str
) -> None:
    write_detail(tmp_path, HEAD, STAMPS, RESULT)
    write_summary(tmp_path, text)
    assert "mlperf_log_summary.txt has no result, though" in damage(tmp_path)
    write_summary(tmp_path, "")  # the detail log says it all
    assert read(tmp_path).damage == ()


@pytest.mark.parametrize(
    ("scenario", "rate", "version"),
    [
        ("Server", "result_completed_samples_per_sec", "6.0.17"),
        ("Server", "result_completed_samples_per_sec", "4.1"),
        ("Offline", "result_samples_per_second", "5.1.0"),
        ("Offline", "result_samples_per_second", "4.0"),
    ],
)
def test_a_language_models_log_that_ends_before_its_figure(
    tmp_path: Path, scenario: str, rate: str, version: str
) -> None:
    settings = lines(
        ("loadgen_version", version),
        ("effective_scenario", scenario),
        ("requested_use_token_latencies", True),
    )
    result = lines(("result_validity", "VALID"), (rate, 218.8))
    write_detail(tmp_path, settings, STAMPS, result)
    assert "gives no metric" in damage(tmp_path)


@pytest.mark.parametrize("fraction", [-3527.5, 0, 5])
def test_a_percentile_that_is_none(tmp_path: Path, fraction: float) -> None:
    said = line("effective_target_latency_percentile", fraction)
    write_detail(tmp_path, HEAD, said, STAMPS, RESULT)
    assert list(map(str, read(tmp_path).bounds)) == ["p99 14.24 ms, limit 15 ms"]


def test_a_key_that_is_there_twice_in_a_line(tmp_path: Path) -> None:
    twice = raw("result_validity", '"INVALID", "value": "VALID"')
    write_detail(tmp_path, HEAD, STAMPS, twice, RESULT[1:])
    write_summary(tmp_path, summary())
    assert "is cut off" in damage(tmp_path)
    write_summary(tmp_path, "")
    assert read(tmp_path).valid is None


@pytest.mark.parametrize("value", ["0", "-5", "NaN", "true", BIG, '"fast"'])
def test_a_target_that_no_run_has(tmp_path: Path, value: str) -> None:
    target = raw("requested_server_target_qps", value)
    write_detail(tmp_path, HEAD, target, STAMPS, RESULT)
    assert "LoadGen says VALID, and requested_server_target_qps" in damage(tmp_path)


def test_verdicts_that_contradict_themselves(tmp_path: Path) -> None:
    missed = line("result_min_duration_met", False)
    write_detail(tmp_path, HEAD, STAMPS, RESULT, missed)
    assert "that its minimum duration was not met" in damage(tmp_path)
    write_detail(tmp_path, HEAD, STAMPS, RESULT[:3])
    assert "says VALID and gives no metric" in damage(tmp_path)
    write_detail(tmp_path, HEAD, STAMPS, raw("result_validity", "true"), RESULT[1:])
    assert "verdict is 'True', expected VALID or INVALID" in damage(tmp_path)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", BIG, "true", DEEP, "-1"])
def test_times_that_are_none(tmp_path: Path, value: str) -> None:
    issuing = raw("generated_query_count", "5", time_ms=value)
    write_detail(tmp_path, HEAD[:-1], issuing, STAMPS, RESULT)
    result = read(tmp_path)
    assert result.host_utc_offset_s is None
    assert (result.valid, len(result.windows)) == (True, 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("power_begin", "01-01-0001 00:00:00.000"),
        ("test_datetime", "9999-12-31T23:59:59Z"),
        ("loadgen_version", "9" * 5000),
        ("loadgen_version", "6.0 \ud800"),
        ("result_invalid_reason", "\udfff"),
        ("effective_odd", "\x00\x1b"),
    ],
)
def test_texts_that_nobody_means(tmp_path: Path, key: str, value: str) -> None:
    write_detail(tmp_path, line(key, value), HEAD[2:], STAMPS, RESULT)
    read_result(tmp_path)  # by this host's zone
    read(tmp_path)


def test_a_byte_order_mark(tmp_path: Path) -> None:
    for name, text in ((DETAIL, "\n".join([*HEAD, *STAMPS, *RESULT])), (SUMMARY, "")):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    result = read(tmp_path)
    assert result.version == "6.0.17 @ d6147c7eb7"
    assert (len(result.windows), result.damage) == (1, ())


# What is no file


def make_folder(path: Path) -> None:
    path.mkdir()


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(path.parent)  # the address is short
        listener.bind(path.name)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


MAKERS = (make_folder, os.mkfifo, make_socket, make_device, make_loop)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", [DETAIL, SUMMARY])
def test_what_is_no_file(
    tmp_path: Path, make: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_detail(tmp_path, HEAD, STAMPS, RESULT)
    write_summary(tmp_path, summary())
    (tmp_path / name).unlink()
    assert callable(make)
    make(tmp_path / name)
    assert f"{name} cannot be read: " in damage(tmp_path)
    assert is_issuing(tmp_path) is (name == SUMMARY)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    write_detail(tmp_path, HEAD, STAMPS, RESULT)
    (tmp_path / DETAIL).chmod(0)
    assert "cannot be read: Permission denied" in " ".join(read(tmp_path).damage)
    assert is_issuing(tmp_path) is False


def test_a_log_that_grows_as_fast_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_detail(tmp_path, HEAD, STAMPS, "x" * 300_000, RESULT)
    really = os.read

    def read_and_write(file: int, size: int) -> bytes:
        with (tmp_path / DETAIL).open("a") as log:
            log.write("y" * 200_000)
        return really(file, size)

    monkeypatch.setattr("os.read", read_and_write)
    assert read(tmp_path).damage == ()


def test_a_log_that_is_cut_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_detail(tmp_path, HEAD, STAMPS, "x" * 300_000, RESULT)
    really = os.pread

    def read_and_cut(file: int, size: int, at: int) -> bytes:
        block = really(file, size, at)
        os.truncate(tmp_path / DETAIL, 1000)
        return block

    monkeypatch.setattr("os.pread", read_and_cut)
    assert read(tmp_path).valid is None


# What LoadGen calls an error, and is none

REACHED = "IssueQueryThread 0 Ending early: Max query count reached. query_count 595"


@pytest.mark.parametrize(
    ("asked", "message", "verdict", "count"),
    [
        (595, REACHED, "VALID", 0),
        (595, "Ending early: Max query count reached.", "VALID", 0),
        (0, REACHED, "VALID", 1),
        (595, REACHED, "INVALID", 1),
        (595, f"{REACHED} and more", "VALID", 1),
        (595, "Ending early: Max test duration reached.", "VALID", 1),
        (595, "Loadgen built with uncommitted changes!", "VALID", 1),
    ],
)
def test_a_run_that_ended_as_it_was_told(
    tmp_path: Path, asked: int, message: str, verdict: str, count: int
) -> None:
    result = [each.replace('"VALID"', f'"{verdict}"') for each in RESULT[:-1]]
    error = line("error_runtime", message, error=True)
    settings = line("effective_max_query_count", asked)
    write_detail(tmp_path, HEAD, settings, error, STAMPS, result, line("num_errors", 1))
    write_summary(tmp_path, summary(verdict).replace("No errors", "1 ERROR"))
    found = read(tmp_path)
    assert (found.error_count, len(found.errors)) == (count, count)
    assert found.warnings == (() if count else (message,))
    said = any("LoadGen counted" in each for each in judge_performance(found))
    assert said == bool(count)


def test_errors_beside_the_one_that_is_none(tmp_path: Path) -> None:
    errors = [line("error_runtime", REACHED, error=True)] * 150
    errors.append(line("error_runtime", "Completed twice.", error=True))
    asked = line("effective_max_query_count", 5)
    write_detail(tmp_path, HEAD, asked, errors, STAMPS, RESULT)
    found = read(tmp_path)
    assert found.error_count == 1
    assert judge_performance(found) == ["LoadGen counted 1 error: Completed twice."]
