"""One thread that reads every harness without pause, and the waits on what it saw."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.guard import HURRIED_GRACE, KILL_TRIES
from pytest_mighetero.harness.life import Life
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.terms.clock import Clock

TICK = 1.0  # seconds between calls of a wait's ``tick``
STOP_SLACK = KILL_TRIES + 3.0  # seconds beyond the grace that a guard has for killing
_LAUNCH = 60.0  # seconds for a guard to start, on however busy a machine
_JOIN = 5.0  # seconds for the reader to come back from the disk


class Source(Protocol):
    """Something else whose changes wake the waits.

    Attributes:
        fd: readable when something has changed; None where it cannot tell, and then
            nobody calls the others. The reader's thread does.
    """

    fd: int | None

    def take(self) -> None:
        """Take note of the change."""

    def close(self) -> None:
        """Close the file descriptor."""


class Pump:
    """Reads harnesses from launch to end; a harness never waits for its reader.

    Every harness has the file descriptors *inherited*, too. The run's clock is looked
    at in every wait, about once a second.
    """

    def __init__(self, inherited: Sequence[int] = ()) -> None:
        self._inherited = inherited
        self.clock = Clock()
        self._changed = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._add(self._wake_read, self._do_asked)
        self._asked: list[Callable[[], None]] = []
        self._unsettled: set[HarnessProcess] = set()
        self._closing = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, name="mighetero-pump", daemon=True
        )
        self._thread.start()

    def prepare(self, harness: HarnessProcess) -> None:
        """Start the guard of *harness*, which waits, and read it from now on.

        Raises:
            HarnessError: it could not be started.
        """
        harness.prepare(self._inherited)
        self._ask(partial(self._register, harness))

    def launch(self, *harnesses: HarnessProcess) -> tuple[Life, ...]:
        """Launch *harnesses*, at once where they are prepared, and return their lives.

        Raises:
            HarnessError: one could not be launched.
        """
        for harness in harnesses:
            if not harness.prepared:
                self.prepare(harness)
        for harness in harnesses:
            harness.launch()
        deadline = time.monotonic() + _LAUNCH
        self.wait_for(lambda: all(h.launched or h.exited for h in harnesses), deadline)
        return tuple(harness.life for harness in harnesses)

    @contextmanager
    def reading(self, source: Source) -> Iterator[None]:
        """Wake the waits whenever *source* changes; close it in the end."""
        if (fd := source.fd) is None:
            yield
            return

        def take() -> None:
            source.take()
            self._tell()

        def let_go() -> None:
            self._selector.unregister(fd)
            source.close()

        self._ask(partial(self._add, fd, take))
        try:
            yield
        finally:
            self._ask(let_go)

    def wait_for(
        self,
        condition: Callable[[], bool],
        deadline: float | None = None,
        tick: Callable[[], None] | None = None,
    ) -> bool:
        """Wait until *condition* holds, looking whenever a harness changes.

        Args:
            condition: a question about harnesses of this pump; what it said last is
                returned.
            deadline: ``time.monotonic()`` at which to give up; None for never.
            tick: called about once a second meanwhile.

        Raises:
            HarnessError: the reader has failed, and nothing would change any more.
        """
        while True:
            with self._changed:
                self.clock.read()
                if condition():
                    return True
                self._check_reader()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                if tick is None:
                    self._changed.wait(left)
                    continue
            tick()  # however long that takes, the reader goes on
            with self._changed:
                if not condition():
                    self._changed.wait(TICK if left is None else min(left, TICK))

    def _check_reader(self) -> None:
        if self._failure is not None:
            raise HarnessError(
                f"The reader of the harnesses failed: {self._failure!r}. This is an "
                f"error of pytest-mighetero."
            ) from self._failure

    def stop(
        self,
        harnesses: Iterable[HarnessProcess],
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Stop all of *harnesses* at once: SIGTERM, grace, SIGKILL.

        Meanwhile *tick* is called about once a second.

        Takes the longest grace and a few seconds more at most. Whatever interrupts it,
        a second Ctrl-C or a timeout, cuts the grace short and is raised afterwards.
        """
        running = [harness for harness in harnesses if harness.running]
        grace = max((harness.grace for harness in running), default=0.0)
        try:
            self._signal(running, signal.SIGTERM, grace + STOP_SLACK, tick)
        except BaseException:
            self._signal(running, signal.SIGHUP, HURRIED_GRACE + STOP_SLACK)
            raise
        finally:
            # A guard that does not do its work any more: its second process does.
            self._signal([h for h in running if h.running], signal.SIGKILL, STOP_SLACK)

    def _signal(
        self,
        running: Sequence[HarnessProcess],
        number: int,
        patience: float,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        for harness in running:
            harness.signal(number)

        def wake() -> None:  # whatever is stopped meanwhile
            for harness in running:
                harness.wake()
            tick()

        deadline = time.monotonic() + patience
        self.wait_for(lambda: not any(h.running for h in running), deadline, wake)

    def close(self) -> None:
        """End the thread, once no harness is running."""
        self._ask(self._end)
        self._thread.join(_JOIN)
        if self._thread.is_alive():
            return  # a disk that does not answer must not hold the tests up
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _end(self) -> None:
        self._closing = True

    def _ask(self, action: Callable[[], None]) -> None:
        with self._changed:
            self._asked.append(action)
        os.write(self._wake_write, b"w")

    def _run(self) -> None:
        try:
            self._read_all()
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._failure = error
            self._tell()

    def _read_all(self) -> None:
        while not self._closing:
            events = self._selector.select(self._until_settled())
            looked = time.monotonic()
            for key, _ in events:
                # What came before it may have closed it.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()
            self._settle(looked)

    def _until_settled(self) -> float | None:
        """Return the seconds until a marker without a line's end is to be settled."""
        due = [harness.settles or 0.0 for harness in self._unsettled]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _settle(self, looked: float) -> None:
        """Settle the markers that nothing had followed in time when it was *looked*."""
        for harness in tuple(self._unsettled):
            if (due := harness.settles) is not None and due > looked:
                continue
            self._unsettled.remove(harness)
            if due is not None:
                harness.settle()
                self._tell()

    def _add(self, fd: int, read: Callable[[], None]) -> None:
        self._selector.register(fd, selectors.EVENT_READ, read)

    def _do_asked(self) -> None:
        os.read(self._wake_read, 4096)
        with self._changed:
            asked, self._asked = self._asked, []
        for action in asked:
            action()

    def _register(self, harness: HarnessProcess) -> None:
        self._add(harness.fd, partial(self._read, harness))
        self._add(harness.status, partial(self._hear, harness))

    def _read(self, harness: HarnessProcess) -> None:
        before = harness.started, harness.finished, harness.log_error
        if not harness.read():
            self._selector.unregister(harness.fd)
        if harness.settles is not None:
            self._unsettled.add(harness)
        if before != (harness.started, harness.finished, harness.log_error):
            self._tell()

    def _hear(self, harness: HarnessProcess) -> None:
        if not harness.hear():
            self._selector.unregister(harness.status)
            if harness.fd in self._selector.get_map():
                self._selector.unregister(harness.fd)
            harness.reap()
        self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
