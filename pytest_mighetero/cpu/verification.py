"""The verification step of an audit: reads its logs, writes verify_*.txt.

`python -m pytest_mighetero.cpu.verification`, started by `main`, stands for
MLCommons' run_verification.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_mighetero.cpu.accuracy import TOLERANCE, read_log
from pytest_mighetero.cpu.audit import (
    Verdict,
    score_metric,
    verify_accuracy,
    verify_performance,
)
from pytest_mighetero.cpu.results import PerformanceResult, performance_result

__all__ = ["main", "verify"]

# Both sides of TEST01 come from one BLAS library, unlike the stored reference.
_TEST01_TOLERANCE = TOLERANCE / 5


def verify(test: str, scenario: str, folder: Path, other: Path) -> bool:
    """Judge an audit and leave the verdict's text in its folder.

    Args:
        test: TEST01, TEST04-A or TEST05.
        scenario: LoadGen's name of the scenario.
        folder: The audit's logs, and where verify_*.txt go.
        other: What to compare with: for TEST04 the folder of the B run, otherwise
            the folder with the reference runs.

    Returns:
        Whether every part passed.

    Raises:
        OSError: A log is missing.
        ValueError: An accuracy log is not whole.
    """
    passed = True
    if test == "TEST01":
        verdict = verify_accuracy(
            read_log(other / "accuracy" / "mlperf_log_accuracy.json"),
            read_log(folder / "mlperf_log_accuracy.json"),
            _TEST01_TOLERANCE,
        )
        _report(verdict, folder / "verify_accuracy.txt")
        print(f"Accuracy check pass: {verdict.passed}")
        passed = verdict.passed
    pair = (other / "performance", folder)
    if test.startswith("TEST04"):
        pair = (folder, other)
    reference, measured = (_score(each, scenario) for each in pair)
    verdict = verify_performance(test, scenario, reference, measured)
    _report(verdict, folder / "verify_performance.txt")
    print(f"Performance check pass: {verdict.passed}")
    return passed and verdict.passed


def _score(folder: Path, scenario: str) -> PerformanceResult | None:
    path = folder / "mlperf_log_detail.txt"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return performance_result(lines, scenario, score_metric(scenario))


def _report(verdict: Verdict, path: Path) -> None:
    text = "".join(f"{line}\n" for line in verdict.lines)
    path.write_text(text, encoding="utf-8")
    print(text, end="", flush=True)
    if verdict.error is not None:
        print(verdict.error, file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Verify; exit 1 where a part failed, without the line that says complete."""
    parser = argparse.ArgumentParser(prog="verification")
    parser.add_argument("--test", required=True)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--other", type=Path, required=True)
    args = parser.parse_args(argv)
    if not verify(args.test, args.scenario, args.folder, args.other):
        return 1
    print(f"{args.test.partition('-')[0]} verification complete")
    return 0


if __name__ == "__main__":
    sys.exit(main())
