"""One line that says what a run is doing, where a terminal shows no more than that."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pytest_mighetero.plugin.console.rows import Row
from pytest_mighetero.plugin.console.terminal import lasting_file


class StateLine:
    """A line that is rewritten in place."""

    def __init__(self, reporter: pytest.TerminalReporter):
        self._reporter, self._file = reporter, lasting_file(reporter)
        self._shown = False

    def show(self, headline: str, rows: Callable[[int], Sequence[Row]]) -> None:  # noqa: ARG002 - they would not fit
        """Show *headline* alone."""
        self._file.flush()  # in front of what goes past its buffer
        with self._file.unwaited() as taken:
            if taken:
                if not self._shown:
                    self._reporter.ensure_newline()
                self._shown = True
                self._write(headline)

    def clear(self) -> None:
        """Leave an empty line, for pytest's own progress."""
        if self._shown:
            self._shown = False
            with self._file.unwaited():
                self._write("")

    def _write(self, line: str) -> None:
        reporter = self._reporter
        width = reporter._tw.fullwidth - 1  # noqa: SLF001 - nothing public has it
        reporter.rewrite(line[:width], erase=True)
        reporter.rewrite("")
        reporter.flush()
