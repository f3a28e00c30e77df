from __future__ import annotations

import struct

import pytest

from tests.lab import needs

needs.module("numpy")

from pytest_mighetero.cpu.accuracy import Answer  # noqa: E402 - NumPy may be absent
from pytest_mighetero.cpu.audit import verify_accuracy, verify_performance  # noqa: E402
from pytest_mighetero.cpu.results import PerformanceResult  # noqa: E402


def result(value: float, validity: str = "VALID") -> PerformanceResult:
    return PerformanceResult("m", value, validity)


def answer(index: int, *figures: float) -> Answer:
    return Answer(index, struct.pack(f"<{len(figures)}f", *figures))


@pytest.mark.parametrize(
    ("test", "scenario", "pair", "passed"),
    [
        ("TEST01", "Offline", (100, 109), True),
        ("TEST01", "Offline", (100, 91), True),
        ("TEST01", "Offline", (100, 111), False),
        ("TEST01", "Offline", (100, 89), False),
        ("TEST05", "Server", (100, 104), True),
        ("TEST05", "Server", (100, 106), False),
        ("TEST05", "SingleStream", (200_000, 230_000), True),
        ("TEST05", "SingleStream", (200_001, 230_000), False),
        ("TEST04-A", "Offline", (100, 109), True),
        ("TEST04-A", "Offline", (100, 111), False),
        ("TEST04-A", "Offline", (100, 50), True),
        # In a stream the score is a latency: a lower one is the faster run.
        ("TEST04-A", "SingleStream", (100, 95), True),
        ("TEST04-A", "SingleStream", (100, 80), False),
        ("TEST04-A", "SingleStream", (100, 200), True),
    ],
)
def test_performance_tolerances(
    test: str, scenario: str, pair: tuple[float, float], passed: bool
) -> None:
    verdict = verify_performance(test, scenario, result(pair[0]), result(pair[1]))
    assert verdict.passed is passed
    last = "TEST PASS" if passed else "TEST FAIL: Test score invalid"
    assert verdict.lines[-1] == last


def test_performance_text() -> None:
    verdict = verify_performance("TEST01", "Offline", result(100.5), result(101))
    assert verdict.lines == (
        "Verifying performance.",
        "reference score = 100.5",
        "test score = 101",
        "TEST PASS",
    )


def test_test04_text_for_a_slow_b() -> None:
    verdict = verify_performance("TEST04-A", "Offline", result(100), result(50))
    assert verdict.lines == (
        "Verifying performance.",
        "TEST04-A score = 100",
        "TEST04-B score = 50",
        "Note: TEST04-B is significantly slower than TEST04-A",
        "TEST PASS",
    )


@pytest.mark.parametrize(
    ("reference", "measured", "name"),
    [
        (result(1, "INVALID"), result(1), "Reference"),
        (result(1), result(1, "INVALID"), "Test"),
        (None, result(1), "Reference"),
        (result(1), None, "Test"),
    ],
)
def test_invalid_runs_leave_only_the_first_line(
    reference: PerformanceResult | None, measured: PerformanceResult | None, name: str
) -> None:
    verdict = verify_performance("TEST05", "Offline", reference, measured)
    assert not verdict.passed
    assert verdict.lines == ("Verifying performance.",)
    assert verdict.error == f"TEST FAIL: {name} results are invalid"


def test_accuracy_pass() -> None:
    baseline = [answer(0, 1, 2), answer(1, 3, 4)]
    sampled = [answer(1, 3, 4.0004), answer(0, 1, 2), answer(1, 3, 4)]
    verdict = verify_accuracy(baseline, sampled, 0.001)
    assert verdict.passed
    assert verdict.lines[1:] == (
        "num_acc_log_entries = 2",
        "num_acc_log_duplicate_keys = 0",
        "num_acc_log_data_mismatch = 0",
        "num_perf_log_entries = 3",
        "num_perf_log_qsl_idx_match = 3",
        "num_perf_log_data_mismatch = 0",
        "num_missing_qsl_idxs = 0",
        "TEST PASS",
    )


@pytest.mark.parametrize(
    ("baseline", "sampled", "line"),
    [
        ([answer(0, 1)], [answer(0, 2)], "num_perf_log_data_mismatch = 1"),
        ([answer(0, 1)], [answer(0, 1, 1)], "num_perf_log_data_mismatch = 1"),
        ([answer(0, 1)], [answer(0, float("nan"))], "num_perf_log_data_mismatch = 1"),
        ([answer(0, 1)], [answer(9, 1)], "num_missing_qsl_idxs = 1"),
        ([answer(0, 1)], [], "num_perf_log_entries = 0"),
        (
            [answer(0, 1), answer(0, 2)],
            [answer(0, 1)],
            "num_acc_log_data_mismatch = 1",
        ),
    ],
)
def test_accuracy_fail(
    baseline: list[Answer], sampled: list[Answer], line: str
) -> None:
    verdict = verify_accuracy(baseline, sampled, 0.001)
    assert not verdict.passed
    assert line in verdict.lines
    assert verdict.lines[-1] == "TEST FAIL"
