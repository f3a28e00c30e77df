"""One small model of the right kind for each of the seven benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pytest_mighetero.cpu.models.layers import Array, FloatArray, Weights
from pytest_mighetero.cpu.models.sequence import Bert, Dlrm, RnnT
from pytest_mighetero.cpu.models.vision import (
    ResNet50,
    SsdMobileNet,
    SsdResNet34,
    UNet3d,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["MODELS", "SAMPLE_COUNT", "Model", "Workload", "create"]

SAMPLE_COUNT = 512
"""Samples per benchmark. TEST04-A issues each once, and at 99 % LoadGen's early
stopping wants 459 queries of a Server run, so fewer could never be VALID."""


class Model(Protocol):
    """What a model offers."""

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one sample's input."""

    def __call__(self, batch: Array) -> FloatArray:
        """Map stacked inputs to one row of answers each."""


MODELS: dict[str, tuple[int, Callable[[Weights], Model]]] = {
    "3d-unet": (301, UNet3d),
    "bert": (302, Bert),
    "dlrm": (303, Dlrm),
    "resnet50": (304, ResNet50),
    "rnnt": (305, RnnT),
    "ssd-mobilenet": (306, SsdMobileNet),
    "ssd-resnet34": (307, SsdResNet34),
}
"""The seed of weights and samples, and the model's class, per benchmark."""


@dataclass(frozen=True)
class Workload:
    """A benchmark's model together with its fixed sample set."""

    benchmark: str
    seed: int
    model: Model

    def load(self, indices: Iterable[int]) -> Array:
        """Make the samples of these numbers, stacked in the order given."""
        return np.stack(
            [
                self.model.sample(np.random.RandomState((self.seed, index)))
                for index in indices
            ]
        )

    def infer(self, batch: Array) -> FloatArray:
        """Return one contiguous float32 row of answers per sample."""
        return np.ascontiguousarray(self.model(batch), dtype=np.float32)


def create(benchmark: str) -> Workload:
    """Build the model of a benchmark; the same weights every time.

    Raises:
        KeyError: `benchmark` is not one of `MODELS`.
    """
    seed, build = MODELS[benchmark]
    return Workload(benchmark, seed, build(Weights(seed)))
