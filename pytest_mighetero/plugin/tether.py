"""An xdist worker's tie to its controller, which it must not outlive."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from pytest_mighetero.harness.guard import PR_SET_PDEATHSIG, prctl

BY_CONTROLLER = "the xdist controller"


@contextmanager
def tethered(config: pytest.Config, interrupt: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile, have a worker die with its controller, and stop when that stops.

    By itself a worker runs on: execnet 2.1 lets it finish for 5 s, interrupts it, and
    ends it 10 s later. Guards end the harnesses of a worker that is killed.

    Args:
        config: of a worker or of any other process, which is left alone.
        interrupt: ends the session of this process as Ctrl-C does, for a reason.
    """
    if not hasattr(config, "workerinput") or (channel := _channel(config)) is None:
        yield
        return
    over = threading.Event()

    def wait() -> None:
        try:
            with suppress(channel.RemoteError):
                channel.waitclose()
        except EOFError:  # the controller is dead, or cannot be reached any more
            if not over.is_set():
                os.kill(os.getpid(), signal.SIGKILL)
        if not over.is_set():
            interrupt(BY_CONTROLLER)

    threading.Thread(target=wait, name="mighetero-tether", daemon=True).start()
    # Where it is our parent: a process that is stopped, or busy in C code, dies, too.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        yield
    finally:
        over.set()
        prctl(PR_SET_PDEATHSIG, 0)


def _channel(config: pytest.Config) -> Any:
    """Return execnet's channel to the controller, if this xdist has one."""
    plugins = config.pluginmanager.get_plugins()
    named = (p for p in plugins if type(p).__name__ == "WorkerInteractor")
    return getattr(next(named, None), "channel", None)
