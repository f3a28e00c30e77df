"""The plugin of a worker in a Slurm step: one that Slurm ends is lost, and no Ctrl-C.

Slurm ends a step by SIGTERM. To xdist a worker that reports a KeyboardInterrupt has
seen Ctrl-C, and it ends the whole session; one that dies it replaces.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest

BY_SLURM = "SIGTERM"


class LostWorker:
    """Has the worker die once its harnesses are stopped and its record is written."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Die of what Slurm sent."""
        try:
            return (yield)
        except KeyboardInterrupt as interrupt:
            if str(interrupt) == BY_SLURM:
                os.kill(os.getpid(), signal.SIGKILL)
            raise
