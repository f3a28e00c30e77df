from __future__ import annotations

import pytest

from pytest_mighetero.cpu.arguments import (
    BENCHMARKS,
    SCENARIOS,
    build_parser,
    overrides,
    resolve,
)


def test_names_resolve_in_the_order_given_and_may_repeat() -> None:
    assert resolve("unet,BERT,bert", "benchmark", BENCHMARKS) == [
        "3d-unet",
        "bert",
        "bert",
    ]
    assert resolve("single-stream,Offline", "scenario", SCENARIOS) == [
        "SingleStream",
        "Offline",
    ]


def test_no_names_mean_all() -> None:
    assert resolve(None, "benchmark", BENCHMARKS) == list(BENCHMARKS)
    assert resolve(None, "scenario", SCENARIOS) == list(SCENARIOS)


@pytest.mark.parametrize("text", ["RESNET50", " resnet50", "a", "", "bert,"])
def test_unknown_benchmark(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Unknown benchmark: "):
        resolve(text, "benchmark", BENCHMARKS)


@pytest.mark.parametrize("text", ["OFFLINE", "Server,", "off"])
def test_unknown_scenario(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Unknown scenario: "):
        resolve(text, "scenario", SCENARIOS)


@pytest.mark.parametrize(
    "flag",
    [
        "--bogus=1",
        "--min_duration=fast",
        "--server_target_qps=97.5",
        "--test_mode=Accuracy",
    ],
)
def test_bad_flag_is_an_argparse_error(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args(["--action=run_harness", flag])
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_abbreviations_work() -> None:
    args = build_parser().parse_args(["--action=run_harness", "--min_dur=7"])
    assert args.min_duration == 7


def test_falsy_overrides_are_dropped() -> None:
    args = build_parser().parse_args(
        ["--action=run_harness", "--min_duration=0", "--server_target_qps=50"]
    )
    config = {"min_duration": 10_000, "server_target_qps": 100}
    assert {**config, **overrides(args, "Server")} == {
        "min_duration": 10_000,
        "server_target_qps": 50,
    }


@pytest.mark.parametrize(
    ("flags", "scenario", "expected"),
    [
        (["--fast"], "Offline", (60_000, 1)),
        (["--fast", "--min_duration=5"], "MultiStream", (5, 1)),
        (["--fast"], "Server", (60_000, None)),
        ([], "Offline", (None, None)),
    ],
)
def test_fast(
    flags: list[str], scenario: str, expected: tuple[int | None, int | None]
) -> None:
    args = build_parser().parse_args(["--action=run_harness", *flags])
    given = overrides(args, scenario)
    assert (given.get("min_duration"), given.get("min_query_count")) == expected
