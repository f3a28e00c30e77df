"""What each of NVIDIA's harness binaries prints, and on which stream.

Four kinds exist: the default one (LWIS), BERT's, DLRM's and RNN-T's. Callers that
watch for the start marker meet each of its forms here: bare or with `[I] ` on
stdout, or with a glog prefix on stderr.
"""

from __future__ import annotations

import ctypes
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_mighetero.cpu.device import DEVICE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STYLES", "BertConsole", "Console", "DlrmConsole", "RnntConsole"]

STARTING = "Starting running actual test."
FINISHED = "Finished running actual test."


class Console:
    """The default harness: everything on stdout, without a prefix."""

    program = "Default_Harness"

    def line(self, text: str) -> None:
        """Print one line and flush it."""
        print(text, flush=True)

    def running(self, command: str) -> None:
        """Print the first line."""
        print(f"&&&& RUNNING {self.program} # {command}", flush=True)

    def create_qsl(self) -> None:
        """Say that the sample library is next."""
        self.line("Creating QSL.")

    def created_qsl(self, samples: int) -> None:  # noqa: ARG002 - DLRM prints it
        """Say that the sample library exists."""
        self.line("Finished Creating QSL.")

    def create_sut(self) -> None:
        """Say that the system under test is next."""
        self.line("Setting up SUT.")

    def created_sut(self) -> None:
        """Say that the system under test exists."""
        self.line(f"[I] Device:0: {DEVICE_NAME}")
        self.line("Finished setting up SUT.")

    def warmup(self, seconds: float) -> None:
        """Say that the warm-up starts and how long it lasts at least."""
        self.line(f"Starting warmup. Running for a minimum of {seconds:g} seconds.")

    def warmed_up(self, seconds: float) -> None:
        """Say that the warm-up is over."""
        self.line(f"Finished warmup. Ran for {seconds:.5g}s.")

    def starting(self) -> None:
        """Print the start marker."""
        self.line(STARTING)

    def finished(self) -> None:
        """Print the end marker, after LoadGen's copy of the summary."""
        flush_c_stdout()
        self.line(FINISHED)

    def processed(self, batches: Mapping[int, int]) -> None:
        """Print what the device did: how many batches of which size."""
        self.line(f"Device {DEVICE_NAME} processed:")
        for size, count in sorted(batches.items()):
            self.line(f"  {count} batches of size {size}")
        self.line(f"  Memcpy Calls: {sum(batches.values())}")
        self.line("  PerSampleCudaMemcpy Calls: 0")
        self.line("  BatchedCudaMemcpy Calls: 0")

    def passed(self, command: str) -> None:
        """Print the last line."""
        self.line(f"&&&& PASSED {self.program} # {command}")


class _GlogConsole(Console):
    """A harness that logs through glog: to stderr, with time, thread and source."""

    source = ""

    def line(self, text: str) -> None:
        """Print one line with glog's prefix on stderr."""
        now = datetime.now().astimezone()
        stamp = f"{now:%m%d %H:%M:%S.%f}"
        # One write, so that lines of several processes on one stream stay whole.
        sys.stderr.write(f"I{stamp} {os.getpid():5d} {self.source}:176] {text}\n")
        sys.stderr.flush()

    def create_qsl(self) -> None:
        """Print the number of devices."""
        self.line("Found 1 GPUs")

    def create_sut(self) -> None:
        """Print nothing."""

    def finished(self) -> None:
        """Print the end marker; LoadGen's copy of the summary may come after it."""
        self.line(FINISHED)

    def passed(self, command: str) -> None:
        """Print nothing: this harness has no last line."""


class BertConsole(_GlogConsole):
    """The BERT harness."""

    program = "BERT_HARNESS"
    source = "main_bert.cc"

    def created_qsl(self, samples: int) -> None:
        """Print nothing."""

    def created_sut(self) -> None:
        """Say that the model is ready."""
        self.line(f"Device 0: {DEVICE_NAME}")
        self.line("Engines Creation Completed")

    def warmup(self, seconds: float) -> None:
        """Print nothing."""

    def warmed_up(self, seconds: float) -> None:
        """Print nothing."""

    def processed(self, batches: Mapping[int, int]) -> None:
        """Print nothing."""


class DlrmConsole(_GlogConsole):
    """The DLRM harness."""

    program = "DLRM_HARNESS"
    source = "main_dlrm.cc"

    def created_qsl(self, samples: int) -> None:
        """Say how many samples were split into user-item pairs."""
        self.line(f"Loaded {samples} sample partitions.")

    def created_sut(self) -> None:
        """Name the device."""
        self.line(f"Device 0: {DEVICE_NAME}")

    def warmup(self, seconds: float) -> None:
        """Print nothing."""

    def warmed_up(self, seconds: float) -> None:
        """Say that the warm-up is over."""
        self.line(f"Warmup complete, ran for {seconds:.5g}s.")

    def processed(self, batches: Mapping[int, int]) -> None:
        """Print nothing."""


class RnntConsole(Console):
    """The RNN-T harness: TensorRT's logger on stdout."""

    program = "RNN-T_Harness"

    def line(self, text: str) -> None:
        """Print one line with the logger's prefix."""
        print(f"[I] {text}", flush=True)

    def create_qsl(self) -> None:
        """Say that the sample library is next."""
        self.line("Starting creating QSL.")

    def created_qsl(self, samples: int) -> None:  # noqa: ARG002 - DLRM prints it
        """Say that the sample library exists."""
        self.line("Finished creating QSL.")

    def create_sut(self) -> None:
        """Say that the system under test is next."""
        self.line("Starting creating SUT.")

    def created_sut(self) -> None:
        """Say that the system under test exists."""
        self.line(f"Device:0: {DEVICE_NAME}")
        self.line("Finished creating SUT.")

    def warmup(self, seconds: float) -> None:  # noqa: ARG002 - the default prints it
        """Say that the warm-up starts."""
        self.line("Starting warming up SUT.")

    def warmed_up(self, seconds: float) -> None:  # noqa: ARG002 - the default prints it
        """Say that the warm-up is over."""
        self.line("Finished warming up SUT.")

    def processed(self, batches: Mapping[int, int]) -> None:
        """Print nothing."""

    def passed(self, command: str) -> None:
        """Print the last line, which bears no prefix."""
        print(f"&&&& PASSED {self.program} # {command}", flush=True)


STYLES: dict[str, type[Console]] = {
    "3d-unet": Console,
    "bert": BertConsole,
    "dlrm": DlrmConsole,
    "resnet50": Console,
    "rnnt": RnntConsole,
    "ssd-mobilenet": Console,
    "ssd-resnet34": Console,
}
"""Which harness runs a benchmark."""


def flush_c_stdout() -> None:
    """Flush what C++ code of this process wrote to stdout, LoadGen's summary."""
    ctypes.CDLL(None).fflush(None)
