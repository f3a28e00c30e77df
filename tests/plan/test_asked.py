"""What RUN_ARGS ask for, and how harness and LoadGen hand it on by design."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mighetero.plan.asked import asked_of, unknown_flags
from pytest_mighetero.readers.loadgen import READER
from pytest_mighetero.readers.reader import Asked
from pytest_mighetero.readers.result import Result, TokenMetrics
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs


def result(scenario: str, **logged: object) -> Result:
    """Return a result by what LoadGen logs, requested and effective."""

    def below(prefix: str) -> dict[str, object]:
        return {
            key.removeprefix(prefix): value
            for key, value in logged.items()
            if key.startswith(prefix)
        }

    return Result(
        Path(),
        READER.tool,
        scenario=scenario,
        mode="PerformanceOnly",
        requested=below("requested_"),
        settings=below("effective_"),
    )


def differences(asked: tuple[Asked, ...], result: Result) -> list[str]:
    return [each.said for each in READER.differences(asked, result)]


def asked(scenario: str, *words: str, action: str = "run_harness") -> tuple[Asked, ...]:
    return asked_of(Pair("bert", scenario), action, RunArgs.of(words), READER.settings)


@pytest.mark.parametrize(
    "flag",
    [
        "--audio_batch_size=1024",
        "--batch_size=8",
        "--dla_copy_streams=4",
        "--deque_timeout_usec=2000",
        "--input_format=linear",
        "--use_fp8",
        "--server_num_issue_query_threads=2",
    ],
)
def test_flags_of_v1_0_to_v3_0_are_known(flag: str) -> None:
    assert not unknown_flags(RunArgs.of([flag]))


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("0.97", 0.97),  # v1.0 and v1.1 take a fraction and write 97 into user.conf
        ("97", 0.97),  # v2.0 and later take percent
        ("99.9", 0.999),
    ],
)
def test_percentiles_are_fractions_or_percents_by_round(
    said: str, logged: float
) -> None:
    words = asked("server", f"--server_target_latency_percentile={said}")
    keys = (
        "requested_server_target_latency_percentile",
        "effective_target_latency_percentile",
    )
    assert not differences(words, result("Server", **dict.fromkeys(keys, logged)))
    other = result("Server", **dict.fromkeys(keys, logged / 100))
    (difference,) = differences(words, other)
    assert f"percentile {said} " in difference
    assert f"LoadGen ran with {logged / 100:g}" in difference


@pytest.mark.parametrize(
    ("scenario", "word", "key", "value"),
    [
        ("Offline", "--performance_sample_count=64", "performance_sample_count", 2048),
        ("Multistream", "--multi_stream_target_qps=20", "", 15),
        ("Multistream", "--multi_stream_target_latency_ns=50000000", "", 66000000),
        ("Multistream", "--multi_stream_max_async_queries=1", "", 2),
        ("Offline", "--fast --min_query_count=24576", "", 1),
    ],
)
def test_what_the_harness_lost(
    scenario: str, word: str, key: str, value: object
) -> None:
    name = word.rpartition("--")[2].partition("=")[0]
    logged = {f"effective_{key}" if key else f"requested_{name}": value}
    (difference,) = differences(
        asked(scenario.lower(), *word.split()), result(scenario, **logged)
    )
    assert f"asked for {name} " in difference


def test_an_override_of_the_sample_count_wins() -> None:
    words = ["--performance_sample_count=64", "--performance_sample_count_override=128"]
    logged = {"requested_performance_sample_count_override": 128}
    assert not differences(asked("offline", *words), result("Offline", **logged))
    nothing = asked("offline", "--performance_sample_count=0")  # the default, then
    assert not differences(nothing, result("Offline", **logged))


def test_a_factor_of_the_target_is_asked_for_with_it() -> None:
    words = asked(
        "server", "--server_target_qps=500", "--server_target_qps_adj_factor=.9"
    )
    assert not differences(words, result("Server", requested_server_target_qps=450))
    (difference,) = differences(
        words, result("Server", requested_server_target_qps=500)
    )
    assert "asked for server_target_qps 450 " in difference


LIMITS = {
    "server": {"ttft_ms": 2000, "tpot_ms": 200},
    "interactive": {"ttft_ms": 450, "tpot_ms": 40},
}


def token_run(scenario: str) -> Result:
    """Return a run that had the limits of *scenario*; LoadGen calls it Server."""
    limits = LIMITS[scenario]
    tokens = TokenMetrics(
        first_token_limit_ms=limits["ttft_ms"],
        per_output_token_limit_ms=limits["tpot_ms"],
    )
    return replace(result("Server"), tokens=tokens)


@pytest.mark.parametrize("wanted", LIMITS)
@pytest.mark.parametrize("ran", LIMITS)
def test_interactive_is_told_from_server_by_its_limits(wanted: str, ran: str) -> None:
    pair = Pair("llama2-70b", wanted)
    words = asked_of(pair, "run_harness", RunArgs(), READER.settings, LIMITS[wanted])
    said = differences(words, token_run(ran))
    assert bool(said) is (wanted != ran)
    if said:
        ttft, tpot = LIMITS[wanted].values()
        assert f"asked for ttft_ms {ttft} (limits of {pair}), LoadGen ran" in said[0]
        assert f"asked for tpot_ms {tpot} " in said[1]


def test_a_limit_that_runargs_say_is_no_suites() -> None:
    told = RunArgs.of(["--server_target_latency_ns=20000000"])
    pair, limits = Pair("resnet50", "server"), {"latency_ms": 15}
    ran = replace(result("Server"), target_latency_ms=20.0)
    for words, count in ((told, 0), (RunArgs(), 1)):
        asks = asked_of(pair, "run_harness", words, READER.settings, limits)
        assert len(differences(asks, ran)) == count


def test_any_other_scenario_than_loadgens_for_interactive_is_a_difference() -> None:
    assert not differences(asked("interactive"), result("Server"))
    (said,) = differences(asked("interactive"), result("Offline"))
    assert "asked for scenario interactive " in said
