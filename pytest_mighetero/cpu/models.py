"""One small model of the right kind for each of the seven benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
from numpy.random import RandomState

from pytest_mighetero.cpu import layers as nn
from pytest_mighetero.cpu.layers import Array, FloatArray, Layer, Weights

SAMPLE_COUNT = 512
"""Samples per benchmark. TEST04-A issues each once, and at 99 % LoadGen's early
stopping wants 459 queries of a Server run, so fewer could never be VALID."""

_DENSE, _TABLES, _BAG, _ROWS = 13, 8, 2, 1000  # what a DLRM sample consists of

Sampler: TypeAlias = Callable[[RandomState], Array]


def _tiles(edge: int, axes: int = 2) -> Sampler:
    """Return images or volumes of bytes made of coarse patches and fine noise.

    Patches make one sample differ from the next after pooling; pure noise would
    average out, and a swapped answer would go unnoticed.
    """

    def sample(random: RandomState) -> Array:
        coarse = random.randint(0, 192, size=(*(4,) * axes, 3 if axes == 2 else 1))
        for axis in range(axes):
            coarse = coarse.repeat(edge // 4, axis=axis)
        return (coarse + random.randint(0, 64, size=coarse.shape)).astype(np.uint8)

    return sample


def _tokens(random: RandomState) -> Array:
    """Draw a text of 32 words."""
    return random.randint(0, 512, size=32).astype(np.int32)


def _clicks(random: RandomState) -> Array:
    """Draw one user with 64 items: per pair dense features, then bags of rows."""
    dense = random.random_sample((64, _DENSE))
    rows = random.randint(0, _ROWS, size=(64, _TABLES * _BAG))
    return np.concatenate([dense, rows], axis=1).astype(np.float32)


def _speech(random: RandomState) -> Array:
    """Draw an utterance of 40 frames with 40 features: four steady sounds."""
    frames = random.standard_normal((4, 40)).repeat(10, axis=0)
    return (frames + 0.3 * random.standard_normal(frames.shape)).astype(np.float32)


def _centred(images: Array) -> FloatArray:
    """Map bytes to about -1..1."""
    return (images.astype(np.float32) - np.float32(128)) * np.float32(1 / 64)


def _resnet50(weights: Weights) -> Layer:
    """Image classification: residual blocks, global pooling, ten classes."""
    return nn.chain(
        _centred,
        weights.conv(3, 16),
        nn.relu,
        weights.residual(16, 8, 32),
        weights.residual(32, 16, 64, stride=2),
        weights.residual(64, 16, 64),
        weights.residual(64, 32, 128, stride=2),
        lambda x: x.mean(axis=(1, 2)),
        weights.dense(128, 10),
        nn.log_softmax,
    )


def _detector(weights: Weights, channels: int, *body: Layer) -> Layer:
    """Object detection: a convolutional body, then what both ssd share.

    A detector returns a varying number of boxes; here each cell of a 2 x 2 grid
    returns one box (centre and size, relative to the image) and three class scores.
    """
    boxes, classes = weights.dense(channels, 4), weights.dense(channels, 3)
    features = nn.chain(_centred, *body)

    def detect(images: Array) -> FloatArray:
        cells = nn.pool(features(images), cells=2)
        found = [nn.sigmoid(boxes(cells)), nn.softmax(classes(cells))]
        return np.concatenate(found, axis=-1).reshape(len(images), -1)

    return detect


def _ssd_mobilenet(weights: Weights) -> Layer:
    """Object detection on depthwise separable convolutions."""

    def separable(inputs: int, outputs: int, stride: int = 1) -> Layer:
        depthwise = weights.depthwise(inputs, stride=stride)
        return nn.chain(depthwise, nn.relu, weights.dense(inputs, outputs), nn.relu)

    return _detector(
        weights,
        128,
        weights.conv(3, 16),
        nn.relu,
        separable(16, 32),
        separable(32, 64, stride=2),
        separable(64, 64),
        separable(64, 128, stride=2),
    )


def _ssd_resnet34(weights: Weights) -> Layer:
    """Object detection on residual blocks, with a larger image."""
    return _detector(
        weights,
        64,
        weights.conv(3, 16, stride=2),
        nn.relu,
        weights.residual(16, 32, 16),
        weights.residual(16, 32, 32, stride=2),
        weights.residual(32, 64, 64, stride=2),
    )


def _unet(weights: Weights) -> Layer:
    """Volume segmentation: two levels down, two up, with skip connections.

    Segmenting every voxel happens; the answer, each class's share of each octant,
    sums it up to keep the log small.
    """

    def conv(inputs: int, outputs: int, stride: int = 1) -> Layer:
        return nn.chain(weights.conv(inputs, outputs, stride=stride, axes=3), nn.relu)

    def beside(x: FloatArray, skip: FloatArray) -> FloatArray:
        for axis in (1, 2, 3):
            x = x.repeat(2, axis=axis)
        return np.concatenate([x, skip], axis=-1)

    enter, down, bottom = conv(1, 4), conv(4, 8, stride=2), conv(8, 16, stride=2)
    up, top = conv(16 + 8, 8), conv(8 + 4, 4)
    classes = weights.dense(4, 3)

    def segment(volumes: Array) -> FloatArray:
        fine = enter(_centred(volumes))
        middle = down(fine)
        merged = top(beside(up(beside(bottom(middle), middle)), fine))
        voxels = nn.softmax(classes(merged))
        return nn.pool(voxels, cells=2).reshape(len(volumes), -1)

    return segment


def _bert(weights: Weights) -> Layer:
    """Question answering: log-probabilities of the answer's start and its end."""
    words = weights.normal(512, 128, fan_in=2)
    positions = weights.normal(32, 128, fan_in=20)
    return nn.chain(
        lambda tokens: nn.layer_norm(words[tokens] + positions),
        weights.attention(128, heads=4),
        weights.attention(128, heads=4),
        weights.dense(128, 2),
        lambda logits: nn.log_softmax(logits.swapaxes(1, 2)).reshape(len(logits), -1),
    )


