"""One harness as a child process on a pty, started through pexpect under a guard."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pexpect

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.guard import LAUNCHED
from pytest_mighetero.harness.life import Life
from pytest_mighetero.harness.marker import QUIET_S, Markers, MarkerScanner
from pytest_mighetero.harness.spawn import PtySpawn
from pytest_mighetero.terms.clock import Stamp
from pytest_mighetero.terms.environment import MARK
from pytest_mighetero.terms.escapes import COLOUR

TAIL_BYTES = 64 * 1024
_PTY_HOLDS = 1024 * 1024  # bytes; far more than a pty does (19 kB, Linux 6.18)
DIMENSIONS = (24, 400)
_GUARD = str(Path(__file__).with_name("guard.py"))


class HarnessProcess:
    """A harness from launch to end.

    Its guard takes 20 ms to start and may be made ready before: ``prepare``. From
    ``launch`` it then is 1 ms to the harness's exec.

    What the pump thread learns is written under the pump's lock and is complete
    before ``exited`` is set.

    Attributes:
        grace: seconds from SIGTERM to SIGKILL when it is stopped.
        prepared: whether its guard was started.
        made: POSIX time at which its log was made, by the clock of its file system.
        launched, started, finished, stopped, exited: as its ``Life`` has them.
        status: the file descriptor whose end is the guard's end.
        exit_code: 128 + N after signal N; None if it never launched.
        log_error: why its output could not be written any more.
        survivors: what even SIGKILL did not end, each with its command line.
        root: the process below which it runs, once it is launched.
    """

    def __init__(
        self, name: str, command: Command, log: Path, markers: Markers, grace: float
    ):
        self.name, self.command, self.log = name, command, log
        self.grace, self.made = grace, 0.0
        self.launched: Stamp | None = None
        self.started: Stamp | None = None
        self.finished: Stamp | None = None
        self.stopped: Stamp | None = None
        self.exited: Stamp | None = None
        self.exit_code: int | None = None
        self.log_error: OSError | None = None
        self.survivors: list[str] = []
        self._start, self._finish = map(MarkerScanner, (markers.start, markers.finish))
        self._tail = bytearray()
        self.root: int | None = None
        self.prepared = False
        self._said = b""  # by the guard
        self._printed = Stamp()

    def prepare(self, inherited: Sequence[int] = ()) -> None:
        """Start its guard, which keeps the file descriptors *inherited* open.

        Raises:
            HarnessError: its log cannot be opened, or a process cannot be started.
        """
        try:
            self._start_guard(inherited)
        except (OSError, pexpect.ExceptionPexpect) as error:
            why = self._not_launched(str(error))
            raise HarnessError(why, about=[self.log]) from error

    def _start_guard(self, inherited: Sequence[int]) -> None:
        with ExitStack() as undo, ExitStack() as done:
            self._output = undo.enter_context(self.log.open("wb", buffering=0))
            self.made = os.fstat(self._output.fileno()).st_mtime
            self.status, guards_end = os.pipe()
            undo.callback(os.close, self.status)
            done.callback(os.close, guards_end)
            its_order, order = os.pipe()
            done.callback(os.close, its_order)
            self._order = undo.enter_context(os.fdopen(order, "wb", buffering=0))
            # Of any length: a pipe would take no more than 64 KiB of it at once.
            words = os.memfd_create("order")
            self._words = undo.enter_context(os.fdopen(words, "wb"))
            passed = (its_order, words, guards_end)
            knows = map(str, (os.getpid(), *passed, self.grace))
            self._spawn = PtySpawn(
                sys.executable,
                ["-I", "-S", _GUARD, *knows, *self.command.argv],
                passed=[*passed, *inherited],
                cwd=str(self.command.cwd),
                env=self._environment(),
                dimensions=DIMENSIONS,
                timeout=None,
            )
            self.prepared = True
            undo.pop_all()

    def _environment(self) -> dict[str, str]:
        return {**self.command.environment(), MARK: str(self.log.parent)}

    def launch(self) -> None:
        """Let its guard start it, in the environment of now.

        ``launched`` is known a moment later, unless its guard is gone.
        """
        words = [str(self.command.cwd)]
        words += [f"{name}={value}" for name, value in self._environment().items()]
        # The guard may be gone, or have been reaped already.
        with suppress(BrokenPipeError, ValueError), self._order, self._words:
            self._words.write(b"\0".join(map(os.fsencode, words)))
            self._words.flush()
            self._order.write(b"!")
        self.wake()

    @property
    def life(self) -> Life:
        """Its stamps by now.

        Raises:
            HarnessError: it was not launched, saying what became of the guard.
        """
        if self.launched is None:
            ended = f"ended with code {self._guard_code}" if self.exited else "hangs"
            tail = "".join(f"\n  {line}" for line in self.tail(5))
            why = self._not_launched(f"its guard {ended}")
            raise HarnessError(why + tail, about=[self.log])
        stamps = (self.started, self.finished, self.stopped, self.exited)
        return Life(self.launched, *stamps)

    def _not_launched(self, why: str) -> str:
        return f"{self.name} could not be launched: {why}. Command: {self.command}"

    @property
    def fd(self) -> int:
        """The file descriptor its output is read from."""
        return int(self._spawn.child_fd)

    @property
    def pid(self) -> int:
        """The guard's process id, which is the session's too."""
        return self._spawn.popen.pid

    @property
    def log_problem(self) -> str | None:
        """Why its log does not hold what it prints, or None."""
        if self.log_error is not None:
            return f"cannot be written any more: {self.log_error.strerror}"
        if self.launched is not None and not self.log.exists():
            return "was deleted or moved while it was written"
        return None

    @property
    def running(self) -> bool:
        """Whether its guard was started and has not ended."""
        return self.prepared and self.exited is None

    @property
    def ended(self) -> bool:
        """Whether it has finished its test or exited."""
        return bool(self.finished or self.exited)

    def read(self) -> int:
        """Take some of what it has printed; return 0 at the end of its output."""
        try:
            chunk = os.read(self.fd, TAIL_BYTES)
        except OSError:  # EIO: no process has the terminal open any more
            chunk = b""
        if not chunk:
            self.settle()
            return 0
        self._write(chunk)
        self._tail += chunk
        if len(self._tail) > 2 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]
        self._printed = Stamp()
        self._find(self._start.feed(chunk), self._finish.feed(chunk))
        return len(chunk)

    def _find(self, start: bool, finish: bool) -> None:
        if start:
            self.started = self._printed
        if finish:
            self.finished = self._printed

    @property
    def settles(self) -> float | None:
        """``time.monotonic()`` from which quiet output is to ``settle``, or None."""
        pending = self._start.pending or self._finish.pending
        return self._printed.monotonic + QUIET_S if pending else None

    def settle(self) -> None:
        """Take a marker that nothing has followed for one, since it was printed."""
        self._find(self._start.settle(), self._finish.settle())

    def _write(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        try:
            while left and self.log_error is None:
                left = left[self._output.write(left) :]
        except OSError as error:
            self.log_error = error

    def hear(self) -> bool:
        """Take what its guard says; return False once that has ended."""
        said = os.read(self.status, TAIL_BYTES)
        self._said += said
        first, ended, _ = self._said.partition(b"\n")
        if ended and self.launched is None and first.startswith(LAUNCHED):
            wall, monotonic, root = first.split()[1:]
            self.launched, self.root = Stamp(float(wall), float(monotonic)), int(root)
        return bool(said)

    def reap(self) -> None:
        """Take its last output and its exit code, once its guard has ended.

        Something that the guard could not end may hold the terminal open and print on.
        """
        os.set_blocking(self.fd, False)
        taken = 0
        while taken < _PTY_HOLDS and (size := self.read()):
            taken += size
        while self.hear():
            pass
        os.close(self.status)
        self._order.close()
        self._words.close()
        lines = self._said.decode("utf-8", errors="backslashreplace").splitlines()
        self.survivors = lines[1:] if self.launched else lines
        code = self._spawn.popen.wait()
        self._guard_code = code if code >= 0 else 128 - code  # the guard was killed
        if self.launched:
            self.exit_code = self._guard_code
        self._spawn.ptyproc.terminated = True  # type: ignore[attr-defined]
        self._spawn.close()
        try:
            self._output.close()
        except OSError as error:  # a network's disk may only say now that it is full
            self.log_error = self.log_error or error
        self.exited = Stamp()

    def signal(self, number: int) -> None:
        """Send a signal to the guard: SIGTERM stops it, SIGHUP stops it in a hurry."""
        self.stopped = self.stopped or Stamp()
        self._spawn.popen.send_signal(number)
        self.wake()

    def wake(self) -> None:
        """Continue its guard where that is stopped; it wakes the others if need be."""
        if not self.running:
            return
        with suppress(OSError):  # the first process's group, with or without itself
            os.killpg(self.pid, signal.SIGCONT)
        with suppress(OSError):
            if self.root is not None and os.getsid(self.root) == self.pid:
                os.kill(self.root, signal.SIGCONT)

    def tail(self, lines: int = 0) -> list[str]:
        """Return the last *lines* lines it printed, or 64 KiB.

        Without secrets, and without the colours that a tool has for its terminal.
        """
        text = self._tail[-TAIL_BYTES:].decode("utf-8", errors="backslashreplace")
        plain = COLOUR.sub("", text)
        return self.command.secrets.mask_output(plain).splitlines()[-lines:]
