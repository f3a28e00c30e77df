"""The system under test: a model that LoadGen drives, and the samples it loads."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias

import mlperf_loadgen as lg
import numpy as np

from pytest_mighetero.cpu.arguments import SEED_FLAGS
from pytest_mighetero.cpu.layers import Array, FloatArray
from pytest_mighetero.cpu.models import SAMPLE_COUNT, Workload

# LoadGen 6.0.17's binding crashes above about 1,000 responses in one call.
_RESPONSES_PER_CALL = 256
_MIN_WARMUP_BATCHES = 10

# LoadGen's response id and the sample's number.
Query: TypeAlias = "tuple[int, int]"
# What LoadGen is to do: its settings, where its logs go, and the audit.config.
Test: TypeAlias = "tuple[lg.TestSettings, lg.LogSettings, str]"


def configure(args: argparse.Namespace) -> Test:
    """Return the test that the harness's flags ask for.

    Raises:
        RuntimeError: LoadGen refuses user.conf.
    """
    settings = lg.TestSettings()
    # Under a name of its own a benchmark meets none of the per-model floors and sample
    # counts of the mlperf.conf that LoadGen brings along.
    conf = str(args.user_conf_path)
    if status := settings.FromConfig(conf, f"cpu-{args.model}", args.scenario):
        raise RuntimeError(f"LoadGen cannot read {conf}: {status}")
    settings.scenario = getattr(lg.TestScenario, args.scenario)
    settings.mode = getattr(lg.TestMode, args.test_mode)
    for name in SEED_FLAGS:
        # LoadGen 5 and later take the seeds of the embedded mlperf.conf only; a
        # user.conf or audit.config that sets them has no effect.
        if (seed := getattr(args, name)) is not None:
            setattr(settings, name, seed)
    args.logfile_outdir.mkdir(parents=True, exist_ok=True)
    logs = lg.LogSettings()
    logs.enable_trace = args.log_enable_trace
    output = logs.log_output
    output.outdir = str(args.logfile_outdir)
    output.suffix = args.logfile_suffix
    output.prefix_with_datetime = args.logfile_prefix_with_datetime
    output.copy_detail_to_stdout = args.log_copy_detail_to_stdout
    output.copy_summary_to_stdout = not args.disable_log_copy_summary_to_stdout
    # Never the default: LoadGen would pick an audit.config up from the working
    # directory, which other processes share.
    audit_config = args.audit_config_path or args.logfile_outdir / "no-audit.config"
    return settings, logs, str(audit_config)


class SystemUnderTest:
    """Runs queries in batches on a thread of its own.

    LoadGen's thread only puts queries into a queue. The worker takes whatever waits
    there, up to the batch size, infers, and answers.
    """

    def __init__(self, workload: Workload, batch_size: int) -> None:
        self._workload = workload
        self._batch_size = batch_size
        self._samples: dict[int, Array] = {}
        self._queue: SimpleQueue[list[Query]] = SimpleQueue()
        self.batches: Counter[int] = Counter()

    def warm_up(self, seconds: float) -> tuple[float, float]:
        """Infer full batches for `seconds`; return how long it took, and the rate."""
        inputs = self._workload.load(range(self._batch_size))
        started = time.monotonic()
        batches = 0
        while batches < _MIN_WARMUP_BATCHES or time.monotonic() - started < seconds:
            self._workload.infer(inputs)
            batches += 1
        elapsed = time.monotonic() - started
        return elapsed, batches * self._batch_size / elapsed

    def infer(self, indices: Iterable[int]) -> FloatArray:
        """Answer loaded samples, one row each."""
        return self._workload.infer(np.stack([self._samples[i] for i in indices]))

    def measure(self, test: Test, loadable: int) -> None:
        """Let LoadGen run a test to its end, with so many samples in memory."""
        worker = Thread(target=self._work, name="sut", daemon=True)
        worker.start()
        # No query waits for a batch to fill: there is nothing to flush.
        sut = lg.ConstructSUT(self._issue, lambda: None)
        qsl = lg.ConstructQSL(
            SAMPLE_COUNT, loadable, self._load, lambda _: self._samples.clear()
        )
        lg.StartTestWithLogSettings(sut, qsl, *test)
        lg.DestroyQSL(qsl)
        lg.DestroySUT(sut)
        self._queue.put([])  # all queries are answered: this ends the worker
        worker.join()

    def _load(self, indices: Sequence[int]) -> None:
        self._samples = dict(zip(indices, self._workload.load(indices), strict=True))

    def _issue(self, queries: Sequence[lg.QuerySample]) -> None:
        self._queue.put([(query.id, query.index) for query in queries])

    def _work(self) -> None:
        try:
            while queries := self._queue.get():
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
            queries = queries + self._queue.get()
        for first in range(0, len(queries), size):
            batch = queries[first : first + size]
            answers = self.infer(index for _, index in batch)
            # LoadGen copies the data during the call; `answers` keeps it alive.
            address, stride = answers.ctypes.data, answers.strides[0]
            responses = [
                lg.QuerySampleResponse(query_id, address + row * stride, stride)
                for row, (query_id, _) in enumerate(batch)
            ]
            for start in range(0, len(responses), _RESPONSES_PER_CALL):
                lg.QuerySamplesComplete(responses[start : start + _RESPONSES_PER_CALL])
            self.batches[len(batch)] += 1
