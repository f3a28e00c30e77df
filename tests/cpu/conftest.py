"""`make` as the plugin starts it, in a folder where nothing else is."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.cpu.device import single_threaded
from tests.cpu.logs import HARNESS_DIR
from tests.lab import needs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cpu.logs import Make


# NumPy reads this once, and here as in the harness: more threads would wait for each
# other by spinning. Who starts a harness hands none of it on.
with pytest.MonkeyPatch.context() as patch:
    for name, value in single_threaded({}).items():
        patch.setenv(name, value)
    with suppress(ImportError):  # without the extra
        importlib.import_module("numpy")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Run a target in an empty folder, by default with LOG_DIR=<tmp_path>/logs."""
    for module in ("numpy", "mlperf_loadgen"):
        needs.module(module)
    needs.programs("make", of="make")
    cwd = tmp_path / "cwd"
    cwd.mkdir()

    def run(
        run_args: str,
        target: str = "run_harness",
        *,
        harness_dir: Path = HARNESS_DIR,
        log_dir: Path | None = tmp_path / "logs",
        variables: tuple[str, ...] = (),
        **environ: str,
    ) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("CUDA_VISIBLE_DEVICES", "LOG_DIR", "MAKEFLAGS")
        }
        if log_dir is not None:
            environ["LOG_DIR"] = str(log_dir)
        return subprocess.run(
            [
                *("make", "-f", str(harness_dir / "Makefile"), target),
                *(f"PYTHON={sys.executable}", f"RUN_ARGS={run_args}", *variables),
            ],
            cwd=cwd,
            env={**inherited, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
