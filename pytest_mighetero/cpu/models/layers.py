"""Building blocks of the models, on NumPy only, batch first and channels last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from typing import Any

    import numpy.typing as npt

__all__ = [
    "Array",
    "Conv",
    "Dense",
    "DepthwiseConv",
    "FloatArray",
    "Weights",
    "layer_norm",
    "log_softmax",
    "relu",
    "sigmoid",
    "softmax",
]

Array: TypeAlias = "npt.NDArray[Any]"
FloatArray: TypeAlias = "npt.NDArray[np.float32]"


class Weights:
    """A source of fixed random weights.

    NumPy freezes the stream of `RandomState`, so that a seed gives the same weights
    under every NumPy version.

    Args:
        seed: The seed; each benchmark has its own.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.RandomState(seed)

    def normal(self, *shape: int, fan_in: int) -> FloatArray:
        """Draw weights with the variance 2 / fan_in, which keeps ReLU layers stable."""
        scale = (2.0 / fan_in) ** 0.5
        drawn = self._random.standard_normal(shape) * scale
        return np.asarray(drawn, dtype=np.float32)


def relu(x: FloatArray) -> FloatArray:
    """Clip below zero, in place."""
    return np.maximum(x, np.float32(0), out=x)


def sigmoid(x: FloatArray) -> FloatArray:
    """Return the logistic function, through tanh, which cannot overflow."""
    result: FloatArray = np.tanh(x * np.float32(0.5))
    result *= np.float32(0.5)
    result += np.float32(0.5)
    return result


def softmax(x: FloatArray) -> FloatArray:
    """Return the softmax over the last axis."""
    weights: FloatArray = np.exp(x - x.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def log_softmax(x: FloatArray) -> FloatArray:
    """Return the logarithm of the softmax over the last axis."""
    shifted: FloatArray = x - x.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def layer_norm(x: FloatArray) -> FloatArray:
    """Normalise the last axis to mean 0 and variance 1."""
    centred: FloatArray = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    centred /= np.sqrt(variance + np.float32(1e-5))
    return centred


@dataclass(frozen=True)
class Dense:
    """A fully connected layer on the last axis."""

    weight: FloatArray
    bias: FloatArray

    @classmethod
    def create(cls, weights: Weights, inputs: int, outputs: int) -> Dense:
        """Draw a layer of the given widths."""
        return cls(
            weights.normal(inputs, outputs, fan_in=inputs),
            weights.normal(outputs, fan_in=200),
        )

    def __call__(self, x: FloatArray) -> FloatArray:
        """Map `[..., inputs]` to `[..., outputs]`."""
        # One matrix product over all leading axes: BLAS sees one large matrix.
        flat = x.reshape(-1, x.shape[-1]) @ self.weight
        flat += self.bias
        return flat.reshape(*x.shape[:-1], -1)


@dataclass(frozen=True)
class Conv:
    """A convolution in 2 or 3 dimensions: windows unrolled, then one product.

    Attributes:
        dense: The kernel as a matrix `[channels in * kernel volume, channels out]`.
        kernel: The window's edge; an odd number, padded to keep the size.
        stride: The step, the same in every dimension.
        dimensions: 2 for images, 3 for volumes.
    """

    dense: Dense
    kernel: int
    stride: int
    dimensions: int

    @classmethod
    def create(  # noqa: PLR0913 - the shape of a convolution has this many numbers
        cls,
        weights: Weights,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        dimensions: int = 2,
    ) -> Conv:
        """Draw a layer of the given channels."""
        dense = Dense.create(weights, inputs * kernel**dimensions, outputs)
        return cls(dense, kernel, stride, dimensions)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Map `[batch, *space, channels in]` to `[batch, *space / stride, out]`."""
        axes = tuple(range(1, 1 + self.dimensions))
        step = (slice(None), *(slice(None, None, self.stride),) * self.dimensions)
        if self.kernel == 1:
            return self.dense(x[step])
        margin = self.kernel // 2
        pad = [(0, 0), *[(margin, margin)] * self.dimensions, (0, 0)]
        windows = sliding_window_view(
            np.pad(x, pad), (self.kernel,) * self.dimensions, axis=axes
        )[step]
        return self.dense(windows.reshape(*windows.shape[: 1 + self.dimensions], -1))


@dataclass(frozen=True)
class DepthwiseConv:
    """A 3x3 convolution of each channel by itself, as MobileNet uses it.

    Attributes:
        weight: `[3, 3, channels]`.
        stride: The step in both dimensions.
    """

    weight: FloatArray
    stride: int

    @classmethod
    def create(cls, weights: Weights, channels: int, *, stride: int) -> DepthwiseConv:
        """Draw a layer for the given channels."""
        return cls(weights.normal(3, 3, channels, fan_in=9), stride)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Map `[batch, height, width, channels]` to the same, shrunk by the stride."""
        _, height, width, _ = x.shape
        padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
        step = self.stride
        result = np.zeros_like(x[:, ::step, ::step])
        for row in range(3):
            for column in range(3):
                shifted = padded[
                    :, row : row + height : step, column : column + width : step
                ]
                result += shifted * self.weight[row, column]
        return result
