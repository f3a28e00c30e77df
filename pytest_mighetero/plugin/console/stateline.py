"""One line that says what a run is doing, where a person watches a terminal."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

import pytest
from _pytest.capture import CaptureManager

from pytest_mighetero.terms.printable import printable_line


class StateLine:
    """A line that is rewritten in place; silent where the terminal is none.

    Attributes:
        doing: what it last said.
    """

    def __init__(self, config: pytest.Config, name: str):
        self._name = printable_line(name)
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin(
            "terminalreporter"
        )
        self._capture: CaptureManager | None = config.pluginmanager.getplugin(
            "capturemanager"
        )
        self._begin = time.monotonic()
        self._shown = False
        self._announced = ""
        self.doing = "it was prepared"

    def __call__(self, state: str) -> None:
        """Show *state* and the seconds since the run began."""
        state = printable_line(state)
        seconds = time.monotonic() - self._begin
        self.doing = f"{state} ({seconds:.0f} s)"
        self._write(f"{self._name}: {self.doing}")
        self._shown = True

    def announce(self, state: str) -> None:
        """Show *state*; where nobody watches a terminal, write it once for the log."""
        state = printable_line(state)
        self(state)
        reporter = self._reporter
        if reporter is None or reporter.isatty or state == self._announced:
            return
        self._announced = state
        with self._uncaptured():
            reporter.ensure_newline()
            reporter.write_line(f"{self._name}: {state}", flush=True)

    def clear(self) -> None:
        """Leave an empty line, for pytest's own progress."""
        if self._shown:
            self._write("")
            self._shown = False

    def _write(self, line: str) -> None:
        reporter = self._reporter
        if reporter is None or not reporter.isatty or reporter.verbosity < 0:
            return
        with self._uncaptured():
            if not self._shown:
                reporter.ensure_newline()
            width = reporter._tw.fullwidth - 1  # noqa: SLF001 - nothing public has it
            reporter.rewrite(line[:width], erase=True)
            reporter.rewrite("")
            reporter.flush()

    def _uncaptured(self) -> AbstractContextManager[None]:
        if self._capture is None:
            return nullcontext()
        return self._capture.global_and_fixture_disabled()
