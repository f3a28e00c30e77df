"""The system under test and the sample library that LoadGen drives."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import mlperf_loadgen as lg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_mighetero.cpu.models import Workload
    from pytest_mighetero.cpu.models.layers import Array, FloatArray

__all__ = ["RESPONSES_PER_CALL", "SampleLibrary", "SystemUnderTest", "Warmup"]

RESPONSES_PER_CALL = 256
"""LoadGen 6.0.17's binding crashes above about 1,000 responses in one call."""

_MIN_WARMUP_BATCHES = 10

# LoadGen's response id and the sample's number.
Query: TypeAlias = "tuple[int, int]"


class SampleLibrary:
    """The samples LoadGen asked to have in memory."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._rows: dict[int, int] = {}
        self._stored: Array | None = None

    def load(self, indices: Sequence[int]) -> None:
        """Make the samples of these numbers: LoadGen's LoadSamplesToRam."""
        self._stored = self._workload.load(indices)
        self._rows = {index: row for row, index in enumerate(indices)}

    def unload(self, indices: Sequence[int]) -> None:  # noqa: ARG002 - LoadGen's call
        """Forget the loaded samples: LoadGen unloads what it loaded, whole."""
        self._stored = None
        self._rows = {}

    def gather(self, indices: Sequence[int]) -> Array:
        """Stack loaded samples.

        Raises:
            RuntimeError: Nothing is loaded.
            KeyError: A sample is not loaded.
        """
        if self._stored is None:
            raise RuntimeError("no samples are loaded")
        return self._stored[[self._rows[index] for index in indices]]


@dataclass(frozen=True)
class Warmup:
    """What the warm-up found out.

    Attributes:
        seconds: How long it ran, wall clock.
        samples_per_second: Its rate, neighbours on the core included.
    """

    seconds: float
    samples_per_second: float


class SystemUnderTest:
    """Runs queries in batches on a thread of its own.

    LoadGen's thread only puts queries into a queue. The worker takes whatever waits
    there, up to the batch size, infers, and answers.

    Args:
        workload: The model.
        library: Where the inputs are.
        batch_size: The most samples in one inference.
    """

    def __init__(
        self, workload: Workload, library: SampleLibrary, batch_size: int
    ) -> None:
        self._workload = workload
        self._library = library
        self._batch_size = batch_size
        self._queue: SimpleQueue[list[Query] | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._work, name="sut", daemon=True)
        self.batches: Counter[int] = Counter()

    def warm_up(self, seconds: float) -> Warmup:
        """Infer batches, as large as later ones, for `seconds` of wall clock."""
        inputs = self._workload.load(range(self._batch_size))
        started = time.monotonic()
        batches = 0
        while batches < _MIN_WARMUP_BATCHES or time.monotonic() - started < seconds:
            self._workload.infer(inputs)
            batches += 1
        elapsed = time.monotonic() - started
        return Warmup(elapsed, batches * self._batch_size / elapsed)

    def start(self) -> None:
        """Start the worker."""
        self._worker.start()

    def stop(self) -> None:
        """Let the worker finish what it has, and join it."""
        self._queue.put(None)
        self._worker.join()

    def issue(self, queries: Sequence[lg.QuerySample]) -> None:
        """Take queries: LoadGen's IssueQuery."""
        self._queue.put([(query.id, query.index) for query in queries])

    def flush(self) -> None:
        """Do nothing: no query waits for a batch to fill. LoadGen's FlushQueries."""

    def _work(self) -> None:
        try:
            while (queries := self._queue.get()) is not None:
                self._serve(queries)
        except Exception:  # noqa: BLE001 - whatever it is, nobody else would report it
            # LoadGen has no way to end a test early from outside: it would wait for
            # the missing answers for ever.
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    def _serve(self, queries: list[Query]) -> None:
        size = self._batch_size
        while len(queries) < size and not self._queue.empty():
            more = self._queue.get()
            if more is None:
                self._queue.put(None)
                break
            queries = queries + more
        for first in range(0, len(queries), size):
            batch = queries[first : first + size]
            inputs = self._library.gather([index for _, index in batch])
            self._answer(batch, self._workload.infer(inputs))
            self.batches[len(batch)] += 1

    @staticmethod
    def _answer(batch: Sequence[Query], answers: FloatArray) -> None:
        # LoadGen copies the data during the call; `answers` keeps it alive till then.
        address, stride = answers.ctypes.data, answers.strides[0]
        for first in range(0, len(batch), RESPONSES_PER_CALL):
            lg.QuerySamplesComplete(
                [
                    lg.QuerySampleResponse(
                        query_id, address + (first + row) * stride, stride
                    )
                    for row, (query_id, _) in enumerate(
                        batch[first : first + RESPONSES_PER_CALL]
                    )
                ]
            )
