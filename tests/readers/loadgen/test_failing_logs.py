"""Logs, real and made, that were read wrongly once: in the shared folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.readers.loadgen import read_result
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.judge import judge_performance
from tests.readers.loadgen.mllog import find_results

LOGS = Path(__file__).resolve().parents[4] / "shared" / "failing-logs"
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason=f"no logs in {LOGS}")


def read(case: str) -> Result:
    (folder,) = find_results(LOGS / case)
    return read_result(folder)


def compared(capsys: Capture, a: str, b: str) -> list[dict[str, Any]]:
    main(["compare", str(LOGS / a), str(LOGS / b), "--json"])
    document = json.loads(capsys.readouterr().out)
    rows: list[dict[str, Any]] = document["rows"]
    assert bool(rows) != bool(document["left_out"])
    return rows


@pytest.mark.parametrize(
    ("case", "value", "unit"),
    [
        ("01-early-stopping-singlestream", 4141.442725, "ms"),
        ("03-power-ranging", 213599, "samples/s"),
        ("04-interactive", 59545.4, "tokens/s"),
        ("07-llm-offline-tokens", 30873.9, "tokens/s"),
        ("08-query-count-string", 36.86604, "ms"),
    ],
)
def test_the_figure_is_mlcommons(
    case: str, value: float, unit: str, capsys: Capture
) -> None:
    row, *_ = compared(capsys, case, case)
    assert (row["a"]["values"], row["unit"]) == ([value], unit)


def test_interactive_is_a_scenario_of_its_own(capsys: Capture) -> None:
    rows = compared(capsys, "04-interactive", "04-interactive")
    assert {(row["benchmark"], row["scenario"]) for row in rows} == {
        ("llama2-70b-99", "interactive")
    }
    limits = {row["figure"]: row["a"]["server"]["limit_ms"] for row in rows}
    target = read("04-interactive").target_qps
    assert limits == {
        "tokens/s": None,
        f"p99 TTFT at target {target:g}": 450,
        f"p99 TPOT at target {target:g}": 40,
    }


def test_a_count_that_is_logged_as_text() -> None:
    assert read("08-query-count-string").query_count == 520491


def test_a_language_model_is_compared_by_tokens_and_both_latencies(
    capsys: Capture,
) -> None:
    case = "05-llm-server-same-target"
    rows = compared(capsys, f"{case}/A", f"{case}/B")
    assert [(row["figure"], row["unit"]) for row in rows] == [
        ("tokens/s", "tokens/s"),
        ("p99 TTFT at target 1.9", "ms"),
        ("p99 TPOT at target 1.9", "ms"),
    ]
    figures = [(row["a"]["median"], row["b"]["median"]) for row in rows]
    assert figures == [
        (1240.42, 1249.04),
        (5134.162938, 4965.95231),
        (138.244507, 136.231141),
    ]
    assert {row["verdict"] for row in rows} == {"better, single runs"}
    limits = [row["a"]["server"]["limit_ms"] for row in rows]
    assert limits == [None, 6000, 175]


@pytest.mark.parametrize("case", ["09-time-ms-nan", "14-bom"])
def test_what_does_not_touch_the_result(case: str, capsys: Capture) -> None:
    result = read(case)
    assert (result.valid, result.damage) == (True, ())
    assert result.metric is not None
    assert result.metric.value == 3526.96
    assert result.window is not None
    assert result.window.seconds == pytest.approx(600.003, abs=1e-3)
    assert result.host_utc_offset_s == (None if "nan" in case else 0)
    assert judge_performance(result) == []
    assert len(compared(capsys, case, case)) == 1


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("10-number-of-400-digits", "figures that are none: result_99.00_percentile"),
        ("11-error-count-of-5000-digits", "its count of errors is not readable"),
        ("13-detail-valid-summary-invalid", "are of different runs: result_validity"),
        ("15-two-runs-in-one-file", "holds several runs"),
        ("17-valid-metric-nan", "LoadGen says VALID and gives no metric"),
        ("18-valid-negative-metric", "figures that are none: result_samples_per_sec"),
        ("20-detail-cut-summary-valid", "is cut off within the run"),
    ],
)
def test_what_is_never_a_measurement(case: str, says: str, capsys: Capture) -> None:
    result = read(case)
    assert says in " ".join(result.damage)
    assert any("are damaged: " in problem for problem in judge_performance(result))
    assert compared(capsys, case, case) == []


def test_what_remains_of_the_damaged() -> None:
    assert 99.0 not in read("10-number-of-400-digits").percentiles_ms
    assert read("11-error-count-of-5000-digits").error_count == 1
    window = read("15-two-runs-in-one-file").window
    assert window is not None
    assert window.seconds < 601
    assert read("20-detail-cut-summary-valid").window is None
