"""What takes longer than it may, and what backgrounds cannot cover, is refused."""

from __future__ import annotations

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.durations import (
    check_lengths,
    too_long,
    uncovered,
)
from pytest_mighetero.plan.law import seconds_by_law
from pytest_mighetero.spec.device_names import ANY_PROFILE
from pytest_mighetero.terms.pair import Pair
from tests.plan.test_durations import config

A100 = "1g.10gb"
UNET, BERT = Pair("3d-unet", "offline"), Pair("bert", "server")
DLRM, SSD = Pair("dlrm", "offline"), Pair("ssd-resnet34", "server")
LISTED = "MIG-00000000-0000-0000-0000-000000000001"


def test_sixteen_hours_of_3d_unet_are_refused_with_the_calculation() -> None:
    assert too_long(config(mig_suite="v2.0"), UNET, A100) == (
        "suite v1.1: defaults.background-benchmark-timeout: the "
        "backgrounds of 3d-unet_offline would run 19.1 h (by loadgen: 160s until main "
        "runs + 1.2 x 15.9 h of main (24576 queries at 0.43 QPS, by suite v2.0) + 30s "
        "end buffer), more than the 2h of --background-benchmark-timeout; say "
        "--background-benchmark-timeout=20h, or shorten main "
        "(--main-benchmark-duration, or RUN_ARGS' --min_query_count)"
    )


@pytest.mark.parametrize(
    ("said", "alone"),
    [
        ({}, True),
        ({"background_benchmark_duration": "automatic"}, False),
        ({"background_benchmark_duration": "1h"}, False),
        ({"background_scope": "session"}, False),
    ],
)
def test_so_they_are_however_its_neighbours_are_run(
    said: dict[str, str], alone: bool
) -> None:
    problem = too_long(config(mig_suite="v2.0", **said), UNET, A100, alone=alone)
    assert problem is not None
    assert "more than the 2h of --background-benchmark-timeout" in problem


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ("v1.1", {}),
        ("v2.0", {"background_benchmark_timeout": "20h"}),
        ("v2.0", {"main_benchmark_runargs": "--min_query_count=1"}),
        ("v2.0", {"main_benchmark_runargs": "--fast"}),
        ("v2.0", {"main_benchmark_runargs": "--offline_expected_qps=10"}),
        ("v2.0", {"main_benchmark_runargs": "--test_mode=AccuracyOnly"}),
    ],
)
def test_what_makes_3d_unet_fit(suite: str, said: dict[str, str]) -> None:
    assert too_long(config(mig_suite=suite, **said), UNET, A100) is None


def test_every_other_pair_fits_by_default() -> None:
    for name in ("v1.0", "v1.1", "v2.0"):
        run = config(mig_suite=name, main_scenario="all")
        for profile in run.suite.profiles:
            refused = {str(p) for p in run.pairs if too_long(run, p, profile)}
            assert refused == ({"3d-unet_offline"} if name == "v2.0" else set())


def test_a_device_of_any_profile_may_be_the_slowest() -> None:
    run = config(mig_suite="v1.0")
    # 80 QPS on an A30, 100 on an A100.
    assert seconds_by_law(run, SSD, ANY_PROFILE) == pytest.approx(270336 / 80)
    told = config(background_benchmark_duration="2800s")
    assert uncovered(told, SSD, ANY_PROFILE) is None
    assert uncovered(told, SSD, "1g.3gb") is not None


@pytest.mark.parametrize(
    ("pair", "seconds"),
    [
        (Pair("3d-unet", "singlestream"), 1024 * 5.256),
        (Pair("ssd-resnet34", "multistream"), 45000 * 0.062),
        (Pair("resnet50", "multistream"), 600),
    ],
)
def test_the_streams_have_floors_too(pair: Pair, seconds: float) -> None:
    run = config(mig_suite="v2.0", main_scenario="all")
    assert seconds_by_law(run, pair, A100) == pytest.approx(seconds)


@pytest.mark.parametrize("beside", ["all", "none"])
def test_a_main_that_is_too_long_by_itself_is_at_fault_too(beside: str) -> None:
    run = config(
        mig_suite="cpu", main_benchmark_duration="400h", background_benchmarks=beside
    )
    with pytest.raises(ConfigError) as error:
        check_lengths(run)
    said = str(error.value)
    timeout = "suite cpu: defaults.background-benchmark-timeout"
    assert said.startswith(f"--main-benchmark-duration, {timeout}: ")
    hours = {"all": 481, "none": 400}[beside]
    assert f"; say --background-benchmark-timeout={hours}h, or shorten main (" in said


