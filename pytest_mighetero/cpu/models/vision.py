"""The image and volume models: resnet50, the two ssd, 3d-unet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_mighetero.cpu.models.layers import (
    Array,
    Conv,
    Dense,
    DepthwiseConv,
    FloatArray,
    Weights,
    log_softmax,
    relu,
    sigmoid,
    softmax,
)

__all__ = ["ResNet50", "SsdMobileNet", "SsdResNet34", "UNet3d"]


def _tiles(random: np.random.RandomState, edge: int, dimensions: int) -> Array:
    """Return values in 0..255 made of coarse patches and fine noise.

    Patches make one sample differ from the next after pooling; pure noise would
    average out, and a swapped answer would go unnoticed.
    """
    shape = (*(4,) * dimensions, 3 if dimensions == 2 else 1)
    coarse = random.randint(0, 192, size=shape)
    for axis in range(dimensions):
        coarse = coarse.repeat(edge // 4, axis=axis)
    noise = np.frombuffer(random.bytes(coarse.size), dtype=np.uint8)
    return (coarse + noise.reshape(coarse.shape) // 4).astype(np.uint8)


def _centred(images: Array) -> FloatArray:
    """Map bytes to about -1..1."""
    scaled = images.astype(np.float32)
    scaled -= np.float32(128)
    scaled *= np.float32(1 / 64)
    return scaled


def _pool(x: FloatArray, cells: int, axes: int = 2) -> FloatArray:
    """Average `[batch, *space, channels]` down to `cells` per axis."""
    for axis in range(1, 1 + axes):
        shape = (*x.shape[:axis], cells, -1, *x.shape[axis + 1 :])
        x = x.reshape(shape).mean(axis=axis + 1)
    return x


@dataclass(frozen=True)
class _Residual:
    """A residual block; a bottleneck where `kernels` is (1, 3, 1)."""

    convs: tuple[Conv, ...]
    shortcut: Conv | None

    @classmethod
    def create(
        cls,
        weights: Weights,
        channels: tuple[int, ...],
        kernels: tuple[int, ...],
        stride: int,
    ) -> _Residual:
        steps = [stride if index == 0 else 1 for index in range(len(kernels))]
        convs = tuple(
            Conv.create(weights, inputs, outputs, kernel=kernel, stride=step)
            for inputs, outputs, kernel, step in zip(
                channels[:-1], channels[1:], kernels, steps, strict=True
            )
        )
        shortcut = None
        if stride != 1 or channels[0] != channels[-1]:
            shortcut = Conv.create(
                weights, channels[0], channels[-1], kernel=1, stride=stride
            )
        return cls(convs, shortcut)

    def __call__(self, x: FloatArray) -> FloatArray:
        y = x
        for conv in self.convs[:-1]:
            y = relu(conv(y))
        y = self.convs[-1](y)
        y += x if self.shortcut is None else self.shortcut(x)
        # Stands for the batch normalisation: without it the variance doubles.
        y *= np.float32(0.7)
        return relu(y)


class ResNet50:
    """Image classification: bottleneck blocks, global pooling, ten classes."""

    edge = 32

    def __init__(self, weights: Weights) -> None:
        self._stem = Conv.create(weights, 3, 16)
        self._blocks = [
            _Residual.create(weights, (16, 8, 8, 32), (1, 3, 1), 1),
            _Residual.create(weights, (32, 16, 16, 64), (1, 3, 1), 2),
            _Residual.create(weights, (64, 16, 16, 64), (1, 3, 1), 1),
            _Residual.create(weights, (64, 32, 32, 128), (1, 3, 1), 2),
        ]
        self._head = Dense.create(weights, 128, 10)

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one image, `[32, 32, 3]` bytes."""
        return _tiles(random, self.edge, 2)

    def __call__(self, batch: Array) -> FloatArray:
        """Return the log-probabilities, `[batch, 10]`."""
        x = relu(self._stem(_centred(batch)))
        for block in self._blocks:
            x = block(x)
        return log_softmax(self._head(x.mean(axis=(1, 2))))


