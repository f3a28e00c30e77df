"""What each of NVIDIA's harness binaries prints, and on which stream.

Four kinds exist: the default one (LWIS), BERT's, DLRM's and RNN-T's. Callers that
watch for the start marker meet each of its forms here: bare or with `[I] ` on
stdout, or with a glog prefix on stderr.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pytest_mighetero.cpu.arguments import BENCHMARKS
from pytest_mighetero.cpu.device import DEVICE_NAME


@dataclass(frozen=True)
class Console:
    """One binary's way of talking.

    Attributes:
        program: Its name in the first line and the last.
        texts: What it says at each step of a run that it mentions.
        prefix: What stands before its lines on stdout.
        source: The C++ file that its log lines name; those go to stderr, by glog.
    """

    program: str
    texts: Mapping[str, str]
    prefix: str = ""
    source: str = ""

    def line(self, text: str) -> None:
        """Print one line, in one write: processes may share the stream."""
        if self.source:
            stamp = f"{datetime.now().astimezone():%m%d %H:%M:%S.%f}"
            where = f"{os.getpid():5d} {self.source}:176]"
            sys.stderr.write(f"I{stamp} {where} {text}\n")
            sys.stderr.flush()
        else:
            # After what LoadGen, in C++, wrote to stdout.
            ctypes.CDLL(None).fflush(None)
            sys.stdout.write(f"{self.prefix}{text}\n")
            sys.stdout.flush()

    def say(self, step: str, **values: object) -> None:
        """Print the text of a step, `values` filled in."""
        for text in self.texts.get(step, "").format(**values).splitlines():
            self.line(text)

    def mark(self, word: str) -> None:
        """Print the start marker, or with Finished the end marker."""
        self.line(f"{word} running actual test.")

    def running(self, command: str) -> None:
        """Print the first line."""
        print(f"&&&& RUNNING {self.program} # {command}", flush=True)

    def processed(self, batches: Mapping[int, int]) -> None:
        """Print what the device did: how many batches of which size."""
        sizes = [f"  {n} batches of size {size}" for size, n in sorted(batches.items())]
        calls = sum(batches.values())
        self.say("processed", batches="\n".join(sizes), calls=calls)

    def passed(self, command: str) -> None:
        """Print the last line, which glog's binaries do not have."""
        if not self.source:
            print(f"&&&& PASSED {self.program} # {command}", flush=True)


_DEFAULT = Console(
    program="Default_Harness",
    texts={
        "create_qsl": "Creating QSL.",
        "created_qsl": "Finished Creating QSL.",
        "create_sut": "Setting up SUT.",
        "created_sut": f"[I] Device:0: {DEVICE_NAME}\nFinished setting up SUT.",
        "warmup": "Starting warmup. Running for a minimum of {seconds:g} seconds.",
        "warmed_up": "Finished warmup. Ran for {seconds:.5g}s.",
        "processed": f"Device {DEVICE_NAME} processed:\n{{batches}}\n"
        "  Memcpy Calls: {calls}\n"
        "  PerSampleCudaMemcpy Calls: 0\n  BatchedCudaMemcpy Calls: 0",
    },
)
CONSOLES = dict.fromkeys(BENCHMARKS, _DEFAULT) | {
    "bert": Console(
        program="BERT_HARNESS",
        source="main_bert.cc",
        texts={
            "create_qsl": "Found 1 GPUs",
            "created_sut": f"Device 0: {DEVICE_NAME}\nEngines Creation Completed",
        },
    ),
    "dlrm": Console(
        program="DLRM_HARNESS",
        source="main_dlrm.cc",
        texts={
            "create_qsl": "Found 1 GPUs",
            "created_qsl": "Loaded {samples} sample partitions.",
            "created_sut": f"Device 0: {DEVICE_NAME}",
            "warmed_up": "Warmup complete, ran for {seconds:.5g}s.",
        },
    ),
    "rnnt": Console(
        program="RNN-T_Harness",
        prefix="[I] ",
        texts={
            "create_qsl": "Starting creating QSL.",
            "created_qsl": "Finished creating QSL.",
            "create_sut": "Starting creating SUT.",
            "created_sut": f"Device:0: {DEVICE_NAME}\nFinished creating SUT.",
            "warmup": "Starting warming up SUT.",
            "warmed_up": "Finished warming up SUT.",
        },
    ),
}
"""Which binary runs a benchmark."""
