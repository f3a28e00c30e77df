"""The last look for processes of a run: by a mark in their environment."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from pytest_mighetero.harness.guard import command_line
from pytest_mighetero.terms.environment import MARK

_PATIENCE = 2.0  # seconds for SIGKILL to take effect


def _marked(folder: Path) -> list[int]:
    """Return the processes whose launch had its folder below *folder*."""
    start = os.fsencode(f"\0{MARK}={folder}{os.sep}")
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 - hundreds, and only names
        if entry.isdigit():
            try:
                environment = b"\0" + Path("/proc", entry, "environ").read_bytes()
            except OSError:
                continue
            if start in environment:
                found.append(int(entry))
    return found


def sweep(folder: Path) -> list[str]:
    """Kill what a guard left behind below *folder* of which both processes were killed.

    A process of another user does not show its environment, and one may have changed
    its own.

    Returns:
        The command lines of those that SIGKILL did not end.
    """
    deadline = time.monotonic() + _PATIENCE
    while pids := _marked(folder):
        for pid in pids:
            with suppress(OSError):  # gone, or not ours to signal
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return [command_line(pid) for pid in pids]