def _dlrm(weights: Weights) -> Layer:
    """Recommendation: embeddings and an MLP say how likely a user clicks on each item.

    As in MLPerf's dlrm a sample is many user-item pairs; a pair is what it sees.
    """
    table = weights.normal(_TABLES * _ROWS, 16, fan_in=4)
    offsets = (np.arange(_TABLES) * _ROWS)[:, None]
    bottom = nn.chain(
        weights.dense(_DENSE, 64), nn.relu, weights.dense(64, 16), nn.relu
    )
    above = np.triu_indices(_TABLES + 1, k=1)
    top = nn.chain(
        weights.dense(16 + len(above[0]), 512),
        nn.relu,
        weights.dense(512, 256),
        nn.relu,
        weights.dense(256, 1),
        lambda x: nn.sigmoid(x * np.float32(0.25)),
    )

    def rate(batch: Array) -> FloatArray:
        pairs = batch.reshape(-1, batch.shape[-1])
        dense = bottom(pairs[:, :_DENSE])
        rows = pairs[:, _DENSE:].astype(np.int64).reshape(-1, _TABLES, _BAG) + offsets
        bags = table[rows].sum(axis=2)
        vectors = np.concatenate([dense[:, None], bags], axis=1)
        products = (vectors @ vectors.swapaxes(1, 2))[:, above[0], above[1]]
        return top(np.concatenate([dense, products], axis=1)).reshape(len(batch), -1)

    return rate


def _rnnt(weights: Weights) -> Layer:
    """Speech recognition: two recurrent encoders, the second at half the frames.

    The answer is the log-probabilities of eight characters after each quarter.
    """
    width = 192
    return nn.chain(
        weights.lstm(40, width),
        lambda x: x.reshape(len(x), -1, 2 * width),
        weights.lstm(2 * width, width),
        lambda states: states[:, 4::5],
        weights.dense(width, width),
        nn.relu,
        weights.dense(width, 8),
        lambda logits: nn.log_softmax(logits).reshape(len(logits), -1),
    )


MODELS: dict[str, tuple[int, Sampler, Callable[[Weights], Layer]]] = {
    "3d-unet": (301, _tiles(12, axes=3), _unet),
    "bert": (302, _tokens, _bert),
    "dlrm": (303, _clicks, _dlrm),
    "resnet50": (304, _tiles(32), _resnet50),
    "rnnt": (305, _speech, _rnnt),
    "ssd-mobilenet": (306, _tiles(32), _ssd_mobilenet),
    "ssd-resnet34": (307, _tiles(48), _ssd_resnet34),
}
"""The seed of weights and samples, what draws a sample, and what builds the model."""


class Workload:
    """A benchmark's model, with the same weights every time, and its fixed samples."""

    def __init__(self, benchmark: str) -> None:
        self._seed, self._sample, build = MODELS[benchmark]
        self._model = build(Weights(self._seed))

    def load(self, indices: Iterable[int]) -> Array:
        """Make the samples of these numbers, stacked in the order given."""
        randoms = (RandomState((self._seed, index)) for index in indices)
        return np.stack([self._sample(random) for random in randoms])

    def infer(self, batch: Array) -> FloatArray:
        """Return one contiguous float32 row of answers per sample."""
        return np.ascontiguousarray(self._model(batch), dtype=np.float32)