class _Ssd:
    """The detection heads that both ssd share.

    A detector returns a varying number of boxes; here each cell of a 2 x 2 grid
    returns one box (centre and size, relative to the image) and three class scores.
    """

    cells = 2

    def __init__(self, weights: Weights, channels: int) -> None:
        self._boxes = Dense.create(weights, channels, 4)
        self._classes = Dense.create(weights, channels, 3)

    def __call__(self, features: FloatArray) -> FloatArray:
        """Map the feature map to `[batch, 2 * 2 * 7]`."""
        pooled = _pool(features, self.cells)
        boxes = sigmoid(self._boxes(pooled))
        scores = softmax(self._classes(pooled))
        return np.concatenate([boxes, scores], axis=-1).reshape(len(features), -1)


class SsdMobileNet:
    """Object detection on depthwise separable convolutions."""

    edge = 32

    def __init__(self, weights: Weights) -> None:
        self._stem = Conv.create(weights, 3, 16)
        self._blocks = [
            (
                DepthwiseConv.create(weights, inputs, stride=stride),
                Conv.create(weights, inputs, outputs, kernel=1),
            )
            for inputs, outputs, stride in [
                (16, 32, 1),
                (32, 64, 2),
                (64, 64, 1),
                (64, 128, 2),
            ]
        ]
        self._heads = _Ssd(weights, 128)

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one image, `[32, 32, 3]` bytes."""
        return _tiles(random, self.edge, 2)

    def __call__(self, batch: Array) -> FloatArray:
        """Return the boxes and scores, `[batch, 28]`."""
        x = relu(self._stem(_centred(batch)))
        for depthwise, pointwise in self._blocks:
            x = relu(pointwise(relu(depthwise(x))))
        return self._heads(x)


class SsdResNet34:
    """Object detection on basic residual blocks, with a larger image."""

    edge = 48

    def __init__(self, weights: Weights) -> None:
        self._stem = Conv.create(weights, 3, 16, stride=2)
        self._blocks = [
            _Residual.create(weights, (16, 16, 16), (3, 3), 1),
            _Residual.create(weights, (16, 32, 32), (3, 3), 2),
            _Residual.create(weights, (32, 64, 64), (3, 3), 2),
        ]
        self._heads = _Ssd(weights, 64)

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one image, `[48, 48, 3]` bytes."""
        return _tiles(random, self.edge, 2)

    def __call__(self, batch: Array) -> FloatArray:
        """Return the boxes and scores, `[batch, 28]`."""
        x = relu(self._stem(_centred(batch)))
        for block in self._blocks:
            x = block(x)
        return self._heads(x)


class UNet3d:
    """Volume segmentation: two levels down, two up, with skip connections."""

    edge = 12

    def __init__(self, weights: Weights) -> None:
        def conv(inputs: int, outputs: int, stride: int = 1) -> Conv:
            return Conv.create(weights, inputs, outputs, stride=stride, dimensions=3)

        self._enter = conv(1, 4)
        self._down = [conv(4, 8, 2), conv(8, 16, 2)]
        self._up = [conv(16 + 8, 8), conv(8 + 4, 4)]
        self._classes = Dense.create(weights, 4, 3)

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one volume, `[12, 12, 12, 1]` bytes."""
        return _tiles(random, self.edge, 3)

    def __call__(self, batch: Array) -> FloatArray:
        """Return each class's share of each octant, `[batch, 2 * 2 * 2 * 3]`.

        Segmenting every voxel happens; the answer sums it up to keep the log small.
        """
        fine = relu(self._enter(_centred(batch)))
        middle = relu(self._down[0](fine))
        coarse = relu(self._down[1](middle))
        for conv, skip in zip(self._up, (middle, fine), strict=True):
            for axis in (1, 2, 3):
                coarse = coarse.repeat(2, axis=axis)
            coarse = relu(conv(np.concatenate([coarse, skip], axis=-1)))
        voxels = softmax(self._classes(coarse))
        return _pool(voxels, 2, axes=3).reshape(len(batch), -1)
