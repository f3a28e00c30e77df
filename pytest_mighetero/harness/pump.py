"""One thread that reads every harness without pause, and the waits on what it saw."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterable

from pytest_mighetero.harness.process import STOP_GRACE, HarnessProcess

TICK = 1.0  # seconds between calls of a wait's ``tick``
_STOP_SLACK = 8.0  # seconds beyond the grace that a guard has for killing


class Pump:
    """Reads harnesses from launch to end; a harness never waits for its reader."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._new: list[HarnessProcess] = []
        self._closing = False
        self._thread = threading.Thread(
            target=self._run, name="mighetero-pump", daemon=True
        )
        self._thread.start()

    def launch(self, harness: HarnessProcess) -> None:
        """Start *harness* and read it from now on.

        Raises:
            HarnessError: it could not be started.
        """
        harness.launch()
        with self._changed:
            self._new.append(harness)
        self._wake()

    def wait_for(
        self,
        condition: Callable[[], bool],
        deadline: float | None = None,
        tick: Callable[[], None] | None = None,
    ) -> bool:
        """Wait until *condition* holds, looking whenever a harness changes.

        Args:
            condition: a question about harnesses of this pump.
            deadline: ``time.monotonic()`` at which to give up; None for never.
            tick: called about once a second meanwhile.

        Returns:
            What *condition* said last.
        """
        with self._changed:
            while not condition():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                if tick is not None:
                    tick()
                    left = TICK if left is None else min(left, TICK)
                self._changed.wait(left)
            return True

    def stop(self, harnesses: Iterable[HarnessProcess]) -> list[HarnessProcess]:
        """Stop all of *harnesses* at once: SIGTERM, grace, SIGKILL.

        Returns:
            Those that are still running, which no signal has ended.
        """
        harnesses = [harness for harness in harnesses if harness.running]
        for harness in harnesses:
            harness.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_GRACE + _STOP_SLACK
        self.wait_for(lambda: not any(h.running for h in harnesses), deadline)
        survivors = [harness for harness in harnesses if harness.running]
        for harness in survivors:
            harness.signal(signal.SIGKILL)
        return survivors

    def close(self) -> None:
        """End the thread, once no harness is running."""
        self._closing = True
        self._wake()
        self._thread.join()
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _wake(self) -> None:
        os.write(self._wake_write, b"w")

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select():
                if key.data is None:
                    os.read(self._wake_read, 4096)
                    self._register()
                else:
                    self._read(key.data)

    def _register(self) -> None:
        with self._changed:
            new, self._new = self._new, []
        for harness in new:
            self._selector.register(harness.fd, selectors.EVENT_READ, harness)

    def _read(self, harness: HarnessProcess) -> None:
        before = harness.started, harness.finished, harness.log_error
        alive = harness.read()
        if not alive:
            self._selector.unregister(harness.fd)
            harness.reap()
        if not alive or before != (
            harness.started,
            harness.finished,
            harness.log_error,
        ):
            with self._changed:
                self._changed.notify_all()
