"""A transformer decoder on NumPy, with a cache of keys and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_mighetero.cpu.layers import (
    FloatArray,
    Weights,
    layer_norm,
    relu,
    softmax,
)
from pytest_mighetero.llm.vocabulary import LOGITS

_BYTES = 256
_SEED = 20_190_621  # any: the weights have to be the same each time, no more


@dataclass(frozen=True)
class Size:
    """How large the model is: a token costs about `24 * layers * width**2` FLOP."""

    layers: int = 2
    width: int = 128
    heads: int = 4
    context: int = 4096


class Memory:
    """What the model keeps of one text: the keys and values of each token read."""

    def __init__(self, size: Size, tokens: int) -> None:
        """Make room for so many *tokens*."""
        shape = (size.layers, 2, size.heads, tokens, size.width // size.heads)
        self.kept = np.empty(shape, dtype=np.float32)
        self.length = 0


class Transformer:
    """The model: reads bytes, and says how likely each next token is."""

    def __init__(self, size: Size) -> None:
        """Draw the weights.

        Raises:
            ValueError: The width is not a multiple of the heads.
        """
        if size.width % size.heads:
            raise ValueError(
                f"width: expected a multiple of the {size.heads} heads, "
                f"found {size.width}"
            )
        self.size = size
        weights, width = Weights(_SEED), size.width
        self._words = weights.normal(_BYTES, width, fan_in=2)
        self._places = _waves(size.context, width)
        self._blocks = [
            (
                weights.dense(width, 3 * width),
                weights.dense(width, width),
                weights.dense(width, 4 * width),
                weights.dense(4 * width, width),
            )
            for _ in range(size.layers)
        ]
        self._head = weights.dense(width, LOGITS)

    def read(self, texts: Sequence[tuple[Memory, bytes]]) -> FloatArray:
        """Read the next bytes of each text; return `[text, LOGITS]` of what follows.

        All texts' tokens go through a layer as one matrix; each attends to its own.
        """
        words = np.frombuffer(b"".join(new for _, new in texts), dtype=np.uint8)
        places = [range(text.length, text.length + len(new)) for text, new in texts]
        x = self._words[words] + self._places[np.concatenate(places)]
        ends = np.cumsum([len(new) for _, new in texts])
        for layer, (project, merge, widen, narrow) in enumerate(self._blocks):
            parts = np.split(project(layer_norm(x)), ends[:-1])
            mixed = [
                self._attend(text, layer, part)
                for (text, _), part in zip(texts, parts, strict=True)
            ]
            x = x + merge(np.concatenate(mixed))
            x = x + narrow(relu(widen(layer_norm(x))))
        for text, new in texts:
            text.length += len(new)
        return self._head(layer_norm(x[ends - 1])) * np.float32(0.5)

    def _attend(self, text: Memory, layer: int, projected: FloatArray) -> FloatArray:
        """Mix each new token with those up to it: `[tokens, 3 * width]` to `width`."""
        new, heads = len(projected), self.size.heads
        query, *remembered = projected.reshape(new, 3, heads, -1).transpose(1, 2, 0, 3)
        end = text.length + new
        text.kept[layer, :, :, text.length : end] = remembered
        keys, values = text.kept[layer, :, :, :end]
        scores = query @ keys.swapaxes(-1, -2)
        scores *= np.float32((self.size.width / heads) ** -0.5)
        if new > 1:
            later = np.arange(end) > np.arange(text.length, end)[:, np.newaxis]
            scores[:, later] = -np.inf
        mixed: FloatArray = (softmax(scores) @ values).swapaxes(0, 1)
        return mixed.reshape(new, -1)


def _waves(places: int, width: int) -> FloatArray:
    """Return what tells one place from another: waves from short to long."""
    lengths = 10_000.0 ** (np.arange(0, width, 2) / width)
    angles = np.arange(places)[:, np.newaxis] / lengths
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    return np.asarray(waves[:, :width], dtype=np.float32)
