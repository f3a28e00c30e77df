"""One harness as a child process on a pty, started through pexpect under a guard."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import ptyprocess

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import MarkerScanner

STOP_GRACE = 10.0  # seconds from SIGTERM to SIGKILL: a harness frees GPU memory
TAIL_BYTES = 64 * 1024
DIMENSIONS = (24, 400)
_GUARD = str(Path(__file__).with_name("guard.py"))


@dataclass(frozen=True)
class Stamp:
    """A moment on both clocks: waits use ``monotonic``, logs compare with ``wall``."""

    wall: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)


class _Spawn(pexpect.spawn):  # type: ignore[type-arg]
    """pexpect's spawn, but by vfork and exec.

    ``forkpty`` warns in a process with threads since Python 3.12, and may deadlock
    there; under xdist every test runs beside one.
    """

    popen: subprocess.Popen[bytes]

    def _spawnpty(self, args: list[str], **options: Any) -> ptyprocess.PtyProcess:
        master, slave = os.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST  # no CRLF, and nothing to translate
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        try:
            self.popen = subprocess.Popen(
                args,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=options["env"],
                cwd=options["cwd"],
                start_new_session=True,
            )
        except OSError:
            os.close(master)
            raise
        finally:
            os.close(slave)
        pty = ptyprocess.PtyProcess(self.popen.pid, master)
        pty.setwinsize(*options["dimensions"])
        pty.delayafterclose = 0
        return pty


class HarnessProcess:
    """A harness from launch to end.

    What the pump thread learns is written under the pump's lock and is complete
    before ``exited`` is set.

    Attributes:
        name: for messages, for example ``bert_offline``.
        launched: when it was started, or None.
        started: when it printed the start marker, or None.
        finished: when it printed the finish marker, or None.
        exited: when the last of its processes was gone, or None.
        exit_code: its exit code; 128 + N after signal N.
        stopped: whether it was told to stop.
        log_error: why its output could not be written any more, or None.
    """

    def __init__(
        self,
        name: str,
        command: Command,
        log: Path,
        start_markers: Sequence[str],
        finish_markers: Sequence[str],
    ):
        self.name, self.command, self.log = name, command, log
        self.launched: Stamp | None = None
        self.started: Stamp | None = None
        self.finished: Stamp | None = None
        self.exited: Stamp | None = None
        self.exit_code: int | None = None
        self.stopped: Stamp | None = None
        self.log_error: OSError | None = None
        self._start, self._finish = map(MarkerScanner, (start_markers, finish_markers))
        self._tail = bytearray()

    def launch(self) -> None:
        """Start the harness.

        Raises:
            HarnessError: its log cannot be opened, or a process cannot be started.
        """
        guarded = [_GUARD, str(os.getpid()), str(STOP_GRACE), *self.command.argv]
        try:
            self._output = self.log.open("wb", buffering=0)
            self._spawn = _Spawn(
                sys.executable,
                ["-I", "-S", *guarded],
                cwd=str(self.command.cwd),
                env=self.command.environment(),
                dimensions=DIMENSIONS,
                timeout=None,
            )
        except (OSError, pexpect.ExceptionPexpect) as error:
            raise HarnessError(
                f"{self.name} could not be launched: {error}. Command: {self.command}"
            ) from error
        self.launched = Stamp()

    @property
    def fd(self) -> int:
        """The file descriptor its output is read from."""
        return int(self._spawn.child_fd)

    @property
    def pid(self) -> int:
        """The guard's process id, which is the session's too."""
        return self._spawn.popen.pid

    @property
    def running(self) -> bool:
        """Whether it was launched and has not ended."""
        return self.launched is not None and self.exited is None

    def read(self) -> bool:
        """Take what it has printed; return False at the end of its output."""
        try:
            chunk = os.read(self.fd, TAIL_BYTES)
        except OSError:  # EIO: no process has the terminal open any more
            chunk = b""
        if not chunk:
            return False
        if self.log_error is None:
            try:
                self._output.write(chunk)
            except OSError as error:
                self.log_error = error
        self._tail = (self._tail + chunk)[-TAIL_BYTES:]
        if self._start.feed(chunk):
            self.started = Stamp()
        if self._finish.feed(chunk):
            self.finished = Stamp()
        return True

    def reap(self) -> None:
        """Take the exit code, once its output has ended."""
        code = self._spawn.popen.wait()
        self.exit_code = code if code >= 0 else 128 - code  # the guard was killed
        self._spawn.ptyproc.terminated = True  # type: ignore[attr-defined]
        self._spawn.close()
        self._output.close()
        self.exited = Stamp()

    def signal(self, number: int) -> None:
        """Send a signal to the guard, which passes SIGTERM on and then kills."""
        self.stopped = self.stopped or Stamp()
        self._spawn.popen.send_signal(number)

    def tail(self, lines: int) -> list[str]:
        """Return the last *lines* lines it printed, whatever bytes they had."""
        text = bytes(self._tail).decode("utf-8", errors="backslashreplace")
        return text.splitlines()[-lines:]
