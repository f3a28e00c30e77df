"""What read_result makes of logs with LoadGen's traps in them."""

from __future__ import annotations

import json
import tracemalloc
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.readers.loadgen import read_result
from pytest_mighetero.readers.result import Metric, Result
from tests.readers.loadgen.mllog import (
    DETAIL,
    SUMMARY,
    find_results,
    is_issuing,
    line,
    lines,
    write_detail,
    write_summary,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = lines(
    ("loadgen_version", "6.0.17 @ d6147c7eb7"),
    ("test_datetime", "2026-11-23T08:46:00Z"),
    ("effective_scenario", "Server"),
    ("effective_test_mode", "PerformanceOnly"),
    ("effective_target_qps", 400),
    ("effective_target_latency_ns", 15000000),
    ("effective_target_latency_percentile", 0.99),
    ("effective_min_duration_ms", 600000),
    ("effective_min_query_count", 270336),
)
ISSUING = line("generated_query_count", 595, 250.0)
STAMPS = lines(
    ("power_begin", "11-23-2026 13:46:00.271"), ("power_end", "11-23-2026 13:46:01.782")
)
DONE = lines(
    ("result_validity", "VALID"),
    ("result_query_count", 595),
    ("result_scheduled_samples_per_sec", 395.818),
    ("result_completed_samples_per_sec", 393.025),
    ("result_99.00_percentile_latency_ns", 14242991),
)


def posix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def version(text: str) -> str:
    return line("loadgen_version", text)


def scenario(text: str) -> str:
    return line("effective_scenario", text)


def read(folder: Path) -> Result:
    return read_result(folder, utc_offset_s=0)


def metric(folder: Path) -> tuple[str, float] | None:
    found = read(folder).metric
    return None if found is None else (found.name, found.value)


class TestFiles:
    def test_neither_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"^No LoadGen log in .*: it holds"):
            read_result(tmp_path)
        with pytest.raises(FileNotFoundError, match="No LoadGen log"):
            read_result(tmp_path / "missing")

    def test_empty_files_say_nothing(self, tmp_path: Path) -> None:
        (tmp_path / DETAIL).touch()
        write_summary(tmp_path, "")
        assert read_result(tmp_path) == Result(tmp_path, "LoadGen")
        assert is_issuing(tmp_path) is False

    @pytest.mark.parametrize("name", [DETAIL, SUMMARY])
    def test_one_file_is_enough(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        assert read_result(tmp_path) == Result(tmp_path, "LoadGen")

    def test_find_results(self, tmp_path: Path) -> None:
        for name in ("b/1", "a", "c/d/e"):
            write_detail(tmp_path / name, HEAD)
        write_summary(tmp_path / "only-summary", "")
        (tmp_path / "a" / "nothing").mkdir()
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
        expected = ("a", "b/1", "c/d/e", "only-summary")
        assert find_results(tmp_path) == tuple(tmp_path / name for name in expected)
        assert find_results(tmp_path / "a") == (tmp_path / "a",)
        assert find_results(tmp_path / "missing") == ()


class TestIssuing:
    def test_only_once_the_line_is_there(self, tmp_path: Path) -> None:
        assert is_issuing(tmp_path) is False
        assert is_issuing(tmp_path / "missing") is False
        write_detail(tmp_path, HEAD, line("generic_message", "generated_query_count"))
        assert is_issuing(tmp_path) is False
        assert read(tmp_path).issuing_since is None
        write_detail(tmp_path, HEAD, ISSUING)
        assert is_issuing(tmp_path) is True

    def test_wherever_it_lies_across_blocks(self, tmp_path: Path) -> None:
        sample_set = line("loaded_qsl_set", [7] * 60_000)
        tail = sample_set[-200:]
        for cut in range(0, 120, 7):
            filler = ":" * (2 * 128 * 1024 - len(sample_set) - cut)
            write_detail(tmp_path, sample_set, filler, ISSUING, tail)
            assert is_issuing(tmp_path) is True

    def test_since_when_in_a_log_without_windows(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD, ISSUING)
        result = read(tmp_path)
        assert result.issuing_since == posix("2026-11-23T08:46:01.250")
        assert (result.windows, result.window) == ((), None)
        there = read_result(tmp_path, utc_offset_s=-5 * 3600)
        assert there.issuing_since == posix("2026-11-23T13:46:01.250")

    def test_either_line_tells(self, tmp_path: Path) -> None:
        cut = ISSUING[:30]
        write_detail(tmp_path, HEAD, cut, line("generated_query_duration", 9, 250.0))
        assert read(tmp_path).issuing_since == posix("2026-11-23T08:46:01.250")

    def test_the_first_start_counts(self, tmp_path: Path) -> None:
        again = line("test_datetime", "2026-11-23T09:00:00Z")
        write_detail(
            tmp_path, HEAD, ISSUING, again, line("generated_query_count", 1, 9e3)
        )
        assert read(tmp_path).issuing_since == posix("2026-11-23T08:46:01.250")

    def test_a_window_tells_better(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD, ISSUING, STAMPS)
        assert read(tmp_path).issuing_since == posix("2026-11-23T13:46:00.271")

    def test_so_does_a_begin_without_its_end(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD, ISSUING, STAMPS[:1])
        result = read(tmp_path)
        assert result.windows == ()
        assert result.issuing_since == posix("2026-11-23T13:46:00.271")


class TestWindows:
    def test_several(self, tmp_path: Path) -> None:
        later = lines(
            ("power_begin", "11-23-2026 13:47:00.000"),
            ("power_begin", "11-23-2026 13:48:00.000"),
            ("power_end", "11-23-2026 13:48:02.000"),
            ("power_end", "11-23-2026 13:49:00.000"),
        )
        write_detail(tmp_path, HEAD, ISSUING, STAMPS, ISSUING, later)
        result = read(tmp_path)
        assert [(w.begin, w.end) for w in result.windows] == [
            (posix("2026-11-23T13:46:00.271"), posix("2026-11-23T13:46:01.782")),
            (posix("2026-11-23T13:48:00"), posix("2026-11-23T13:48:02")),
        ]
        assert result.window is not None
        assert result.window.begin == result.windows[0].begin
        assert result.window.end == result.windows[1].end
        assert result.issuing_since == result.windows[0].begin

    def test_without_a_version_the_zone_is_not_guessed(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD[1:], ISSUING, STAMPS)
        result = read(tmp_path)
        assert result.windows == ()
        # test_datetime is local in all versions.
        assert result.issuing_since == posix("2026-11-23T08:46:01.250")


class TestDamagedLogs:
    def test_every_cut_of_a_log(self, tmp_path: Path) -> None:
        whole = "\n".join([*HEAD, ISSUING, *STAMPS, *DONE]).encode()
        folder = write_detail(tmp_path)

        def is_whole(logged: str, end: int) -> bool:
            return end >= whole.index(logged.encode()) + len(logged)

        for end in [*range(0, len(whole), 31), len(whole)]:
            (folder / DETAIL).write_bytes(whole[:end])
            result = read(folder)
            assert len(result.windows) == is_whole(STAMPS[1], end)
            assert (result.issuing_since is not None) == is_whole(ISSUING, end)
            assert result.valid is (True if is_whole(DONE[0], end) else None)
            assert result.query_count == (595 if is_whole(DONE[1], end) else None)
            assert (result.metric is not None) == is_whole(DONE[3], end)
        assert read(folder).percentiles_ms == {99.0: 14.242991}

    def test_a_cut_number_is_not_a_number(self, tmp_path: Path) -> None:
        cut = DONE[1][: DONE[1].index("595") + 2]
        write_detail(tmp_path, HEAD, cut, end="")
        assert read(tmp_path).query_count is None

    def test_bytes_that_are_not_text(self, tmp_path: Path) -> None:
        folder = write_detail(tmp_path, HEAD, DONE)
        whole = (folder / DETAIL).read_bytes()
        junk = b'\xff\xfe\x00\x80\n:::MLLOG {\n:::MLLOG\n\n:::MLLOG {"key": "\xff\n'
        named = line("error_runtime", "at XX", error=True).encode()
        (folder / DETAIL).write_bytes(
            junk + whole + named.replace(b"XX", b"\xff\xfe") + b"\n" + junk
        )
        write_summary(folder, "")
        (folder / SUMMARY).write_bytes(b"SUT name : \xff\nScenario : Server\n")
        result = read(folder)
        assert result.valid is True
        assert result.errors == ("at \ufffd\ufffd",)
        assert json.dumps(result.to_dict(), allow_nan=False)

    def test_raw_control_characters_in_a_message(self, tmp_path: Path) -> None:
        message = line("error_runtime", "aXb", error=True).replace("aXb", "a\tb")
        write_detail(tmp_path, HEAD, message)
        assert read(tmp_path).errors == ("a\tb",)

    def test_numbers_that_are_none(self, tmp_path: Path) -> None:
        bad = [line("result_mean_latency_ns", "X").replace('"X"', v) for v in ("inf",)]
        bad += [line("result_min_latency_ns", "X").replace('"X"', "NaN")]
        bad += [line("result_max_latency_ns", "X").replace('"X"', "Infinity")]
        bad += [line("effective_odd", "X").replace('"X"', "NaN")]
        write_detail(tmp_path, HEAD, bad, line("result_query_count", True))
        result = read(tmp_path)
        assert result.mean_latency_ms is None
        assert result.min_latency_ms is None
        assert result.max_latency_ms is None
        assert result.query_count is None
        assert json.dumps(result.to_dict(), allow_nan=False)

    def test_the_last_of_a_repeated_key(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD, line("result_validity", "INVALID"), DONE)
        assert read(tmp_path).valid is True

    def test_memory_is_bounded(self, tmp_path: Path) -> None:
        sample_set = line("loaded_qsl_set", [1234567] * 200_000)
        endless = line("result_query_count", "9" * 4_000_000)
        no_newline = "x" * 4_000_000
        write_detail(
            tmp_path, HEAD, *[sample_set] * 5, ISSUING, endless, STAMPS, no_newline
        )
        assert (tmp_path / DETAIL).stat().st_size > 16_000_000
        read(tmp_path)
        tracemalloc.start()
        result = read(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
        is_issuing(tmp_path)
        tracemalloc.stop()
        assert len(result.windows) == 1
        assert peak < 2_000_000

    def test_only_wanted_lines_are_parsed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parsed: list[str] = []
        parse: Callable[[str, int], tuple[object, int]] = json.JSONDecoder(
            strict=False
        ).raw_decode

        def spy(text: str, at: int) -> tuple[object, int]:
            parsed.append(text[19:].split('"', maxsplit=1)[0])
            return parse(text, at)

        monkeypatch.setattr("pytest_mighetero.readers.loadgen.detail._parse", spy)
        noise = lines(("loaded_qsl_set", [1, 2]), ("logger_swap", 0), ("sut_name", "x"))
        write_detail(tmp_path, HEAD, noise, ISSUING, DONE)
        read(tmp_path)
        assert len(parsed) == len(HEAD) + 1 + len(DONE)
        assert not {"loaded_qsl_set", "logger_swap", "sut_name"} & set(parsed)

    def test_long_lines_around_the_block_size(self, tmp_path: Path) -> None:
        for length in (128 * 1024 - 2, 128 * 1024 - 1, 128 * 1024, 300_000):
            write_detail(tmp_path, "y" * length, HEAD, "z" * length, DONE)
            result = read(tmp_path)
            assert (result.scenario, result.valid) == ("Server", True)


class TestMessages:
    def test_errors_and_warnings(self, tmp_path: Path) -> None:
        write_detail(
            tmp_path,
            HEAD,
            line("error_runtime", "Ending early: Max test duration.", error=True),
            line("any_key", "Built with changes. ", error=True),
            line("warning_generic_message", "Found audit.config.", warning=True),
            line("generic_message", '"is_error": true, says the text'),
        )
        result = read(tmp_path)
        expected = ("Ending early: Max test duration.", "Built with changes.")
        assert result.errors == expected
        assert result.warnings == ("Found audit.config.",)
        assert result.error_count == 2

    @pytest.mark.parametrize(
        ("flagged", "num_errors", "summary", "count"),
        [
            (0, None, "No errors encountered during test.", 0),
            (0, None, "1 ERROR encountered. See detailed log.", 1),
            (1, None, "12 ERRORS encountered. See detailed log.", 12),
            (3, 2, "1 ERROR encountered. See detailed log.", 3),
            (1, 5, "", 5),
            (1, 0, "3 warnings encountered. See detailed log.", 1),
        ],
    )
    def test_error_count_is_the_most_that_is_said(
        self,
        tmp_path: Path,
        flagged: int,
        num_errors: int | None,
        summary: str,
        count: int,
    ) -> None:
        said = [] if num_errors is None else [line("num_errors", num_errors)]
        write_detail(tmp_path, HEAD, [line("e", "x", error=True)] * flagged, said)
        write_summary(tmp_path, f"\n{summary}\n")
        assert read(tmp_path).error_count == count

    def test_many_are_counted_but_not_kept(self, tmp_path: Path) -> None:
        errors = [line("error_runtime", f"e{n}", error=True) for n in range(1000)]
        warnings = [line("warning", f"w{n}", warning=True) for n in range(1000)]
        write_detail(tmp_path, HEAD, warnings, errors, DONE)
        result = read(tmp_path)
        assert result.errors == tuple(f"e{n}" for n in range(100))
        assert result.warnings == tuple(f"w{n}" for n in range(100))
        assert result.error_count == 1000
        assert result.valid is True

    def test_an_error_whose_message_is_lost(self, tmp_path: Path) -> None:
        whole = line("error_runtime", "lost", error=True)
        write_detail(tmp_path, HEAD, whole[:-1], end="")
        result = read(tmp_path)
        assert (result.errors, result.error_count) == (("error_runtime",), 1)


class TestMetric:
    @pytest.mark.parametrize(
        ("loadgen", "tokens", "name"),
        [
            (".5a1 @ 6958607d52", False, "scheduled"),
            ("4.0 @ x", False, "scheduled"),
            ("4.0 @ x", True, "completed"),
            ("4.1 @ x", False, "completed"),
            ("5.0.2 @ x", False, "completed"),
            ("10.0", False, "completed"),
        ],
    )
    def test_server_by_version(
        self, tmp_path: Path, loadgen: str, tokens: bool, name: str
    ) -> None:
        more = [version(loadgen), line("requested_use_token_latencies", tokens)]
        write_detail(tmp_path, HEAD, more, DONE)
        values = {"scheduled": 395.818, "completed": 393.025}
        assert metric(tmp_path) == (f"{name} samples per second", values[name])

    def test_server_as_the_summary_says(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD, version("4.0 @ x"), DONE)
        write_summary(tmp_path, "Completed samples per second    : 393.03\n")
        assert metric(tmp_path) == ("completed samples per second", 393.025)
        write_detail(tmp_path, HEAD, version("4.1 @ x"), DONE)
        write_summary(tmp_path, "Scheduled samples per second : 395.82\n")
        assert metric(tmp_path) == ("scheduled samples per second", 395.818)

    def test_server_is_not_guessed(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD[1:], DONE)
        assert metric(tmp_path) is None
        write_detail(tmp_path, HEAD[1:], DONE[:3])
        assert metric(tmp_path) == ("scheduled samples per second", 395.818)

    @pytest.mark.parametrize("loadgen", [".5a1 @ x", "1.1 @ x"])
    def test_multi_stream_before_v2(self, tmp_path: Path, loadgen: str) -> None:
        setting = lines(
            ("loadgen_version", loadgen),
            ("effective_scenario", "MultiStream"),
            ("effective_samples_per_query", 24),
        )
        latency = line("result_99.00_percentile_per_query_latency_ns", 49_000_000)
        write_detail(tmp_path, setting, latency)
        assert metric(tmp_path) is None  # A setting, until there is a result.
        write_detail(tmp_path, setting, latency, DONE[:1])
        assert read(tmp_path).metric == Metric(
            "samples per query", 24, "samples/query", higher_is_better=True
        )

    def test_multi_stream_since_v2(self, tmp_path: Path) -> None:
        write_detail(
            tmp_path,
            version("2.0 @ x"),
            scenario("MultiStream"),
            DONE,
            lines(
                ("effective_samples_per_query", 8),
                ("result_99.00_percentile_per_query_latency_ns", 722305),
                ("result_min_query_latency_ns", 683202),
                ("result_min_latency_ns", 600000),
            ),
        )
        result = read(tmp_path)
        assert result.metric == Metric(
            "99th percentile latency", 0.722305, "ms", higher_is_better=False
        )
        assert result.percentiles_ms == {99.0: 0.722305}
        assert result.min_latency_ms == 0.683202

    def test_none_without_its_figure(self, tmp_path: Path) -> None:
        for name in ("Offline", "Server", "SingleStream", "MultiStream", "Other"):
            write_detail(tmp_path, HEAD, scenario(name), DONE[:1])
            assert metric(tmp_path) is None

    def test_target_qps_as_requested(self, tmp_path: Path) -> None:
        requested = lines(
            ("requested_server_target_qps", 3600.5),
            ("requested_offline_expected_qps", 5100),
        )
        for name, qps in (("Server", 3600.5), ("Offline", 5100), ("SingleStream", 400)):
            write_detail(tmp_path, HEAD, requested, scenario(name))
            assert read(tmp_path).target_qps == qps


class TestReasons:
    def test_each_condition(self, tmp_path: Path) -> None:
        missed = lines(
            ("result_validity", "INVALID"),
            ("result_perf_constraints_met", False),
            ("result_min_duration_met", False),
            ("result_min_queries_met", False),
            ("early_stopping_met", False),
            ("early_stopping_result", " * Run unsuccessful.  * Processed 9 queries."),
            ("result_99.00_percentile_latency_ns", 27573336),
            (
                "result_invalid_reason",
                (
                    "Reduce target QPS to improve latency. The test exited early,"
                    " before enough queries were issued."
                ),
            ),
        )
        write_detail(tmp_path, HEAD, missed)
        result = read(tmp_path)
        assert result.valid is False
        assert result.invalid_reasons == (
            (
                "Performance constraints not met: 99th percentile latency is 27.57 ms,"
                " limit 15 ms."
            ),
            "Minimum duration not met: 600 s were asked for.",
            "Minimum query count not met: 270336 were asked for.",
            "Early stopping not satisfied: run unsuccessful; processed 9 queries.",
        )
        assert result.recommendations == (
            "Reduce target QPS to improve latency.",
            "The test exited early, before enough queries were issued.",
        )
        assert result.early_stopping == "Run unsuccessful. Processed 9 queries."

    def test_without_figures(self, tmp_path: Path) -> None:
        keys = (
            "result_perf_constraints_met",
            "result_min_duration_met",
            "result_min_queries_met",
            "early_stopping_met",
        )
        write_detail(
            tmp_path,
            line("result_validity", "INVALID"),
            [line(key, False) for key in keys],
        )
        assert read(tmp_path).invalid_reasons == (
            "Performance constraints not met.",
            "Minimum duration not met.",
            "Minimum query count not met.",
            "Early stopping not satisfied.",
        )

    def test_of_a_language_model(self, tmp_path: Path) -> None:
        write_detail(
            tmp_path,
            HEAD,
            lines(
                ("result_validity", "INVALID"),
                ("result_perf_constraints_met", False),
                ("requested_server_ttft_latency", 2000000000),
                ("requested_server_tpot_latency", 200000000),
                ("result_first_token_99.00_percentile_latency_ns", 2500000000),
                ("result_time_per_output_token_99.00_percentile_ns", 90000000),
                ("result_inferred_completed_tokens_per_second", 77.5),
                ("early_stopping_ttft_result", " * Run unsuccessful."),
                ("early_stopping_tpot_result", " * Run successful."),
            ),
        )
        result = read(tmp_path)
        assert result.invalid_reasons == (
            (
                "Performance constraints not met: 99th percentile TTFT is 2500 ms,"
                " limit 2000 ms."
            ),
        )
        assert result.early_stopping == "TTFT: Run unsuccessful. TPOT: Run successful."
        assert result.tokens is not None
        assert result.tokens.inferred_tokens_per_second == 77.5
        assert result.tokens.tokens_per_second is None

    def test_none_for_a_valid_run(self, tmp_path: Path) -> None:
        write_detail(tmp_path, HEAD, DONE, line("result_min_queries_met", False))
        assert read(tmp_path).invalid_reasons == ()


def test_to_dict(tmp_path: Path) -> None:
    write_detail(tmp_path, HEAD, ISSUING, STAMPS, DONE)
    plain = read(tmp_path).to_dict()
    window = {
        "begin": posix("2026-11-23T13:46:00.271"),
        "end": posix("2026-11-23T13:46:01.782"),
        "source": "loadgen",
        "clock": "wall",
    }
    assert plain["folder"] == str(tmp_path)
    assert plain["window"] == window
    assert plain["windows"] == [window]
    assert plain["percentiles_ms"] == {"99": 14.242991}
    assert plain["valid"] is True
    assert plain["errors"] == []
    assert plain["tokens"] is None
    assert plain["metric"] == {
        "name": "completed samples per second",
        "value": 393.025,
        "unit": "samples/s",
        "higher_is_better": True,
    }
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
