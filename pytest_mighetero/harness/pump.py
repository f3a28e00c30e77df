"""One thread that reads every harness without pause, and the waits on what it saw."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from pytest_mighetero.clock import Clock
from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.guard import HURRIED_GRACE, KILL_TRIES
from pytest_mighetero.harness.process import HarnessProcess

TICK = 1.0  # seconds between calls of a wait's ``tick``
STOP_SLACK = KILL_TRIES + 3.0  # seconds beyond the grace that a guard has for killing
_JOIN = 5.0  # seconds for the reader to come back from the disk


class Pump:
    """Reads harnesses from launch to end; a harness never waits for its reader.

    Attributes:
        clock: of the run: looked at in every wait, about once a second.

    Args:
        inherited: file descriptors that every harness inherits.
    """

    def __init__(self, inherited: Sequence[int] = ()) -> None:
        self._inherited = inherited
        self.clock = Clock()
        self._changed = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._new: list[HarnessProcess] = []
        self._closing = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, name="mighetero-pump", daemon=True
        )
        self._thread.start()

    def launch(self, harness: HarnessProcess) -> None:
        """Start *harness* and read it from now on.

        Raises:
            HarnessError: it could not be started.
        """
        harness.launch(self._inherited)
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

        Raises:
            HarnessError: the reader has failed, and nothing would change any more.
        """
        with self._changed:
            self.clock.read()
            while not condition():
                if self._failure is not None:
                    raise HarnessError(
                        f"The reader of the harnesses failed: {self._failure!r}. This "
                        f"is an error of pytest-mighetero."
                    ) from self._failure
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                if tick is not None:
                    tick()
                    left = TICK if left is None else min(left, TICK)
                self._changed.wait(left)
                self.clock.read()
            return True

    def stop(self, harnesses: Iterable[HarnessProcess]) -> None:
        """Stop all of *harnesses* at once: SIGTERM, grace, SIGKILL.

        Takes the longest grace and a few seconds more at most. Whatever interrupts it,
        a second Ctrl-C or a timeout, cuts the grace short and is raised afterwards.
        """
        running = [harness for harness in harnesses if harness.running]
        grace = max((harness.grace for harness in running), default=0.0)
        try:
            self._signal(running, signal.SIGTERM, grace + STOP_SLACK)
        except BaseException:
            self._signal(running, signal.SIGHUP, HURRIED_GRACE + STOP_SLACK)
            raise
        finally:
            # A guard that does not do its work any more; SIGSTOP could be a reason.
            self._signal([h for h in running if h.running], signal.SIGKILL, STOP_SLACK)

    def _signal(
        self, running: Sequence[HarnessProcess], number: int, patience: float
    ) -> None:
        for harness in running:
            harness.signal(number)
        deadline = time.monotonic() + patience
        self.wait_for(lambda: not any(h.running for h in running), deadline)

    def close(self) -> None:
        """End the thread, once no harness is running."""
        self._closing = True
        self._wake()
        self._thread.join(_JOIN)
        if self._thread.is_alive():
            return  # a disk that does not answer must not hold the tests up
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _wake(self) -> None:
        os.write(self._wake_write, b"w")

    def _run(self) -> None:
        try:
            self._read_all()
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._failure = error
            self._tell()

    def _read_all(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select():
                if key.data is None:
                    os.read(self._wake_read, 4096)
                    self._register()
                elif key.fd == key.data.status:
                    self._reap(key.data)
                elif key.data.exited is None:  # not reaped just now
                    self._read(key.data)

    def _register(self) -> None:
        with self._changed:
            new, self._new = self._new, []
        for harness in new:
            for fd in (harness.fd, harness.status):
                self._selector.register(fd, selectors.EVENT_READ, harness)

    def _read(self, harness: HarnessProcess) -> None:
        before = harness.started, harness.finished, harness.log_error
        if not harness.read():
            self._selector.unregister(harness.fd)
        if before != (harness.started, harness.finished, harness.log_error):
            self._tell()

    def _reap(self, harness: HarnessProcess) -> None:
        self._selector.unregister(harness.status)
        if harness.fd in self._selector.get_map():
            self._selector.unregister(harness.fd)
        harness.reap()
        self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
