"""Every log in the shared folder: submissions of v1.0 to v3.0, and runs of v6.0."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.readers.loadgen import read_result
from tests.readers.loadgen.mllog import DETAIL, SUMMARY, find_results, is_issuing

if TYPE_CHECKING:
    from pytest_mighetero.readers.result import Result

LOGS = Path(__file__).resolve().parents[4] / "shared" / "loadgen-logs"
RESULTS = [folder.relative_to(LOGS).as_posix() for folder in find_results(LOGS)]
RATES = {"Offline": "samples per second", "Server": "scheduled samples per second"}

ESTIMATE = "early-stopping estimate of the"
INCREASE = (
    "Increase expected QPS so the loadgen pre-generates a larger (coalesced) query."
)

pytestmark = pytest.mark.skipif(not RESULTS, reason=f"no LoadGen logs in {LOGS}")

# folder: scenario, metric's value, target QPS, 99th percentile in ms, window in s
VALID = {
    "v1.0/hetero/3d-unet-99/Offline": ("Offline", 7.18454, 7, 3386366.588209, 3420.678),
    "v1.0/hetero/bert-99/Offline": ("Offline", 492.269, 500, 668448.389279, 670.366),
    "v1.0/hetero/bert-99/Server": ("Server", 380.871, 380, 104.502627, 716.376),
    "v1.0/hetero/dlrm-99/Server": ("Server", 35991.4, 36000, 11.246728, 600.006),
    "v1.0/hetero/resnet50/Offline": ("Offline", 5108.17, 5100, 652409.55738, 658.944),
    "v1.0/hetero/resnet50/Server": ("Server", 3601.79, 3600, 12.318341, 600.007),
    "v1.0/isolated/bert-99/Offline": ("Offline", 502.486, 500, 654854.441621, 656.735),
    "v1.0/isolated/resnet50/Offline": (
        "Offline", 5170.99, 5100, 644478.740895, 650.939,
    ),
    "v1.0/other/resnet50/SingleStream": (
        "SingleStream", 0.427415, 2222.22, 0.434855, 600.000,
    ),
    "v2.0/hetero/bert-99/Offline": ("Offline", 483.641, 500, 680443.102622, 682.324),
    "v2.0/hetero/bert-99/Server": ("Server", 379.982, 380, 105.934464, 717.806),
    "v2.0/hetero/resnet50/Offline": ("Offline", 5200.54, 5100, 640820.506837, 647.240),
    "v2.0/hetero/resnet50/Server": ("Server", 3597.21, 3600, 8.185418, 600.003),
    "v2.0/isolated/bert-99/Offline": ("Offline", 484.021, 500, 679905.035801, 681.788),
    "v2.0/isolated/resnet50/Offline": (
        "Offline", 5231.07, 5100, 637078.186849, 643.463,
    ),
    "v2.0/other/resnet50/MultiStream": (
        "MultiStream", 0.72236, 1204.82, 0.722305, 600.001,
    ),
    "v3.0/other/resnet50/MultiStream": (
        "MultiStream", 2.194723, 456.233, 2.194229, 600.004,
    ),
    "v3.0/other/resnet50/SingleStream": (
        "SingleStream", 0.818169, 1003.36, 0.825392, 600.001,
    ),
    "v6.0/Server": ("Server", 393.025, 400, 14.242991, 1.511),
    "v6.0/SingleStream": ("SingleStream", 2.037358, 400, 2.074815, 1.503),
}  # fmt: skip


def posix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def read(name: str, utc_offset_s: float | None = 0.0) -> Result:
    return read_result(LOGS / name, utc_offset_s=utc_offset_s)


@pytest.mark.parametrize("name", VALID)
def test_valid_runs(name: str) -> None:
    scenario, value, target_qps, p99_ms, seconds = VALID[name]
    result = read(name)
    assert (result.scenario, result.mode) == (scenario, "PerformanceOnly")
    assert result.valid is True
    assert result.invalid_reasons == result.recommendations == ()
    assert result.errors == result.warnings == ()
    assert result.error_count == 0
    assert result.metric is not None
    assert result.metric.value == value
    assert result.metric.higher_is_better is (scenario in RATES)
    assert result.target_qps == target_qps
    assert result.percentiles_ms[99.0] == p99_ms
    assert list(result.percentiles_ms) == [50, 90, 95, 97, 99, 99.9]
    assert len(result.windows) == 1
    assert result.window == result.windows[0]
    assert result.window.seconds == pytest.approx(seconds, abs=1e-5)
    assert result.issuing_since == result.window.begin


@pytest.mark.parametrize("name", RESULTS)
class TestEveryLog:
    def test_is_known(self, name: str) -> None:
        result = read(name)
        assert result.folder == LOGS / name
        assert result.version
        expected = ".5a1 @ 6958607d52" if "v1.0" in name else name[1:4]
        assert result.version.startswith(expected)
        assert result.settings["target_qps"] == result.target_qps
        assert result.settings["test_mode"] == result.mode
        assert len(result.settings) in (24, 26)

    def test_is_whole(self, name: str) -> None:
        assert read(name).damage == ()

    def test_is_issuing(self, name: str) -> None:
        assert is_issuing(LOGS / name) is True
        assert read(name).issuing_since is not None

    def test_makes_plain_data(self, name: str) -> None:
        result = read(name)
        plain = result.to_dict()
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain
        assert plain["folder"] == str(LOGS / name)
        assert plain["scenario"] == result.scenario

    def test_says_the_same_with_its_summary_alone(
        self, name: str, tmp_path: Path
    ) -> None:
        shutil.copy(LOGS / name / SUMMARY, tmp_path)
        whole, part = read(name), read_result(tmp_path)
        assert part.valid is whole.valid
        assert part.error_count == whole.error_count
        assert (part.version, part.windows, part.issuing_since) == (
            None, (), None,
        )  # fmt: skip
        if whole.valid is None:
            assert (part.scenario, part.metric) == (None, None)
            return
        assert (part.scenario, part.mode) == (whole.scenario, whole.mode)
        assert part.percentiles_ms == whole.percentiles_ms
        assert part.min_latency_ms == whole.min_latency_ms
        assert part.mean_latency_ms == whole.mean_latency_ms
        assert part.max_latency_ms == whole.max_latency_ms
        assert part.early_stopping == whole.early_stopping
        assert part.recommendations == whole.recommendations
        assert part.target_qps == whole.target_qps
        assert part.target_latency_ms == (
            None if whole.tokens else whole.target_latency_ms
        )
        assert part.tokens == whole.tokens
        assert part.settings.items() <= whole.settings.items()
        assert whole.metric is not None
        assert part.metric is not None
        # Six digits here, two decimals there.
        assert part.metric.value == pytest.approx(whole.metric.value, rel=1e-3)
        assert part.metric.name == whole.metric.name

    def test_says_nearly_the_same_with_its_detail_log_alone(
        self, name: str, tmp_path: Path
    ) -> None:
        shutil.copy(LOGS / name / DETAIL, tmp_path)
        whole, part = read(name), read_result(tmp_path, utc_offset_s=0)
        expected = {**whole.to_dict(), "folder": str(tmp_path)}
        settings = expected["settings"]
        assert isinstance(settings, dict)
        assert {**part.to_dict(), "settings": settings} == expected
        assert part.settings.items() <= settings.items()


@pytest.mark.parametrize(
    ("name", "metric", "unit"),
    [
        ("v1.0/hetero/bert-99/Offline", "samples per second", "samples/s"),
        ("v1.0/hetero/bert-99/Server", "scheduled samples per second", "samples/s"),
        ("v2.0/hetero/bert-99/Server", "scheduled samples per second", "samples/s"),
        ("v6.0/Server", "completed samples per second", "samples/s"),
        ("v6.0/tok", "completed tokens per second", "tokens/s"),
        ("v1.0/other/resnet50/SingleStream", "90th percentile latency", "ms"),
        ("v6.0/SingleStream", f"{ESTIMATE} 90th percentile latency", "ms"),
        (
            "v2.0/other/resnet50/MultiStream",
            f"{ESTIMATE} 99th percentile latency",
            "ms",
        ),
        ("v6.0/MultiStream", "99th percentile latency", "ms"),
    ],
)
def test_metric(name: str, metric: str, unit: str) -> None:
    found = read(name).metric
    assert found is not None
    assert (found.name, found.unit) == (metric, unit)


@pytest.mark.parametrize(
    ("name", "utc_offset_s", "begin", "end"),
    [
        # Local time in the log: a US-Pacific host, in summer time since a day before.
        ("v1.0/hetero/resnet50/Server", -7 * 3600,
         "2021-03-15T15:33:47.721", "2021-03-15T15:43:47.728"),
        ("v1.0/hetero/resnet50/Server", 0,
         "2021-03-15T08:33:47.721", "2021-03-15T08:43:47.728"),
        # UTC in the log, whatever the host.
        ("v2.0/hetero/resnet50/Server", -7 * 3600,
         "2022-02-15T15:46:37.037", "2022-02-15T15:56:37.040"),
        ("v3.0/other/resnet50/SingleStream", 3600,
         "2023-02-28T22:23:18.795", "2023-02-28T22:33:18.796"),
        ("v6.0/Server", None,
         "2026-11-23T13:46:00.271", "2026-11-23T13:46:01.782"),
        ("v6.0/acc", None,
         "2026-11-23T13:46:56.836", "2026-11-23T13:46:56.968"),
    ],
)  # fmt: skip
def test_windows_are_utc(
    name: str, utc_offset_s: float | None, begin: str, end: str
) -> None:
    window = read(name, utc_offset_s).window
    assert window is not None
    assert window.begin == pytest.approx(posix(begin), rel=0, abs=1e-5)
    assert window.end == pytest.approx(posix(end), rel=0, abs=1e-5)
    assert window.source == "loadgen"


def test_accuracy_has_a_window_for_each_set_of_samples() -> None:
    result = read("v6.0/acc")
    assert result.mode == "AccuracyOnly"
    assert [round(window.seconds, 3) for window in result.windows] == [0.061, 0.061]
    assert (result.valid, result.metric, result.query_count) == (None, None, None)
    assert result.invalid_reasons == ()


def test_a_killed_run() -> None:
    result = read("v6.0/killed")
    assert (result.scenario, result.mode) == ("Server", "PerformanceOnly")
    assert (result.valid, result.metric, result.window) == (None, None, None)
    assert (result.windows, result.invalid_reasons) == ((), ())
    assert (result.target_qps, result.target_latency_ms) == (400, 500)
    started = posix("2026-11-23T13:47:26")
    assert result.issuing_since == pytest.approx(started + 1.001757291, abs=1e-5)


def test_a_token_run() -> None:
    result = read("v6.0/tok")
    tokens = result.tokens
    assert tokens is not None
    # result_token_throughput says 6.9e-07 here.
    assert tokens.tokens_per_second == 1504.54
    assert tokens.inferred_tokens_per_second is None
    assert tokens.first_token_limit_ms == tokens.per_output_token_limit_ms == 100
    first = tokens.first_token
    assert (first.min_ms, first.mean_ms, first.max_ms) == (
        7.888718, 22.049021, 61.848285,
    )  # fmt: skip
    assert first.percentiles_ms[99.0] == 57.667363
    per_token = tokens.per_output_token
    assert (per_token.min_ms, per_token.max_ms) == (0.071802, 0.131121)
    assert per_token.mean_ms == 0.076467
    assert per_token.percentiles_ms[99.9] == 0.131121
    assert result.percentiles_ms[99.0] == 58.806211
    assert result.query_count == 144


@pytest.mark.parametrize(
    ("name", "reason", "recommendations"),
    [
        (
            "v1.0/audit/bert-99.9/Server-TEST01",
            (
                "Performance constraints not met: 99th percentile latency is 153.1 ms, "
                "limit 130 ms."
            ),
            ("Reduce target QPS to improve latency.",),
        ),
        (
            "v6.0/Offline",
            "Minimum duration not met: 1.5 s were asked for.",
            (INCREASE,),
        ),
        (
            "v6.0/MultiStream",
            (
                "Early stopping not satisfied: only processed 97 queries; need to "
                "process at least 662 queries for early stopping."
            ),
            (),
        ),
        (
            "v6.0/tok",
            (
                "Early stopping not satisfied: TPOT: Run unsuccessful; processed 144 "
                "queries; would need to run at least 315 more queries, with the run "
                "being successful if every additional query were under latency."
            ),
            (),
        ),
    ],
)
def test_invalid_runs(name: str, reason: str, recommendations: tuple[str, ...]) -> None:
    result = read(name)
    assert result.valid is False
    assert result.invalid_reasons == (reason,)
    assert result.recommendations == recommendations


def test_warnings() -> None:
    result = read("v1.0/audit/bert-99.9/Server-TEST01")
    (warning,) = result.warnings
    assert warning.startswith("Found Audit Config file (audit.config). Overriding ")
    assert (result.errors, result.error_count) == ((), 0)


def test_early_stopping() -> None:
    assert read("v1.0/hetero/bert-99/Server").early_stopping is None
    assert read("v2.0/hetero/bert-99/Offline").early_stopping is None
    assert read("v2.0/hetero/bert-99/Server").early_stopping == "Run successful."
    assert read("v3.0/other/resnet50/SingleStream").early_stopping == (
        "Processed at least 64 queries (734169). Would discard 72817 highest latency"
        " queries. Early stopping 90th percentile estimate: 818169. Early stopping"
        " 99th percentile estimate: 825459."
    )


def test_query_counts() -> None:
    assert read("v1.0/hetero/bert-99/Server").query_count is None
    assert read("v2.0/hetero/bert-99/Server").query_count == 270336
    assert read("v2.0/hetero/bert-99/Offline").query_count == 1


def test_latency_limits() -> None:
    server = read("v1.0/hetero/dlrm-99/Server")
    assert (server.target_latency_ms, server.target_latency_percentile) == (30, 99)
    stream = read("v1.0/other/resnet50/SingleStream")
    assert (stream.target_latency_ms, stream.target_latency_percentile) == (None, 90)


def test_the_writing_hosts_offset() -> None:
    assert read("v6.0/Server").host_utc_offset_s == -5 * 3600
    assert read("v6.0/acc").host_utc_offset_s == 0
    # Local stamps, and no complete window: nothing to compare with.
    assert read("v1.0/hetero/bert-99/Server").host_utc_offset_s is None
    assert read("v6.0/killed").host_utc_offset_s is None


def test_find_results() -> None:
    found = find_results(LOGS)
    assert len(found) == len(RESULTS)
    assert list(found) == sorted(path.parent for path in LOGS.rglob(DETAIL))
