"""The models on tokens, clicks and speech: bert, dlrm, rnnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_mighetero.cpu.models.layers import (
    Array,
    Dense,
    FloatArray,
    Weights,
    layer_norm,
    log_softmax,
    relu,
    sigmoid,
    softmax,
)

__all__ = ["Bert", "Dlrm", "RnnT"]


@dataclass(frozen=True)
class _Attention:
    """One transformer block: self-attention, then a feed-forward net."""

    heads: int
    project: Dense
    merge: Dense
    widen: Dense
    narrow: Dense

    @classmethod
    def create(cls, weights: Weights, width: int, heads: int) -> _Attention:
        return cls(
            heads,
            Dense.create(weights, width, 3 * width),
            Dense.create(weights, width, width),
            Dense.create(weights, width, 4 * width),
            Dense.create(weights, 4 * width, width),
        )

    def __call__(self, x: FloatArray) -> FloatArray:
        batch, length, width = x.shape
        split = self.project(x).reshape(batch, length, 3, self.heads, -1)
        query, key, value = split.transpose(2, 0, 3, 1, 4)
        scores = query @ key.swapaxes(-1, -2)
        scores *= np.float32((width // self.heads) ** -0.5)
        mixed = (softmax(scores) @ value).swapaxes(1, 2).reshape(x.shape)
        x = layer_norm(x + self.merge(mixed))
        return layer_norm(x + self.narrow(relu(self.widen(x))))


class Bert:
    """Question answering: where in the text the answer starts and ends."""

    length = 32
    width = 128
    vocabulary = 512

    def __init__(self, weights: Weights) -> None:
        self._tokens = weights.normal(self.vocabulary, self.width, fan_in=2)
        self._positions = weights.normal(self.length, self.width, fan_in=20)
        self._blocks = [_Attention.create(weights, self.width, 4) for _ in range(2)]
        self._span = Dense.create(weights, self.width, 2)

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one text, `[32]` token numbers."""
        return random.randint(0, self.vocabulary, size=self.length).astype(np.int32)

    def __call__(self, batch: Array) -> FloatArray:
        """Return the start's, then the end's log-probabilities, `[batch, 64]`."""
        x = layer_norm(self._tokens[batch] + self._positions)
        for block in self._blocks:
            x = block(x)
        logits = self._span(x).swapaxes(1, 2)
        return log_softmax(logits).reshape(len(batch), -1)


