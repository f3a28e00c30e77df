"""The stored answers that AccuracyOnly runs are checked against.

`python -m pytest_mighetero.cpu.reference` makes reference.npz anew; that is needed
after a change to a model, its seed or its samples, and at no other time. The figures
are stored in 16 bits, which is enough to tell the samples apart.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pytest_mighetero.cpu.layers import FloatArray
from pytest_mighetero.cpu.models import MODELS, SAMPLE_COUNT, Workload

_FILE = Path(__file__).with_name("reference.npz")
_BATCH = 32


def compute(benchmark: str) -> FloatArray:
    """Infer every sample of a benchmark: `[512, figures]`."""
    workload = Workload(benchmark)
    firsts = range(0, SAMPLE_COUNT, _BATCH)
    batches = (workload.load(range(first, first + _BATCH)) for first in firsts)
    return np.concatenate([workload.infer(batch) for batch in batches])


def load(benchmark: str) -> FloatArray:
    """Read the stored answers of a benchmark: `[512, figures]`.

    Raises:
        KeyError: The file knows no such benchmark.
    """
    with np.load(_FILE) as stored:
        return np.asarray(stored[benchmark], dtype=np.float32)


if __name__ == "__main__":
    answers = {name: compute(name).astype(np.float16) for name in MODELS}
    np.savez_compressed(_FILE, **answers)  # type: ignore[arg-type]
