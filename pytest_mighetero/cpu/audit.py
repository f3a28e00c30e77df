"""The compliance audits TEST01, TEST04 and TEST05.

TEST01 samples answers during a performance run and compares them with those of an
accuracy run; TEST04 looks for caching, by issuing every sample once (A) and one
sample over and over (B); TEST05 repeats a run with other random seeds.

Two differences from `closed/<org>`: the runs to compare with (TEST01, TEST05) are
made by the same action instead of being taken from `results/`, and everything,
audit.config included, lies below LOG_DIR instead of in the working directory.
TEST04 cannot be VALID in MultiStream: LoadGen wants 662 queries of 8 samples each,
ten times the number of distinct samples here.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_mighetero.cpu.results import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_mighetero.cpu.accuracy import Answer
    from pytest_mighetero.cpu.results import PerformanceResult

__all__ = [
    "AUDIT_CONFIGS",
    "NOT_IN_TEST04",
    "REFERENCE_MODES",
    "TEST05_SEEDS",
    "Verdict",
    "score_metric",
    "verify_accuracy",
    "verify_performance",
]

NOT_IN_TEST04 = ("bert", "dlrm", "rnnt")
"""Benchmarks whose TEST04 runs are made and then not judged."""

TEST05_SEEDS = {
    "qsl_rng_seed": 313588358309856706,
    "sample_index_rng_seed": 471397156132239067,
    "schedule_rng_seed": 413914573387865862,
}
"""The seeds that MLCommons' TEST05 prescribes."""

_SAMPLES = 512

AUDIT_CONFIGS = {
    "TEST01": (
        "*.*.mode = 2\n"
        "*.*.accuracy_log_rng_seed = 720381539243781796\n"
        f"*.*.accuracy_log_sampling_target = {_SAMPLES}\n"
    ),
    # Without a minimum duration, or else issuing each of 512 samples once would end
    # too early to be VALID; B issues as many, for a fair comparison.
    "TEST04-A": (
        "*.*.mode = 2\n"
        "*.*.performance_issue_unique = 1\n"
        "*.*.min_duration = 0\n"
        f"*.*.min_query_count = {_SAMPLES}\n"
    ),
    "TEST04-B": (
        "*.*.mode = 2\n"
        "*.*.performance_issue_same = 1\n"
        "*.*.performance_issue_same_index = 3\n"
        "*.*.min_duration = 0\n"
        f"*.*.min_query_count = {_SAMPLES}\n"
    ),
    "TEST05": "*.*.mode = 2\n"
    + "".join(f"*.*.{name} = {seed}\n" for name, seed in TEST05_SEEDS.items()),
}
"""The text of audit.config. LoadGen 5 and later ignore the seeds there; the harness
hands them over on its command line as well."""

REFERENCE_MODES: dict[str, dict[str, str]] = {
    "TEST01": {"accuracy": "AccuracyOnly", "performance": "PerformanceOnly"},
    "TEST04-A": {},
    "TEST04-B": {},
    "TEST05": {"performance": "PerformanceOnly"},
}
"""The runs to make for comparison: folder below `reference/`, and test mode."""


@dataclass(frozen=True)
class Verdict:
    """What a verification found.

    Attributes:
        lines: The text of its verify_*.txt.
        passed: Whether `lines` end with TEST PASS.
        error: What goes to stderr instead of into the file, where it gave up.
    """

    lines: tuple[str, ...]
    passed: bool
    error: str | None = None


def score_metric(scenario: str) -> str:
    """Return the detail log's key of the score that audits compare."""
    return (
        "result_completed_samples_per_sec"
        if scenario == "Server"
        else METRICS[scenario]
    )


def verify_accuracy(
    baseline: Sequence[Answer], sampled: Sequence[Answer], tolerance: float
) -> Verdict:
    """Compare answers logged in a performance run with those of an accuracy run.

    The original compares bytes; answers here may differ in the last bits when they
    were inferred in batches of another size, so figures are compared.
    """
    known: dict[int, bytes] = {}
    duplicates = mismatches = 0
    for answer in baseline:
        if answer.index in known:
            duplicates += 1
            if not _close(known[answer.index], answer.data, tolerance):
                mismatches += 1
        else:
            known[answer.index] = answer.data
    missing = {answer.index for answer in sampled} - known.keys()
    matches = differing = 0
    for answer in sampled:
        if answer.index in missing:
            continue
        matches += 1
        if not _close(known[answer.index], answer.data, tolerance):
            differing += 1
    passed = bool(sampled) and not (mismatches or differing or missing)
    lines = (
        "Verifying accuracy. This might take a while...",
        f"num_acc_log_entries = {len(baseline)}",
        f"num_acc_log_duplicate_keys = {duplicates}",
        f"num_acc_log_data_mismatch = {mismatches}",
        f"num_perf_log_entries = {len(sampled)}",
        f"num_perf_log_qsl_idx_match = {matches}",
        f"num_perf_log_data_mismatch = {differing}",
        f"num_missing_qsl_idxs = {len(missing)}",
        "TEST PASS" if passed else "TEST FAIL",
    )
    return Verdict(lines, passed)


def _close(expected: bytes, data: bytes, tolerance: float) -> bool:
    if len(expected) != len(data) or len(data) % 4 != 0:
        return False
    pairs = zip(array("f", expected), array("f", data), strict=True)
    return all(abs(one - other) <= tolerance for one, other in pairs)


def verify_performance(
    test: str,
    scenario: str,
    reference: PerformanceResult | None,
    measured: PerformanceResult | None,
) -> Verdict:
    """Compare an audit's score with its reference's.

    Args:
        test: TEST01 (within 10 %), TEST04-A (B at most 10 % faster than A) or
            TEST05 (within 5 %; 20 % for a SingleStream latency up to 200 us).
        scenario: LoadGen's name of the scenario.
        reference: The run to compare with; of TEST04 the A run.
        measured: The audit run; of TEST04 the B run.
    """
    opening = "Verifying performance."
    for name, result in (("Reference", reference), ("Test", measured)):
        if result is None or result.validity != "VALID":
            error = f"TEST FAIL: {name} results are invalid"
            return Verdict((opening,), passed=False, error=error)
    assert reference is not None
    assert measured is not None
    latency = scenario in ("SingleStream", "MultiStream")
    names = ("reference score", "test score")
    if test.startswith("TEST04"):
        names = ("TEST04-A score", "TEST04-B score")
    scores = (reference.value, measured.value)
    lines = [opening, *(f"{n} = {s}" for n, s in zip(names, scores, strict=True))]
    ratio = measured.value / reference.value
    speed = 1 / ratio if latency else ratio
    margin = 0.10
    if test == "TEST05":
        short = scenario == "SingleStream" and reference.value <= 200_000
        margin = 0.20 if short else 0.05
    if test.startswith("TEST04"):
        passed = speed <= 1 + margin
        if speed < 1 - margin:
            lines.append("Note: TEST04-B is significantly slower than TEST04-A")
    else:
        passed = 1 - margin <= ratio <= 1 + margin
    lines.append("TEST PASS" if passed else "TEST FAIL: Test score invalid")
    return Verdict(tuple(lines), passed)
