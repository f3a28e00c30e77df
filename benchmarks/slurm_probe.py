"""What xdist's controller sees of its workers; the conftest.py of slurm.py's runs.

Writes ``probe.json``: moments in seconds since the epoch, and what went over execnet.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from execnet import gateway_base

CONTROLLER = "PYTEST_XDIST_WORKER" not in os.environ
moments: dict[str, float] = {"loaded": time.time()}
ready: list[float] = []
ended: list[tuple[float, int, int]] = []  # of each test: when; messages, bytes so far
traffic = {"messages": 0, "bytes": 0}


def _count(message: Any) -> None:
    traffic["messages"] += 1
    traffic["bytes"] += len(message.data) + 9  # its header, as execnet has it


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Give each worker a copy of the harness: in one folder launches wait in line."""
    if folder := config.option.mig_harness_dir:
        own = Path(f"harness-{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}").absolute()
        shutil.copytree(folder, own, dirs_exist_ok=True)
        config.option.mig_harness_dir = str(own)


if CONTROLLER:
    send, receive = gateway_base.Message.to_io, gateway_base.Message.from_io

    def to_io(message: Any, io: Any) -> None:
        """Send it, counted."""
        _count(message)
        send(message, io)

    def from_io(io: Any) -> Any:
        """Receive one, counted."""
        message = receive(io)
        _count(message)
        return message

    for wrapped in (to_io, staticmethod(from_io)):
        setattr(gateway_base.Message, wrapped.__name__, wrapped)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_setupnodes() -> Generator[None, object, object]:
    """Note how long it takes until workers have their places."""
    moments["places"] = time.time()
    try:
        return (yield)
    finally:
        moments["starts"] = time.time()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodeready() -> None:
    """Note when a worker is up."""
    ready.append(time.time())


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note when a test has ended."""
    if CONTROLLER and report.when == "teardown":
        ended.append((time.time(), traffic["messages"], traffic["bytes"]))


def pytest_sessionfinish() -> None:
    """Write down what there was."""
    if CONTROLLER:
        (peak,) = (
            line.split()[1]
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
        said = moments | {"ready": ready, "ended": ended, "peak_kb": int(peak)}
        Path("probe.json").write_text(json.dumps(said))
