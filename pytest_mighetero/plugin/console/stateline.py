"""One line that says what a run is doing, where a terminal shows no more than that."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest

from pytest_mighetero.plugin.console.rows import Row
from pytest_mighetero.plugin.console.terminal import end_line, lasting_file


class StateLine:
    """A line that is rewritten in place, and gone before pytest prints anything."""

    def __init__(self, reporter: pytest.TerminalReporter):
        self._reporter, self._file = reporter, lasting_file(reporter)
        self._shown = False

    def show(self, headline: str, rows: Callable[[int], Sequence[Row]]) -> None:  # noqa: ARG002 - they would not fit
        """Show *headline* alone."""
        self._file.flush()  # in front of what goes past its buffer
        with self._file.unwaited() as taken:
            if taken:
                if not self._shown:
                    end_line(self._reporter)
                self._shown, self._file.beforehand = True, self.clear
                self._write(headline)

    def clear(self) -> None:
        """Leave an empty line, for pytest's own progress."""
        if self._shown:
            self._shown, self._file.beforehand = False, None
            with self._file.unwaited():
                self._write("")

    def _write(self, line: str) -> None:
        width = self._width()
        encoding = self._file.encoding or "ascii"
        shown = line[:width].encode(encoding, "replace").decode(encoding)
        self._file.pass_on(f"\r{shown.ljust(width)}\r")
        self._file.flush()

    def _width(self) -> int:
        """Return what a line of the terminal takes, as it is now, but for its end."""
        try:
            columns = os.get_terminal_size(self._file.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        width: int = columns or self._reporter._tw.fullwidth  # noqa: SLF001 - nothing public has it
        return width - 1
