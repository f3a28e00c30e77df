"""Layers on NumPy alone: batch first, channels last."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Array: TypeAlias = npt.NDArray[Any]
FloatArray: TypeAlias = npt.NDArray[np.float32]
Layer: TypeAlias = Callable[[FloatArray], FloatArray]


def chain(*layers: Layer) -> Layer:
    """Return the layers one after the other, as one."""
    return lambda x: reduce(lambda value, layer: layer(value), layers, x)


def relu(x: FloatArray) -> FloatArray:
    """Clip below zero, in place."""
    return np.maximum(x, np.float32(0), out=x)


def sigmoid(x: FloatArray) -> FloatArray:
    """Return the logistic function, through tanh, which cannot overflow."""
    result: FloatArray = np.tanh(x * np.float32(0.5)) * np.float32(0.5)
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
    centred /= np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + 1e-5)
    return centred


def pool(x: FloatArray, cells: int) -> FloatArray:
    """Average `[batch, *space, channels]` down to so many cells along each axis."""
    for axis in range(1, x.ndim - 1):
        shape = (*x.shape[:axis], cells, -1, *x.shape[axis + 1 :])
        x = x.reshape(shape).mean(axis=axis + 1)
    return x


def _windows(x: FloatArray, stride: int) -> FloatArray:
    """Return the 3 cells wide windows: `[batch, *space, channels, *window]`."""
    axes = x.ndim - 2
    padded = np.pad(x, [(0, 0), *[(1, 1)] * axes, (0, 0)])
    space = tuple(range(1, 1 + axes))
    step = (slice(None), *[slice(None, None, stride)] * axes)
    return sliding_window_view(padded, (3,) * axes, axis=space)[step]


class Weights:
    """A source of fixed random weights, and of the layers that have some.

    NumPy freezes the stream of `RandomState`, so that a seed gives the same weights
    under every NumPy version.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.RandomState(seed)

    def normal(self, *shape: int, fan_in: int) -> FloatArray:
        """Draw weights with the variance 2 / fan_in, which keeps ReLU layers stable."""
        drawn = self._random.standard_normal(shape) * (2.0 / fan_in) ** 0.5
        return np.asarray(drawn, dtype=np.float32)

    def dense(self, inputs: int, outputs: int) -> Layer:
        """Return a fully connected layer on the last axis."""
        weight = self.normal(inputs, outputs, fan_in=inputs)
        bias = self.normal(outputs, fan_in=200)

        def apply(x: FloatArray) -> FloatArray:
            # One product over all leading axes: BLAS sees one large matrix.
            flat = x.reshape(-1, inputs) @ weight
            flat += bias
            return flat.reshape(*x.shape[:-1], outputs)

        return apply

    def conv(
        self, inputs: int, outputs: int, *, stride: int = 1, axes: int = 2
    ) -> Layer:
        """Return a convolution of 3 cells along each of 2 or 3 axes."""
        dense = self.dense(inputs * 3**axes, outputs)

        def apply(x: FloatArray) -> FloatArray:
            windows = _windows(x, stride)
            return dense(windows.reshape(*windows.shape[: 1 + axes], -1))

        return apply

    def depthwise(self, channels: int, *, stride: int = 1) -> Layer:
        """Return a 3x3 convolution of each channel by itself, as in MobileNet."""
        weight = self.normal(3, 3, channels, fan_in=9)

        def apply(x: FloatArray) -> FloatArray:
            windows = _windows(x, stride)
            parts = (windows[..., i, j] * weight[i, j] for i, j in np.ndindex(3, 3))
            return sum(parts, start=np.zeros(channels, dtype=np.float32))

        return apply

    def residual(self, inputs: int, inner: int, outputs: int, stride: int = 1) -> Layer:
        """Return a bottleneck of three convolutions beside a projected shortcut."""
        narrow, wide = self.dense(inputs, inner), self.dense(inner, outputs)
        middle = self.conv(inner, inner)
        shortcut = self.dense(inputs, outputs)

        def apply(x: FloatArray) -> FloatArray:
            x = x[:, ::stride, ::stride]
            y = wide(relu(middle(relu(narrow(x)))))
            # Stands for the batch normalisation: without it the variance doubles.
            return relu((y + shortcut(x)) * np.float32(0.7))

        return apply

    def attention(self, width: int, heads: int) -> Layer:
        """Return a transformer block: self-attention, then a feed-forward net."""
        project, merge = self.dense(width, 3 * width), self.dense(width, width)
        widen, narrow = self.dense(width, 4 * width), self.dense(4 * width, width)

        def apply(x: FloatArray) -> FloatArray:
            split = project(x).reshape(*x.shape[:2], 3, heads, -1)
            query, key, value = split.transpose(2, 0, 3, 1, 4)
            scores = query @ key.swapaxes(-1, -2) * np.float32((width / heads) ** -0.5)
            mixed = (softmax(scores) @ value).swapaxes(1, 2).reshape(x.shape)
            x = layer_norm(x + merge(mixed))
            return layer_norm(x + narrow(relu(widen(x))))

        return apply

    def lstm(self, inputs: int, width: int) -> Layer:
        """Return a long short-term memory: `[batch, steps, inputs]` to its states."""
        enter, carry = self.dense(inputs, 4 * width), self.dense(width, 4 * width)

        def apply(x: FloatArray) -> FloatArray:
            gates = enter(x)
            hidden = memory = np.zeros((len(x), width), dtype=np.float32)
            states = []
            for step in range(x.shape[1]):
                now = gates[:, step] + carry(hidden)
                let = sigmoid(now[:, : 3 * width]).reshape(-1, 3, width)
                forget, write, read = let.swapaxes(0, 1)
                memory = forget * memory + write * np.tanh(now[:, 3 * width :])
                hidden = read * np.tanh(memory)
                states.append(hidden)
            return np.stack(states, axis=1)

        return apply