class Dlrm:
    """Recommendation: how likely a user clicks on each of 64 items.

    As in MLPerf's dlrm a sample is one user with many items; a user-item pair is
    what the model sees.
    """

    pairs = 64
    dense_features = 13
    tables = 8
    rows = 1000
    bag = 2
    width = 16

    def __init__(self, weights: Weights) -> None:
        self._embeddings = weights.normal(self.tables * self.rows, self.width, fan_in=4)
        self._offsets = (np.arange(self.tables) * self.rows)[:, None]
        self._bottom = [
            Dense.create(weights, self.dense_features, 64),
            Dense.create(weights, 64, self.width),
        ]
        vectors = self.tables + 1
        self._above = np.triu_indices(vectors, k=1)
        interactions = vectors * (vectors - 1) // 2
        self._top = [
            Dense.create(weights, self.width + interactions, 512),
            Dense.create(weights, 512, 256),
        ]
        self._click = Dense.create(weights, 256, 1)

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one user: `[64, 13 + 8 * 2]`, the dense features and bags of rows."""
        dense = random.random_sample((self.pairs, self.dense_features))
        shape = (self.pairs, self.tables * self.bag)
        rows = random.randint(0, self.rows, size=shape)
        return np.concatenate([dense, rows], axis=1).astype(np.float32)

    def __call__(self, batch: Array) -> FloatArray:
        """Return the click probabilities, `[batch, 64]`."""
        flat = batch.reshape(-1, batch.shape[-1])
        dense = flat[:, : self.dense_features]
        for layer in self._bottom:
            dense = relu(layer(dense))
        rows = flat[:, self.dense_features :].astype(np.int64)
        rows = rows.reshape(len(flat), self.tables, self.bag) + self._offsets
        bags = self._embeddings[rows].sum(axis=2)
        vectors = np.concatenate([dense[:, None], bags], axis=1)
        products = vectors @ vectors.swapaxes(1, 2)
        x = np.concatenate([dense, products[:, self._above[0], self._above[1]]], axis=1)
        for layer in self._top:
            x = relu(layer(x)) * np.float32(0.5)
        return sigmoid(self._click(x)).reshape(len(batch), self.pairs)


@dataclass(frozen=True)
class _Lstm:
    """A long short-term memory cell with its two weight matrices."""

    enter: Dense
    carry: Dense

    @classmethod
    def create(cls, weights: Weights, inputs: int, width: int) -> _Lstm:
        return cls(
            Dense.create(weights, inputs, 4 * width),
            Dense.create(weights, width, 4 * width),
        )

    def run(self, x: FloatArray) -> FloatArray:
        """Map `[batch, steps, inputs]` to the states `[batch, steps, width]`."""
        gates = self.enter(x)
        batch, steps, wide = gates.shape
        width = wide // 4
        hidden = np.zeros((batch, width), dtype=np.float32)
        memory = np.zeros_like(hidden)
        states = np.empty((batch, steps, width), dtype=np.float32)
        for step in range(steps):
            now = gates[:, step] + self.carry(hidden)
            let = sigmoid(now[:, : 3 * width])
            memory = let[:, :width] * memory
            memory += let[:, width : 2 * width] * np.tanh(now[:, 3 * width :])
            hidden = let[:, 2 * width :] * np.tanh(memory)
            states[:, step] = hidden
        return states


class RnnT:
    """Speech recognition: two recurrent encoders, a predictor and a joint net.

    The answer is the joint net's view of eight characters after each quarter of the
    utterance, the most likely one being fed to the predictor's recurrence.
    """

    frames = 40
    features = 40
    width = 192
    characters = 8
    quarters = 4

    def __init__(self, weights: Weights) -> None:
        self._encoders = [
            _Lstm.create(weights, self.features, self.width),
            _Lstm.create(weights, 2 * self.width, self.width),
        ]
        self._characters = weights.normal(self.characters, self.width, fan_in=4)
        self._predictor = Dense.create(weights, 2 * self.width, self.width)
        self._joint = Dense.create(weights, 2 * self.width, self.width)
        self._output = Dense.create(weights, self.width, self.characters)

    def sample(self, random: np.random.RandomState) -> Array:
        """Draw one utterance, `[40, 40]` filter-bank features."""
        steady = random.standard_normal((self.quarters, self.features))
        frames = steady.repeat(self.frames // self.quarters, axis=0)
        frames += 0.3 * random.standard_normal(frames.shape)
        return frames.astype(np.float32)

    def __call__(self, batch: Array) -> FloatArray:
        """Return the log-probabilities, `[batch, 4 * 8]`."""
        first = self._encoders[0].run(batch)
        # The second encoder sees two frames at a time, as RNN-T stacks time.
        stacked = first.reshape(len(batch), self.frames // 2, -1)
        encoded = self._encoders[1].run(stacked)
        state = np.zeros((len(batch), self.width), dtype=np.float32)
        symbol = np.zeros((len(batch), self.width), dtype=np.float32)
        answers = []
        every = encoded.shape[1] // self.quarters
        for quarter in range(self.quarters):
            state = np.tanh(self._predictor(np.concatenate([state, symbol], axis=1)))
            heard = encoded[:, (quarter + 1) * every - 1]
            joint = relu(self._joint(np.concatenate([heard, state], axis=1)))
            answer = log_softmax(self._output(joint))
            answers.append(answer)
            # The expected character instead of the best one: a tie within rounding
            # would otherwise send two BLAS libraries down different paths.
            symbol = np.exp(answer) @ self._characters
        return np.concatenate(answers, axis=1)
