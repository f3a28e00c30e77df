"""xdist's gateways to workers in Slurm steps: each starts in bounded time, or not.

execnet waits without limit for the first byte of a worker, and takes one whose process
has ended before that byte for started.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from execnet.gateway_base import RemoteError

START_S = 90.0  # longest until a worker's Python runs; Slurm's own limit is shorter
HELLO = """
import os
channel.send(os.environ.get("SLURMD_NODENAME", ""))
"""


class NotStartedError(Exception):
    """There is no worker behind a gateway."""


def start(make: Callable[[Any], Any], spec: Any) -> tuple[Any, str]:
    """Have execnet make the gateway of *spec*.

    Returns:
        It, and the name of its node.

    Raises:
        NotStartedError: it did not answer in time, or as a worker does, or has ended.
    """
    gateway, before = None, _children()
    timer = threading.Timer(START_S, _kill_new, [before])
    timer.start()
    try:
        gateway = make(spec)
        channel = gateway.remote_exec(HELLO)
        node = str(channel.receive())
        channel.waitclose()
    except (AssertionError, EOFError, OSError, RemoteError) as error:
        if gateway is None:
            _kill_new(before)
        else:
            gateway.exit()
        raise NotStartedError from error
    finally:
        timer.cancel()
    return gateway, node


def _kill_new(before: set[int]) -> None:
    for pid in _children() - before:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _children() -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            parent = stat.read_text(errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.add(int(stat.parent.name))
    return found
