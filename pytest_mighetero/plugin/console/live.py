"""A line for each harness while a run lasts, drawn by rich, and gone afterwards."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, cast

import pytest
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from pytest_mighetero.plugin.console.rows import Row, Tone
from pytest_mighetero.plugin.console.terminal import LastingFile, lasting_file
from pytest_mighetero.terms.escapes import ESCAPE

_STYLES: dict[Tone, str] = {"plain": "", "good": "green", "bad": "red", "faint": "dim"}
_GAP = "  "
_GIVE_WAY = (2, 1, 0)  # columns, the first one first: role, name, device
_NAME = 4  # columns that are left of these at least
# What raises in whatever goes on: a person, a CI system, pytest-timeout.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_ECHO = len("^C")  # printed at the end of the last line by the terminal itself
_USUAL = (80, 24)  # columns and lines, of a terminal that does not know its size


class _Below:
    """The terminal, for what is no text of pytest's."""

    def __init__(self, file: LastingFile):
        self._file, self.write = file, file.pass_on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Screen(Console):
    """A console that leaves the cursor where people see it, however pytest ends."""

    def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002
        """Do nothing."""
        return False


class LiveLines:
    """Lines below what pytest has printed, redrawn in place.

    They go before pytest prints the next thing, which then is where it would have been
    without them; Ctrl-Z takes them away, too. A terminal that takes nothing at the
    moment (Ctrl-S, a link that stalls) is not waited for by anybody but pytest's own
    prints: what is new by then is shown once it has taken what it was given.

    Args:
        reporter: pytest's, of a terminal.
        alone: whether nobody else prints: tests' own prints are captured.
        uncaptured: within it, what is printed reaches the terminal.
    """

    def __init__(
        self,
        reporter: pytest.TerminalReporter,
        uncaptured: Callable[[], AbstractContextManager[None]],
        *,
        alone: bool,
    ):
        self._reporter, self._alone = reporter, alone
        self._uncaptured = uncaptured
        self._file = lasting_file(reporter)
        self._live: Live | None = None
        self._widths: list[int] = []
        self._below = False  # whether pytest's line above is unfinished
        self._stops: dict[int, Any] = {}
        self._lock = threading.RLock()

    def show(self, headline: str, rows: Callable[[int], Sequence[Row]]) -> None:
        """Show a headline, and as many of *rows* as fit, which it is asked for."""
        self._file.flush()  # in front of what goes past its buffer
        with self._lock, held(), self._file.unwaited() as taken:
            if taken:
                self._show(headline, rows)

    def _show(self, headline: str, rows: Callable[[int], Sequence[Row]]) -> None:
        columns, lines = self._size()
        text = text_of(headline, rows(lines - 2), max(1, columns - _ECHO - 1))
        text = _encodable(text, self._file.encoding or "ascii")
        live = self._live
        if live is None:
            live = self._live = self._start(columns)
        self._resized(live.console, columns, lines)
        live.update(text, refresh=True)
        self._widths = [cell_len(line) for line in text.plain.split("\n")]

    def clear(self) -> None:
        """Take the lines away; a thread that logs a line asks for it, too."""
        with self._lock, held(), self._file.unwaited():
            self._clear()

    def _clear(self) -> None:
        if (live := self._live) is None:
            return
        self._live = None
        self._file.beforehand = None
        columns, lines = self._size()
        self._resized(live.console, columns, lines)
        live.stop()
        if self._below:  # back to where it ended
            column = _column(self._file.line) % columns
            self._file.pass_on(f"\x1b[A\x1b[{column}C" if column else "\x1b[A")
        self._file.flush()
        self._leave_signals()

    def _start(self, columns: int) -> Live:
        if not (self._alone and _column(self._file.line) < columns):
            self._reporter.ensure_newline()
        self._below = bool(_column(self._file.line))
        if self._below:
            self._file.pass_on("\n")
        console = _Screen(
            file=cast(IO[str], _Below(self._file)),
            force_terminal=True,
            force_jupyter=False,
            color_system="auto" if self._reporter.hasmarkup else None,
            width=columns,
            highlight=False,
            markup=False,
            emoji=False,
        )
        live = Live(
            console=console,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._widths = []
        self._take_signals()
        live.start()
        self._file.beforehand = self.clear
        return live

    def _size(self) -> tuple[int, int]:
        """Return the columns and lines of the terminal, as it is now."""
        try:
            size = os.get_terminal_size(self._file.fileno())
        except (OSError, ValueError):
            return _USUAL
        return size.columns or _USUAL[0], size.lines or _USUAL[1]

    def _resized(self, console: Console, columns: int, lines: int) -> None:
        """Take away what a narrower terminal has broken into more lines."""
        before, console.size = console.size, ConsoleDimensions(columns, lines)
        if columns < before.width and self._widths:
            drawn = len(self._widths)
            rows = sum(max(1, -(-width // columns)) for width in self._widths)
            down = f"\x1b[{drawn - 1}B" if drawn > 1 else ""
            up = f"\x1b[{rows - 1}A" if rows > 1 else ""
            self._file.pass_on(f"\r{up}\x1b[J{down}")

    def _take_signals(self) -> None:
        handlers = {signal.SIGTSTP: self._stop, signal.SIGCONT: self._go}
        for number, handler in handlers.items():
            if _in_main_thread() and signal.getsignal(number) is signal.SIG_DFL:
                self._stops[number] = signal.signal(number, handler)

    def _leave_signals(self) -> None:
        if _in_main_thread():  # else they stay until the next time
            for number, handler in self._stops.items():
                signal.signal(number, handler)
            self._stops = {}

    def _stop(self, number: int, _frame: object) -> None:
        """Leave the terminal to the shell, and stop."""
        with self._uncaptured():
            self.clear()
        os.kill(os.getpid(), number)

    def _go(self, _number: int, _frame: object) -> None:
        """Begin anew below what the shell has printed since SIGSTOP."""
        self._live, self._file.beforehand = None, None
        self._leave_signals()


@contextmanager
def held() -> Iterator[None]:
    """Meanwhile, let signals wait that would end a drawing in its middle."""
    came: list[int] = []
    before: dict[int, Any] = {}
    try:
        for number in _ENDING if _in_main_thread() else ():
            if callable(signal.getsignal(number)):
                before[number] = signal.signal(number, lambda n, _: came.append(n))
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for one in came:
            before[one](one, None)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def text_of(headline: str, rows: Sequence[Row], width: int) -> Text:
    """Return the lines, none wider than *width*."""
    cells = _columns([row.cells for row in rows if len(row.cells) > 1], width)
    lines = [Text(headline)]
    for row in rows:
        line = _GAP.join(next(cells) if len(row.cells) > 1 else row.cells)
        lines.append(Text(line.rstrip(), _STYLES[row.tone]))
    for each in lines:
        each.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True, overflow="crop", end="").join(lines)


def _columns(table: Sequence[Sequence[str]], width: int) -> Iterator[list[str]]:
    """Yield the rows of *table* so that their cells stand below one another.

    Where that is wider than *width* the names give way: what a harness does is said.
    """
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    beyond = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    for number in _GIVE_WAY:
        if number < len(widths) - 1 and beyond > 0:
            narrower = max(min(widths[number], _NAME), widths[number] - beyond)
            beyond -= widths[number] - narrower
            widths[number] = narrower
    for row in table:
        yield list(map(set_cell_size, row, widths))


def _encodable(text: Text, encoding: str) -> Text:
    """Return *text* as a terminal of *encoding* can have it."""
    try:
        text.plain.encode(encoding)
    except UnicodeEncodeError:
        plain = text.plain.replace("…", ".").encode(encoding, "replace")
        return Text(plain.decode(encoding), no_wrap=True, overflow="crop", end="")
    return text


def _column(line: str) -> int:
    """Return at which column a line's text ends."""
    return cell_len(ESCAPE.sub(b"", line.encode(errors="replace")).decode())
