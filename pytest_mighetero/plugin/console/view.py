"""What people see of the runs of a session while they last: lines, or a heartbeat."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.util import find_spec
from typing import Protocol

import pytest
from _pytest.capture import CaptureManager

from pytest_mighetero.plugin.console.rows import Row
from pytest_mighetero.plugin.console.stateline import StateLine
from pytest_mighetero.plugin.console.terminal import end_line, lasting_file

INSTALL = "pip install 'pytest-mighetero[live]' shows every harness while it runs"


class Sight(Protocol):
    """What there is to be seen at a moment."""

    def headline(self) -> str:
        """Return one line, for a terminal that is rewritten again and again."""

    def rows(self, most: int) -> Sequence[Row]:
        """Return the lines below it, so many at most."""

    def sentence(self) -> str:
        """Return one line, for a log."""


class Lines(Protocol):
    """What a terminal shows of a run, in place."""

    def show(self, headline: str, rows: Callable[[int], Sequence[Row]]) -> None:
        """Show it anew; *rows* returns so many rows at most."""

    def clear(self) -> None:
        """Take it away."""


def shows_lines(config: pytest.Config) -> bool:
    """Tell whether a person watches a terminal, and did not ask for quiet."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return reporter is not None and reporter.isatty and reporter.verbosity >= 0


def lacks_extra(config: pytest.Config) -> bool:
    """Tell whether a terminal could show every harness, if rich were installed."""
    able = os.environ.get("TERM") not in ("dumb", "unknown")
    return shows_lines(config) and able and find_spec("rich") is None


def _lines(
    config: pytest.Config, uncaptured: Callable[[], AbstractContextManager[None]]
) -> Lines | None:
    if not shows_lines(config):
        return None
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if os.environ.get("TERM") in ("dumb", "unknown") or find_spec("rich") is None:
        return StateLine(reporter)
    from pytest_mighetero.plugin.console.live import LiveLines

    alone = config.getoption("capture", "no") not in ("no", "tee-sys")
    return LiveLines(reporter, uncaptured, alone=alone)


class View:
    """The terminal, or log, of one session.

    Args:
        every: at most so often, in seconds, a log is told what goes on; 0 for never.
    """

    def __init__(self, config: pytest.Config, every: float):
        manager = config.pluginmanager
        self._reporter: pytest.TerminalReporter | None
        self._reporter = manager.getplugin("terminalreporter")
        self._capture: CaptureManager | None = manager.getplugin("capturemanager")
        self._every, self._announced = every, ""
        self._lines = _lines(config, self._uncaptured)

    @property
    def watched(self) -> bool:
        """Whether anybody is ever told anything."""
        beats = self._reporter is not None and self._every > 0
        return self._lines is not None or beats

    def show(self, sight: Sight) -> None:
        """Show it, or say it in a log where nothing was said for long."""
        if self._reporter is None:
            return
        if self._lines is None:
            try:
                self._beat(sight)
            except Exception:  # noqa: BLE001 - no run is worth less for what is shown of it
                self._every = 0.0
            return
        lines = self._lines
        try:
            with self._uncaptured():
                if self._takes():
                    lines.show(sight.headline(), sight.rows)
        except Exception:  # noqa: BLE001 - as above
            self._lines = None  # a heartbeat goes on
            with suppress(Exception), self._uncaptured():
                lines.clear()

    def announce(self, line: str) -> None:
        """Write *line* into a log, once."""
        reporter = self._reporter
        if reporter is None or reporter.isatty or line == self._announced:
            return
        self._announced = line
        self._write(line)

    def clear(self) -> None:
        """Leave the terminal as pytest had it."""
        if (lines := self._lines) is None:
            return
        try:
            with self._uncaptured():
                lines.clear()
        except Exception:  # noqa: BLE001 - as above
            self._lines = None

    def _beat(self, sight: Sight) -> None:
        """Tell a log what goes on, unless pytest has printed anything of late."""
        if self._reporter is None or not self._every:
            return
        if time.monotonic() - lasting_file(self._reporter).wrote >= self._every:
            self._write(f"mighetero: {sight.sentence()}")

    def _write(self, line: str) -> None:
        if (reporter := self._reporter) is not None:
            with self._uncaptured():
                end_line(reporter)
                reporter.write_line(line, flush=True)

    def _takes(self) -> bool:
        """Tell whether the terminal takes anything now: nobody waits for Ctrl-Q."""
        if self._reporter is None:
            return False
        with suppress(OSError, ValueError):
            fd = lasting_file(self._reporter).fileno()
            return bool(select.select([], [fd], [], 0)[1])
        return True

    def _uncaptured(self) -> AbstractContextManager[None]:
        if self._capture is None:
            return nullcontext()
        return self._capture.global_and_fixture_disabled()
