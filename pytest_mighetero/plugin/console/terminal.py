"""The terminal, or pipe, that a run is watched through: it may go away under way."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

import pytest

_PASSING = {errno.EAGAIN, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LastingFile:
    """A text file to which writing never fails: what it does not take is lost alone.

    tmux or ssh end (EIO), the reader of a pipe ends (EPIPE), the disk of a log is full
    (ENOSPC): pytest would give up the session for it, without junit and records.

    Attributes:
        wrote: ``time.monotonic()`` of the last text.
        line: what was written since the last line ended.
        beforehand: called before a text is written; what shows lines of its own below
            takes them away.
    """

    def __init__(self, file: TextIO):
        self._file = file
        self.wrote = time.monotonic()
        self.line = ""
        self.beforehand: Callable[[], None] | None = None
        self._own: int | None = None  # a descriptor that never waits
        self._owed = b""  # what the terminal has not taken yet

    def __getattr__(self, name: str) -> Any:
        """Be like the file in all else."""
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write *text*, if it can be."""
        if self.beforehand is not None:
            try:
                self.beforehand()
            except Exception:  # noqa: BLE001 - pytest's text matters, not those lines
                self.beforehand = None
        self.wrote = time.monotonic()
        *ended, rest = re.split("[\r\n]", text)
        self.line = rest if ended else self.line + rest
        return self.pass_on(text)

    def pass_on(self, text: str) -> int:
        """Write *text*, if it can be, that is not to be remembered."""
        if self._own is not None:
            self._offer(self._own, text.encode(self._encoding, "replace"))
            return len(text)
        owed, self._owed = self._owed.decode(self._encoding, "ignore"), b""
        try:
            self._file.write(owed + text)
        except OSError as error:
            self._drop(error)
        return len(text)

    @contextmanager
    def unwaited(self) -> Iterator[bool]:
        """Meanwhile, wait for no terminal: what it does not take goes before the next.

        ``select`` says that a terminal takes something, not how much: a write of more
        waits. The description that pytest writes to may be the shell's as well, and
        stays as it is; where there can be no other, writing waits.

        Yields:
            Whether it has taken everything so far.
        """
        before, own = self._own, self._opened()
        self._own = own
        try:
            if own is not None:
                self._offer(own, b"")
            yield own is None or not self._owed
        finally:
            self._own = before
            if own is not None:
                os.close(own)

    def _opened(self) -> int | None:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        with suppress(OSError, ValueError):
            return os.open(os.ttyname(self._file.fileno()), flags)
        return None

    def _offer(self, own: int, data: bytes) -> None:
        self._owed += data
        try:
            while self._owed:
                self._owed = self._owed[os.write(own, self._owed) :]
        except BlockingIOError:
            pass
        except OSError:  # it is gone
            self._owed = b""

    @property
    def _encoding(self) -> str:
        return self._file.encoding or "ascii"

    def flush(self) -> None:
        """Hand on what was written, if it can be."""
        try:
            self._file.flush()
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        """Empty the buffer, which would be written again, and at last by Python."""
        with suppress(OSError, ValueError):  # no descriptor: nothing keeps a buffer
            descriptor = self._file.fileno()
            kept, null = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(null, descriptor)
                self._file.flush()
            finally:
                if error.errno in _PASSING:
                    os.dup2(kept, descriptor)
                os.close(kept)
                os.close(null)


def lasting_file(reporter: pytest.TerminalReporter) -> LastingFile:
    """Return the file that *reporter* writes to, from now on a lasting one."""
    writer = reporter._tw  # noqa: SLF001 - nothing public has its file
    if not isinstance(writer._file, LastingFile):  # noqa: SLF001
        writer._file = cast(TextIO, LastingFile(writer._file))  # noqa: SLF001
        reporter.config.add_cleanup(writer.flush)  # else Python does, and fails
    return cast(LastingFile, writer._file)  # noqa: SLF001


def end_line(reporter: pytest.TerminalReporter) -> None:
    """Begin a new line, if the last one is unfinished: xdist's progress has no file."""
    reporter.ensure_newline()
    writer = reporter._tw  # noqa: SLF001 - as above
    if writer.width_of_current_line:
        writer.line()


def outlive(config: pytest.Config) -> None:
    """Have the session go on when the terminal of pytest is gone."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        lasting_file(reporter)
