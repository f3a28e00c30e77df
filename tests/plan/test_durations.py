"""Planned durations against published windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.durations import Recorded, background_time
from pytest_mighetero.plan.law import seconds_by_law
from pytest_mighetero.spec.runspec import RunSpec, build_spec
from pytest_mighetero.spec.values import Value
from pytest_mighetero.terms.pair import Pair

A100 = "1g.10gb"


def config(**said: str) -> RunSpec:
    base = Path("/base")

    def given(key: str) -> Value | None:
        found = key in said
        said_by = f"--{key.replace('_', '-')}"
        return Value(said[key], said_by, base, explicit=True) if found else None

    return build_spec(given, base, base, device_kinds())


# NVIDIA's HeteroMultiUse windows in MLPerf Inference v1.0, min_duration 600 s.
@pytest.mark.parametrize(
    ("benchmark", "scenario", "config_ver", "seconds"),
    [
        ("ssd-resnet34", "server", "hetero", 2697),
        ("bert", "server", "hetero_high_accuracy", 1700),
        ("3d-unet", "offline", "hetero", 3421),
        ("dlrm", "offline", "hetero", 724),
    ],
)
def test_the_plan_covers_published_windows(
    benchmark: str, scenario: str, config_ver: str, seconds: float
) -> None:
    run = config(mig_suite="v1.0", config_ver=config_ver)
    planned = background_time(run, Pair(benchmark, scenario), A100)
    assert planned.source == "loadgen"
    assert 1.05 * seconds < planned.seconds <= 1.5 * seconds


@pytest.mark.parametrize(
    ("pair", "runargs", "seconds"),
    [
        (Pair("bert", "offline"), "", 660),  # 1.1 x 600 s
        (Pair("3d-unet", "offline"), "", 24576 / 7),
        (Pair("bert", "server"), "", 270336 / 380),
        (Pair("bert", "server"), "--server_target_qps=100", 2703.36),
        (Pair("bert", "server"), "--min_query_count=1", 600),
        (Pair("dlrm", "server"), "", 600),
        (Pair("bert", "singlestream"), "", None),
        (Pair("ssd-mobilenet", "offline"), "", 660),
    ],
)
def test_loadgens_law(pair: Pair, runargs: str, seconds: float | None) -> None:
    run = config(mig_suite="v1.0", main_benchmark_runargs=runargs)
    found = seconds_by_law(run, pair, A100)
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("audit", "runs"), [("01", 2), ("04", 6), ("05", 2)])
def test_an_audit_is_several_runs(audit: str, runs: int) -> None:
    run = config(mig_suite="v1.0", main_action=f"run_audit_test{audit}")
    planned = background_time(run, Pair("dlrm", "server"), A100)
    assert planned.seconds == pytest.approx(160 + 1.2 * runs * 620 + 30)


def test_an_unknown_profile_falls_back_to_the_reference() -> None:
    planned = background_time(config(), Pair("bert", "server"), "1g.99gb")
    # 360 s start buffer, 10 s settle, 1.2 x 600 s, 30 s end buffer
    assert (planned.seconds, planned.source) == (1120, "reference")


def test_history_comes_first() -> None:
    for lead, allowed in ((50, 160), (200, 240)):
        recorded = Recorded(lead_s=lead, main_s=1000)
        planned = background_time(config(), Pair("bert", "server"), A100, recorded)
        assert planned.source == "history"
        assert planned.seconds == pytest.approx(allowed + 1.2 * 1000 + 30)


@pytest.mark.parametrize(
    ("duration", "seconds", "source"),
    [("automatic", 7200, "automatic"), ("900s", 900, "option")],
)
def test_what_is_not_planned(duration: str, seconds: float, source: str) -> None:
    run = config(background_benchmark_duration=duration)
    found = background_time(run, Pair("bert", "server"), A100)
    assert (found.seconds, found.source) == (seconds, source)


def test_more_than_the_timeout_is_refused() -> None:
    run = config(background_benchmark_timeout="20min")
    with pytest.raises(
        ConfigError, match=r"bert_server would run 1120s \(by reference"
    ):
        background_time(
            config(background_benchmark_timeout="1000s"), Pair("bert", "server")
        )
    assert background_time(run, Pair("bert", "server")).seconds == 1120


@pytest.mark.parametrize("said", ["--min_query_count=1", "--min_query_count 1"])
def test_both_forms_of_a_flag_count(said: str) -> None:
    run = config(mig_suite="v1.0", main_benchmark_runargs=said)
    assert seconds_by_law(run, Pair("bert", "server"), A100) == 600
