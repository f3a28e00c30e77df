"""The accuracy step: every answer of a LoadGen log against the stored reference.

`python -m pytest_mighetero.cpu.accuracy` runs after the harness, as NVIDIA's
per-benchmark accuracy scripts do, and prints `accuracy=...`, which `main` reads.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_mighetero.cpu.models.layers import FloatArray

__all__ = ["TOLERANCE", "Answer", "Score", "answers_agree", "main", "read_log", "score"]

TOLERANCE = 0.005
"""How far an answer's figure may be from the reference: the reference is stored in
16 bits, which costs up to 0.002, and BLAS libraries differ by far less. Two samples'
answers differ by more than three times as much (tests/cpu/test_models.py)."""


@dataclass(frozen=True)
class Answer:
    """One entry of mlperf_log_accuracy.json.

    Attributes:
        index: The sample's number.
        data: The response's bytes.
    """

    index: int
    data: bytes


@dataclass(frozen=True)
class Score:
    """How many of the samples were answered rightly.

    Attributes:
        total: Samples in the reference.
        good: Samples answered exactly once, within the tolerance.
        missing: Samples without an answer.
        duplicate: Samples with more than one answer.
        wrong: Samples with one answer that is not the reference's.
        unknown: Answers to samples that do not exist.
    """

    total: int
    good: int
    missing: int
    duplicate: int
    wrong: int
    unknown: int

    @property
    def percent(self) -> float:
        """Good samples per hundred; an answer to no sample counts against it."""
        return 100.0 * self.good / (self.total + self.unknown)

    def __str__(self) -> str:
        return (
            f"accuracy={self.percent:.3f}%, good={self.good}, total={self.total}, "
            f"missing={self.missing}, duplicate={self.duplicate}, "
            f"wrong={self.wrong}, unknown={self.unknown}"
        )


def read_log(path: Path) -> list[Answer]:
    """Read LoadGen's accuracy log.

    Raises:
        ValueError: The file is not whole, as after a killed run.
    """
    return [
        Answer(entry["qsl_idx"], bytes.fromhex(entry["data"]))
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]


def answers_agree(data: bytes, expected: FloatArray) -> bool:
    """Say whether an answer's bytes are float32 figures close to `expected`."""
    if len(data) != expected.size * 4:
        return False
    figures = np.frombuffer(data, dtype="<f4")
    # A NaN compares false, hence counts as wrong.
    return bool((np.abs(figures - expected) <= TOLERANCE).all())


def score(answers: Sequence[Answer], reference: FloatArray) -> Score:
    """Compare answers with the reference, `[samples, figures]`."""
    total = len(reference)
    counts = Counter(answer.index for answer in answers)
    known = {index: count for index, count in counts.items() if 0 <= index < total}
    single = [answer for answer in answers if known.get(answer.index) == 1]
    good = sum(answers_agree(answer.data, reference[answer.index]) for answer in single)
    return Score(
        total=total,
        good=good,
        missing=total - len(known),
        duplicate=len(known) - len(single),
        wrong=len(single) - good,
        unknown=len(answers) - sum(known.values()),
    )


def main(argv: list[str] | None = None) -> int:
    """Print the score of a log."""
    from pytest_mighetero.cpu import reference

    parser = argparse.ArgumentParser(prog="accuracy")
    parser.add_argument("--benchmark", required=True)
    parser.add_argument("--log", type=Path, required=True)
    args = parser.parse_args(argv)
    print(score(read_log(args.log), reference.load(args.benchmark)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
