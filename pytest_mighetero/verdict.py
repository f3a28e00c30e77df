"""What a finished main is worth: pure functions on what it left behind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_mighetero.loadgen import LoadGenResult

_MAKE_ERROR = re.compile(r"make(?:\[\d+\])?: \*\*\* \[.*\] (Error \d+.*|[A-Z]\w+.*)")


def explain_exit(code: int, lines: Sequence[str]) -> str:
    """Say what an exit code means, with make's own words for it where it said them.

    GNU make turns every failure of a recipe into 2; only its message has the number.
    """
    for line in lines:
        if match := _MAKE_ERROR.search(line):
            return f"code {code} (make: {match[1]})"
    if code > 128:
        return f"code {code} (signal {code - 128})"
    return f"code {code}"


def judge_performance(result: LoadGenResult) -> list[str]:
    """Return what is wrong with a performance result; nothing when it is VALID."""
    problems = []
    if result.valid is None:
        problems.append(
            f"LoadGen's log in {result.folder} holds no verdict: the harness died or "
            f"was stopped before LoadGen wrote its result"
        )
    elif not result.valid:
        problems.append(_invalid(result))
    if result.error_count:
        said = "; ".join(result.errors) or "see the detail log"
        problems.append(f"LoadGen counted {result.error_count} errors: {said}")
    return problems


def _invalid(result: LoadGenResult) -> str:
    why = "; ".join(text.rstrip(".") for text in result.invalid_reasons) or "unsaid"
    parts = [f"the result is INVALID: {why}"]
    if result.metric is not None:
        at = f" at target {result.target_qps:g}" if result.target_qps else ""
        parts.append(f"{result.metric.value:g} {result.metric.unit}{at}")
    p99 = result.percentiles_ms.get(99.0)
    if p99 is not None and result.target_latency_ms:
        parts.append(f"p99 {p99:.4g} ms, limit {result.target_latency_ms:g} ms")
    if result.recommendations:
        said = " ".join(result.recommendations).rstrip(".")
        parts.append(f"LoadGen recommends: {said}")
    return ". ".join(parts)


def judge_accuracy(summary: Mapping[str, Any] | None) -> list[str]:
    """Return what is wrong with ``accuracy_summary.json``; None stands for no file."""
    verdicts = list(_leaves(summary or {}))
    if not any("Accuracy test" in verdict for verdict in verdicts):
        return ["the harness left no accuracy verdict in accuracy_summary.json"]
    return [
        f"accuracy: {verdict}"
        for verdict in verdicts
        if "Accuracy test" in verdict and "PASSED" not in verdict
    ]


def _leaves(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    return [str(value)]


def judge_audit(test: str, verdicts: Mapping[Path, str]) -> list[str]:
    """Return what is wrong with an audit; an absent verdict is a failure.

    Args:
        test: for example ``TEST01``.
        verdicts: the texts of the ``verify_*.txt`` files of this run.
    """
    wanted = ["verify_performance.txt"]
    wanted += ["verify_accuracy.txt"] if test == "TEST01" else []
    problems = []
    for name in wanted:
        texts = {path: text for path, text in verdicts.items() if path.name == name}
        if not texts:
            problems.append(f"{test} left no {name}: no verdict is a failed audit")
        for path, text in texts.items():
            if "TEST PASS" not in text:
                said = " ".join(text.split()[-12:]) or "nothing"
                problems.append(f"{test} did not pass: {path} ends with: {said}")
    return problems
