"""What a finished main is worth: pure functions on what it left behind."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_mighetero.plan.advice import advice
from pytest_mighetero.readers.result import Result
from pytest_mighetero.units import significant

_DECIMAL = re.compile(r"\d+\.\d+")
# What hand-made back-offs of published heterogeneous Server targets come to: A30
# lowered its targets by 3 to 16 % (MLPerf Inference v1.1, v2.0).
_BACKOFF = 0.07
# Whose own verdict says nothing of the audit: with each sample once, one sample over
# and over, or 100 of them, they are too short, and counted INVALID; the audit judges
# them all the same (TEST04: all of NVIDIA's of v1.0 and v2.0).
_TOO_SHORT = ("TEST04-A", "TEST04-B", "TEST06")
# What NVIDIA's harness leaves of each run beside LoadGen's logs, from v5.1 on.
METADATA = "metadata.json"
_OF_ACCURACY = "verify_accuracy.txt"
# Where the others' verdict is: verify_performance.txt (compliance/*/README.md).
_VERDICTS = {
    "TEST06": _OF_ACCURACY,
    "TEST07": _OF_ACCURACY,
    "TEST08": _OF_ACCURACY,
    "TEST09": "verify_output_len.txt",
}
_MAKE_ERROR = re.compile(r"make(?:\[(?P<level>\d+)\])?: \*\*\* \[.*\] (?P<error>\S.*)")


def explain_exit(code: int | None, lines: Sequence[str]) -> str:
    """Say what an exit code means, with make's own words for it where it said them.

    GNU make turns every failure of a recipe into 2; only its message has the number.
    A make inside a make says it first, and the outer ones repeat a 2 of their own. It
    says ``Error`` in the user's language.
    """
    said = [match for line in lines if (match := _MAKE_ERROR.search(line))]
    while len(said) > 1 and int(said[-2]["level"] or 0) > int(said[-1]["level"] or 0):
        said.pop()
    if said:
        return f"code {code} (make: {said[-1]['error']})"
    if code is None:
        return "no exit code"
    if code > 128:
        return f"code {code} (signal {code - 128})"
    return f"code {code}"


def judge(
    result: Result, accuracy: Mapping[str, Any] | None, *, whole_targets: bool = False
) -> list[str]:
    """Return what is wrong with a run by its mode; nothing when it is good.

    AccuracyOnly and SubmissionRun must have an ``accuracy_summary.json``. Advice is of
    *whole_targets* where the harness takes no others.
    """
    problems = []
    if result.mode in ("AccuracyOnly", "SubmissionRun"):
        problems = judge_accuracy(accuracy)
    if result.mode == "AccuracyOnly":
        return problems + _damaged(result) + _counted(result)
    return judge_performance(result, whole_targets=whole_targets) + problems


def judge_performance(result: Result, *, whole_targets: bool = False) -> list[str]:
    """Return what is wrong with a performance result; nothing when it is VALID."""
    problems = []
    if result.valid is None:
        problems.append(
            f"{result.tool}'s log in {result.folder} holds no verdict: the harness "
            f"died or was stopped before {result.tool} wrote its result"
        )
    elif not result.valid:
        problems.append(_invalid(result, whole_targets=whole_targets))
    elif result.metric is None and not result.damage:
        problems.append(f"{result.tool} says VALID and gives no metric")
    return problems + _damaged(result) + _counted(result)


def _damaged(result: Result) -> list[str]:
    if not result.damage:
        return []
    said = " ".join(result.damage).rstrip(".")
    return [f"{result.tool}'s logs in {result.folder} are damaged: {said}"]


def _counted(result: Result) -> list[str]:
    if not result.error_count:
        return []
    said = "; ".join(result.errors) or "see the detail log"
    errors = "error" if result.error_count == 1 else "errors"
    return [f"{result.tool} counted {result.error_count} {errors}: {said}"]


def _invalid(result: Result, *, whole_targets: bool) -> str:
    why = "; ".join(text.rstrip(".") for text in result.invalid_reasons) or "unsaid"
    parts = [f"the result is INVALID: {why}"]
    if result.metric is not None:
        target = result.target_qps
        at = f" at target {significant(target, 10)}" if target else ""
        value = significant(result.metric.value, 6)
        parts.append(f"{value} {result.metric.unit}{at}")
    known = [each for each in result.bounds if each.share is not None]
    parts += [", ".join(map(str, known))] if known else []
    if said := advice(result, _BACKOFF, whole=whole_targets):
        parts.append(said)
    if result.recommendations:
        said = " ".join(result.recommendations).rstrip(".")
        parts.append(f"{result.tool} recommends: {said}")
    return ". ".join(parts)


def judge_accuracy(summary: Mapping[str, Any] | None) -> list[str]:
    """Return what is wrong with ``accuracy_summary.json``; None stands for no file."""
    verdicts = accuracy_verdicts(summary)
    if not verdicts:
        return ["the harness left no accuracy verdict in accuracy_summary.json"]
    return [
        f"accuracy: {verdict}" for verdict in verdicts if not _accuracy_passed(verdict)
    ]


def accuracy_verdicts(summary: Mapping[str, Any] | None) -> list[str]:
    """Return the verdicts in ``accuracy_summary.json``, in its order."""
    found = []
    left: list[Any] = [summary]
    while left:
        value = left.pop(0)
        if isinstance(value, Mapping):
            left[:0] = value.values()
        elif isinstance(value, str) and "Accuracy test" in value:
            found.append(value.encode("utf-8", "replace").decode().strip())
    return found


def _accuracy_passed(verdict: str) -> bool:
    return "PASSED" in verdict and "FAILED" not in verdict


def judge_audit(test: str, verdicts: Mapping[Path, str]) -> list[str]:
    """Return what is wrong with an audit; an absent verdict is a failure.

    TEST01's accuracy part may also pass by the harness's fallback: the accuracy of the
    audit's answers against that of the accuracy run's, within 1 %, or 0.1 % for the
    99.9 benchmarks (NVIDIA's v1.0 ``code/main.py``). What the harness says of it, v5.1
    on, must be a pass, too, and not that the benchmark is exempted.

    Args:
        test: for example ``TEST01``.
        verdicts: the texts of this run's ``verify_*.txt`` and ``*_accuracy.txt``, and
            of its ``metadata.json``.
    """
    name = _VERDICTS.get(test, "verify_performance.txt")
    problems = _without_pass(test, name, verdicts)
    if test == "TEST01" and not _accuracy_kept(verdicts):
        problems += _without_pass(test, _OF_ACCURACY, verdicts)
    return problems + [
        f"{test} did not pass: {path} has audit_result {said!r}"
        for path, text in verdicts.items()
        if path.name == METADATA
        for said in [_audit_result(text)]
        if "_PASS" not in said or said.endswith("_EXEMPTED")
    ]


def _audit_result(text: str) -> str:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return "that cannot be read"
    return str(said.get("audit_result")) if isinstance(said, Mapping) else "none"


def _without_pass(test: str, name: str, verdicts: Mapping[Path, str]) -> list[str]:
    texts = {path: text for path, text in verdicts.items() if path.name == name}
    if not texts:
        return [f"{test} left no {name}: no verdict is a failed audit"]
    return [
        f"{test} did not pass: {path} ends with: {' '.join(text.split()[-12:])!r}"
        for path, text in texts.items()
        if not _passed(test, text)
    ]


def _passed(test: str, text: str) -> bool:
    if test == "TEST06":  # of its three checks the first may be skipped
        return "EOS check pass: True" in text and "check pass: False" not in text
    return "TEST PASS" in text


def _accuracy_kept(verdicts: Mapping[Path, str]) -> bool:
    found = {
        (path.name, path.parent): [float(each) for each in _DECIMAL.findall(text)]
        for path, text in verdicts.items()
    }
    for (name, folder), baseline in found.items():
        if name == "baseline_accuracy.txt":
            tolerance = 0.001 if "-99.9" in str(folder) else 0.01
            audited = found.get(("compliance_accuracy.txt", folder), [])
            return len(baseline) == len(audited) > 0 and all(
                math.isclose(one, other, rel_tol=tolerance)
                for one, other in zip(baseline, audited, strict=True)
            )
    return False


def judge_runs(runs: Mapping[str, Result]) -> list[str]:
    """Return what is wrong with an audit's own runs, by its parts: ``TEST04-A``."""
    return [
        f"{part}: {problem}"
        for part, result in runs.items()
        for judged in [_damaged if part in _TOO_SHORT else judge_performance]
        for problem in judged(result)
    ]
