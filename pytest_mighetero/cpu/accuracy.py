"""The accuracy of a run: every answer of a LoadGen log against a reference."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TOLERANCE = 0.005
"""How far an answer's figure may be from the reference: the reference is stored in
16 bits, which costs up to 0.002, and BLAS libraries differ by far less. Two samples'
answers differ by more than three times as much (tests/cpu/test_cpu_models.py)."""


@dataclass(frozen=True)
class Answer:
    """One entry of mlperf_log_accuracy.json: the sample's number, and the response."""

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


def agree(data: bytes, expected: Sequence[float], tolerance: float = TOLERANCE) -> bool:
    """Say whether an answer's bytes are float32 figures close to `expected`."""
    # A NaN compares false, hence counts as wrong.
    return len(data) == 4 * len(expected) and all(
        abs(figure - other) <= tolerance
        for figure, other in zip(array("f", data), expected, strict=True)
    )


def score(answers: Sequence[Answer], reference: Sequence[Sequence[float]]) -> Score:
    """Compare answers with the reference, one row of figures per sample."""
    total = len(reference)
    counts = Counter(answer.index for answer in answers if 0 <= answer.index < total)
    single = [answer for answer in answers if counts[answer.index] == 1]
    good = sum(agree(answer.data, reference[answer.index]) for answer in single)
    return Score(
        total=total,
        good=good,
        missing=total - len(counts),
        duplicate=len(counts) - len(single),
        wrong=len(single) - good,
        unknown=len(answers) - counts.total(),
    )
