from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.lab import needs

np = needs.imported("numpy")

from pytest_mighetero.cpu.accuracy import (  # noqa: E402 - NumPy may be absent
    TOLERANCE,
    Answer,
    Score,
    read_log,
    score,
)

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = np.arange(200, dtype=np.float32).reshape(100, 2)


def right_answers() -> list[Answer]:
    return [Answer(index, row.tobytes()) for index, row in enumerate(REFERENCE)]


def test_all_right() -> None:
    assert score(right_answers(), REFERENCE) == Score(100, 100, 0, 0, 0, 0)
    assert score(right_answers(), REFERENCE).percent == 100


def test_order_does_not_matter() -> None:
    assert score(right_answers()[::-1], REFERENCE).percent == 100


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(7, REFERENCE[8].tobytes()), "wrong"),
        (Answer(7, (REFERENCE[7] + 2 * TOLERANCE).tobytes()), "wrong"),
        (Answer(7, np.full(2, np.nan, np.float32).tobytes()), "wrong"),
        (Answer(7, REFERENCE[7].tobytes()[:-1]), "wrong"),
        (Answer(7, b""), "wrong"),
    ],
)
def test_a_wrong_answer_costs_a_sample(answer: Answer, expected: str) -> None:
    answers = right_answers()
    answers[7] = answer
    result = score(answers, REFERENCE)
    assert getattr(result, expected) == 1
    assert result.percent == 99


def test_rounding_costs_nothing() -> None:
    answers = right_answers()
    answers[7] = Answer(7, (REFERENCE[7] + TOLERANCE / 2).tobytes())
    assert score(answers, REFERENCE).percent == 100


def test_a_missing_answer_costs_a_sample() -> None:
    result = score(right_answers()[1:], REFERENCE)
    assert (result.missing, result.percent) == (1, 99)


def test_a_duplicate_costs_a_sample_even_when_right() -> None:
    answers = right_answers()
    result = score([*answers, answers[3]], REFERENCE)
    assert (result.duplicate, result.percent) == (1, 99)


def test_an_answer_to_no_sample_counts_against() -> None:
    result = score([*right_answers(), Answer(100, b"")], REFERENCE)
    assert result.unknown == 1
    assert 99 < result.percent < 100


def test_no_answers() -> None:
    assert score([], REFERENCE).percent == 0


def test_read_log(tmp_path: Path) -> None:
    log = tmp_path / "mlperf_log_accuracy.json"
    entry = {"seq_id": 0, "qsl_idx": 4, "data": "0000803F"}
    log.write_text(json.dumps([entry]))
    assert read_log(log) == [Answer(4, np.float32(1).tobytes())]


def test_a_killed_runs_log_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "mlperf_log_accuracy.json"
    log.write_text("[\n")
    with pytest.raises(ValueError, match="Expecting value"):
        read_log(log)
