"""Answers: each step of the model goes to all requests under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import NoReturn

import numpy as np

from pytest_mighetero.cpu.layers import FloatArray
from pytest_mighetero.llm.completion import Completion
from pytest_mighetero.llm.transformer import Memory, Transformer
from pytest_mighetero.llm.vocabulary import ANSWERS, END

_CHUNK = 256  # of a prompt, read in one step: others' tokens wait no longer than that


class Answer:
    """One request's answer, which grows while its reader iterates over it."""

    def __init__(self, asked: Completion, memory: Memory) -> None:
        self.asked = asked
        self.memory = memory
        self.unread = asked.prompt
        self.tokens = 0
        self.finish_reason = ""
        self.abandoned = False
        self.random = np.random.RandomState(asked.seed)
        self._texts: SimpleQueue[str] = SimpleQueue()

    def __iter__(self) -> Iterator[str]:
        """Return the text of each token as it comes, until there is a finish reason."""
        return iter(self._texts.get, "")

    def next_bytes(self) -> bytes:
        """Return what the model reads of it in the next step."""
        head, self.unread = self.unread[:_CHUNK], self.unread[_CHUNK:]
        return head

    def choose(self, logits: FloatArray) -> None:
        """Draw the next token, by what the model says is likely."""
        asked = self.asked
        scores = logits.astype(np.float64)
        if asked.temperature:
            # The largest of the sums is a draw from the softmax (Gumbel's trick).
            scores += asked.temperature * self.random.gumbel(size=scores.shape)
        if asked.ignore_eos or self.tokens < asked.min_tokens:
            scores[END] = -np.inf
        token = int(scores.argmax())
        if token == END:
            self._finish("stop")
            return
        self.tokens += 1
        self.unread = ANSWERS[token].encode()
        self._texts.put(ANSWERS[token])
        if self.tokens == asked.max_tokens:
            self._finish("length")

    def _finish(self, reason: str) -> None:
        self.finish_reason = reason
        self._texts.put("")


class Engine:
    """Runs the model in the thread that calls `run`; other threads `submit`."""

    def __init__(self, model: Transformer, batch: int) -> None:
        """Answer at most *batch* requests at a time; the others wait their turn."""
        self._model = model
        self._batch = batch
        self._submitted: SimpleQueue[Answer] = SimpleQueue()

    def submit(self, asked: Completion) -> Answer:
        """Return the answer, which is not there yet."""
        tokens = len(asked.prompt) + asked.max_tokens
        answer = Answer(asked, Memory(self._model.size, tokens))
        self._submitted.put(answer)
        return answer

    def run(self) -> NoReturn:
        """Answer requests, for ever."""
        waiting: deque[Answer] = deque()
        active: list[Answer] = []
        while True:
            waiting.extend(self._arrived(wait=not waiting and not active))
            while waiting and len(active) < self._batch:
                active.append(waiting.popleft())
            active = [answer for answer in active if not answer.abandoned]
            if active:
                self._step(active)
            active = [answer for answer in active if not answer.finish_reason]

    def _arrived(self, *, wait: bool) -> Iterator[Answer]:
        if wait:
            yield self._submitted.get()
        while True:
            try:
                yield self._submitted.get_nowait()
            except Empty:
                return

    def _step(self, active: list[Answer]) -> None:
        texts = [(answer.memory, answer.next_bytes()) for answer in active]
        for answer, logits in zip(active, self._model.read(texts), strict=True):
            if not answer.unread:
                answer.choose(logits)
