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

import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mighetero.cpu.accuracy import TOLERANCE, Answer, agree, read_log
from pytest_mighetero.cpu.results import PerformanceResult, read_result

NOT_IN_TEST04 = ("bert", "dlrm", "rnnt")
"""Benchmarks whose TEST04 runs are made and then not judged."""

_SAMPLES = 512
# Both sides of TEST01 come from one BLAS library, unlike the stored reference.
_TEST01_TOLERANCE = TOLERANCE / 5


@dataclass(frozen=True)
class Audit:
    """How an audit's runs are made, and how close to its reference it has to come.

    `references` are folders below `reference/` with the test modes of their runs.
    """

    settings: Mapping[str, int]
    references: Mapping[str, str] = field(default_factory=dict)
    margin: float = 0.10

    @property
    def config(self) -> str:
        """The text of audit.config."""
        lines = {"mode": 2, **self.settings}.items()
        return "".join(f"*.*.{name} = {value}\n" for name, value in lines)


# Without a minimum duration, or else issuing each of 512 samples once would end too
# early to be VALID; B issues as many, for a fair comparison.
_TEST04_LENGTH = {"min_duration": 0, "min_query_count": _SAMPLES}

AUDITS = {
    "TEST01": Audit(
        {
            "accuracy_log_rng_seed": 720381539243781796,
            "accuracy_log_sampling_target": _SAMPLES,
        },
        references={"accuracy": "AccuracyOnly", "performance": "PerformanceOnly"},
    ),
    "TEST04-A": Audit({"performance_issue_unique": 1} | _TEST04_LENGTH),
    "TEST04-B": Audit(
        {"performance_issue_same": 1, "performance_issue_same_index": 3}
        | _TEST04_LENGTH
    ),
    "TEST05": Audit(
        {  # the seeds that MLCommons prescribes
            "qsl_rng_seed": 313588358309856706,
            "sample_index_rng_seed": 471397156132239067,
            "schedule_rng_seed": 413914573387865862,
        },
        references={"performance": "PerformanceOnly"},
        margin=0.05,
    ),
}


@dataclass(frozen=True)
class Verdict:
    """A verify_*.txt, whether it ends with TEST PASS, and what goes to stderr."""

    lines: tuple[str, ...]
    passed: bool
    error: str | None = None


def verify(test: str, scenario: str, folder: Path, other: Path) -> bool:
    """Judge an audit, leave verify_*.txt in its folder, say whether all parts passed.

    It is compared with what `other` holds: for TEST04 the B run, otherwise the
    reference runs.

    Raises:
        OSError: A log is missing.
        ValueError: An accuracy log is not whole.
    """
    verdicts = {}
    if test == "TEST01":
        baseline, sampled = (
            read_log(each / "mlperf_log_accuracy.json")
            for each in (other / "accuracy", folder)
        )
        verdicts["accuracy"] = verify_accuracy(baseline, sampled, _TEST01_TOLERANCE)
    pair = (other / "performance", folder)
    if test.startswith("TEST04"):
        pair = (folder, other)
    reference, measured = (
        read_result(each / "mlperf_log_detail.txt", scenario, completed=True)
        for each in pair
    )
    verdicts["performance"] = verify_performance(test, scenario, reference, measured)
    for part, verdict in verdicts.items():
        text = "".join(f"{line}\n" for line in verdict.lines)
        (folder / f"verify_{part}.txt").write_text(text, encoding="utf-8")
        print(text, end="", flush=True)
        if verdict.error is not None:
            print(verdict.error, file=sys.stderr, flush=True)
        print(f"{part.capitalize()} check pass: {verdict.passed}", flush=True)
    return all(verdict.passed for verdict in verdicts.values())


def verify_accuracy(
    baseline: Sequence[Answer], sampled: Sequence[Answer], tolerance: float
) -> Verdict:
    """Compare answers logged in a performance run with those of an accuracy run.

    The original compares bytes; answers here may differ in the last bits when they
    were inferred in batches of another size, so figures are compared.
    """
    known: dict[int, array[float]] = {}
    for answer in baseline:
        known.setdefault(answer.index, array("f", answer.data))

    def differing(answers: Sequence[Answer]) -> int:
        return sum(not agree(a.data, known[a.index], tolerance) for a in answers)

    matched = [answer for answer in sampled if answer.index in known]
    missing = {answer.index for answer in sampled} - known.keys()
    mismatches = differing(baseline), differing(matched)
    passed = bool(sampled) and not (any(mismatches) or missing)
    lines = (
        "Verifying accuracy. This might take a while...",
        f"num_acc_log_entries = {len(baseline)}",
        f"num_acc_log_duplicate_keys = {len(baseline) - len(known)}",
        f"num_acc_log_data_mismatch = {mismatches[0]}",
        f"num_perf_log_entries = {len(sampled)}",
        f"num_perf_log_qsl_idx_match = {len(matched)}",
        f"num_perf_log_data_mismatch = {mismatches[1]}",
        f"num_missing_qsl_idxs = {len(missing)}",
        "TEST PASS" if passed else "TEST FAIL",
    )
    return Verdict(lines, passed)


def verify_performance(
    test: str,
    scenario: str,
    reference: PerformanceResult | None,
    measured: PerformanceResult | None,
) -> Verdict:
    """Compare an audit's score with its reference's, of TEST04 B's with A's.

    TEST01 has to be within 10 %, TEST05 within 5 % (20 % for a SingleStream latency
    up to 200 us), and in TEST04 B at most 10 % faster than A.
    """
    lines = ["Verifying performance."]
    scores = []
    for name, result in (("Reference", reference), ("Test", measured)):
        if result is None or result.validity != "VALID":
            error = f"TEST FAIL: {name} results are invalid"
            return Verdict(tuple(lines), passed=False, error=error)
        scores.append(result.value)
    before, after = scores
    ratio = after / before
    margin = AUDITS[test].margin
    if test.startswith("TEST04"):
        lines += [f"TEST04-A score = {before}", f"TEST04-B score = {after}"]
        speed = 1 / ratio if scenario.endswith("Stream") else ratio
        passed = speed <= 1 + margin
        if speed < 1 - margin:
            lines.append("Note: TEST04-B is significantly slower than TEST04-A")
    else:
        lines += [f"reference score = {before}", f"test score = {after}"]
        if test == "TEST05" and scenario == "SingleStream" and before <= 200_000:
            margin = 0.20
        passed = 1 - margin <= ratio <= 1 + margin
    lines.append("TEST PASS" if passed else "TEST FAIL: Test score invalid")
    return Verdict(tuple(lines), passed)