def test_so_are_backgrounds() -> None:
    run = config(mig_suite="cpu", background_benchmark_duration="11min")
    with pytest.raises(ConfigError) as error:
        check_lengths(run)
    said = str(error.value)
    assert said.startswith("--background-benchmark-duration, suite cpu: ")
    assert said.endswith(
        "; say --background-benchmark-timeout=11min, or a shorter "
        "--background-benchmark-duration"
    )


def test_backgrounds_that_can_never_cover_main() -> None:
    run = config(background_benchmark_duration="182s")
    assert uncovered(run, DLRM, A100) == (
        "--background-benchmark-duration: backgrounds of 182s cannot cover "
        "dlrm_offline, for which they need at the least 640s: 10s settle time + 10min "
        "of main (suite v1.0: defaults.main-benchmark-duration) + 30s end "
        "buffer; say a longer one, or --background-benchmark-duration=planned"
    )


@pytest.mark.parametrize(
    ("said", "pair", "needs"),
    [
        ({"background_benchmark_duration": "639s"}, DLRM, "640s: 10s"),
        ({"background_benchmark_duration": "640s"}, DLRM, None),
        ({"background_benchmark_duration": "15min"}, SSD, "270336 queries at 100 QPS"),
        ({"background_benchmark_duration": "1h"}, SSD, None),
        (
            {
                "background_benchmark_duration": "automatic",
                "background_benchmark_timeout": "610s",
            },
            DLRM,
            "--background-benchmark-timeout: backgrounds of 610s cannot cover",
        ),
        ({"background_benchmark_duration": "182s", "lenient": "true"}, DLRM, None),
        (  # it finds what fits
            {"background_benchmark_duration": "182s", "overlap_retries": "1"},
            DLRM,
            None,
        ),
        (
            {
                "background_benchmark_duration": "automatic",
                "background_benchmark_timeout": "610s",
                "overlap_retries": "1",
            },
            DLRM,
            "--background-benchmark-timeout: backgrounds of 610s cannot cover",
        ),
        (
            {
                "background_benchmark_duration": "182s",
                "main_action": "run_audit_test04",
                "main_benchmark": "resnet50",
            },
            Pair("resnet50", "offline"),
            None,
        ),
        (
            {
                "background_benchmark_duration": "182s",
                "main_action": "run_audit_test05",
            },
            DLRM,
            "640s: 10s",
        ),
        (
            {
                "background_benchmark_duration": "182s",
                "main_benchmark_runargs": "--test_mode=AccuracyOnly",
            },
            DLRM,
            None,
        ),
        (
            {
                "background_benchmark_duration": "182s",
                "background_benchmarks": "none",
            },
            DLRM,
            None,
        ),
    ],
)
def test_what_backgrounds_of_a_given_length_need(
    said: dict[str, str], pair: Pair, needs: str | None
) -> None:
    problem = uncovered(config(**said), pair, A100)
    assert (problem is None) is (needs is None)
    assert needs is None or (problem is not None and needs in problem)


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"background_benchmark_duration": "182s"}, "cannot cover 3d-unet_offline"),
        (
            {"background_benchmark_timeout": "5min", "background_benchmarks": "none"},
            "10min (suite v1.0: defaults.main-benchmark-duration)",
        ),
        ({"background_benchmark_timeout": "15min"}, "1120s (by reference: 370s until"),
        # Only one of many: its own test says so.
        ({"mig_suite": "v2.0", "main_profile": A100}, None),
        ({"mig_suite": "v2.0", "mig_devices": LISTED}, None),
        (
            {"mig_suite": "v2.0", "main_profile": A100, "main_benchmark": "3d-unet"},
            "19.1 h",
        ),
        (
            {"mig_suite": "v2.0", "mig_devices": LISTED, "main_benchmark": "3d-unet"},
            "19.1 h",
        ),
        # Its device is not known yet.
        ({"mig_suite": "v2.0", "main_benchmark": "3d-unet"}, None),
        ({"mig_suite": "v2.0", "background_benchmark_duration": "900s"}, None),
    ],
)
def test_before_anything_starts(said: dict[str, str], refused: str | None) -> None:
    run = config(**said)
    if refused is None:
        check_lengths(run)
        return
    with pytest.raises(ConfigError) as error:
        check_lengths(run)
    assert refused in str(error.value)
