from __future__ import annotations

import pytest

from tests.lab import needs

np = needs.imported("numpy")

from pytest_mighetero.cpu import models, reference  # noqa: E402 - NumPy may be absent
from pytest_mighetero.cpu.accuracy import TOLERANCE  # noqa: E402 - likewise
from pytest_mighetero.cpu.arguments import BENCHMARKS  # noqa: E402 - likewise

WIDTHS = {
    "3d-unet": 24,
    "bert": 64,
    "dlrm": 64,
    "resnet50": 10,
    "rnnt": 32,
    "ssd-mobilenet": 28,
    "ssd-resnet34": 28,
}

each_benchmark = pytest.mark.parametrize("benchmark", list(BENCHMARKS))


@each_benchmark
def test_answers_are_finite_float32_rows(benchmark: str) -> None:
    workload = models.Workload(benchmark)
    answers = workload.infer(workload.load([5, 0, 5]))
    assert answers.shape == (3, WIDTHS[benchmark])
    assert answers.dtype == np.float32
    assert answers.flags.c_contiguous
    assert np.isfinite(answers).all()
    assert np.array_equal(answers[0], answers[2])


@each_benchmark
def test_two_builds_are_identical(benchmark: str) -> None:
    one, other = models.Workload(benchmark), models.Workload(benchmark)
    samples = one.load(range(4))
    assert np.array_equal(samples, other.load(range(4)))
    assert np.array_equal(one.infer(samples), other.infer(samples))


@each_benchmark
def test_batch_size_does_not_matter(benchmark: str) -> None:
    workload = models.Workload(benchmark)
    samples = workload.load(range(9))
    together = workload.infer(samples)
    alone = np.concatenate([workload.infer(samples[i : i + 1]) for i in range(9)])
    assert np.abs(together - alone).max() < TOLERANCE / 50


@each_benchmark
def test_stored_reference_is_what_the_model_answers(benchmark: str) -> None:
    stored = reference.load(benchmark)
    assert stored.shape == (models.SAMPLE_COUNT, WIDTHS[benchmark])
    assert np.abs(reference.compute(benchmark) - stored).max() < TOLERANCE / 2


@each_benchmark
def test_no_two_samples_have_answers_that_could_be_confused(benchmark: str) -> None:
    stored = reference.load(benchmark)
    for row in range(len(stored) - 1):
        nearest = np.abs(stored[row + 1 :] - stored[row]).max(axis=1).min()
        assert nearest > 3 * TOLERANCE
