"""The stored answers that AccuracyOnly runs are checked against.

`python -m pytest_mighetero.cpu.reference` makes reference.npz anew; that is needed
after a change to a model, its seed or its samples, and at no other time. The figures
are stored in 16 bits, which is enough to tell the samples apart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pytest_mighetero.cpu import models
from pytest_mighetero.cpu.layers import FloatArray

_FILE = Path(__file__).with_name("reference.npz")
_BATCH = 32


def compute(benchmark: str) -> FloatArray:
    """Infer every sample of a benchmark: `[512, figures]`."""
    workload = models.create(benchmark)
    return np.concatenate(
        [
            workload.infer(workload.load(range(first, first + _BATCH)))
            for first in range(0, models.SAMPLE_COUNT, _BATCH)
        ]
    )


def load(benchmark: str) -> FloatArray:
    """Read the stored answers of a benchmark: `[512, figures]`.

    Raises:
        KeyError: The file knows no such benchmark.
    """
    with np.load(_FILE) as stored:
        return np.asarray(stored[benchmark], dtype=np.float32)


def main() -> None:
    """Compute all answers and store them."""
    parser = argparse.ArgumentParser(prog="reference", description=__doc__)
    parser.add_argument("--output", type=Path, default=_FILE)
    output = parser.parse_args().output
    answers = {name: compute(name).astype(np.float16) for name in models.MODELS}
    np.savez_compressed(output, **answers)  # type: ignore[arg-type]
    print(f"{output}: {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
