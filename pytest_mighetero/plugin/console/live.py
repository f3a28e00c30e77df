"""A line for each harness while a run lasts, drawn in place, and gone afterwards.

rich knows how wide letters are and how colours are said. Its ``Live`` is not used: to
lay out again, every second, what is laid out already took half of all the CPU time.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.style import Style

from pytest_mighetero.plugin.console.rows import Row, Tone
from pytest_mighetero.plugin.console.terminal import lasting_file
from pytest_mighetero.terms.escapes import ESCAPE

_STYLES: dict[Tone, Style] = {
    "plain": Style.null(),
    "good": Style(color="green"),
    "bad": Style(color="red"),
    "faint": Style(dim=True),
}
_GAP = "  "
_GIVE_WAY = (2, 1, 0)  # columns, the first one first: role, name, device
_NAME = 4  # columns that are left of these at least
# What raises in whatever goes on: a person, a CI system, pytest-timeout.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_ECHO = len("^C")  # printed at the end of the last line by the terminal itself
_SMALL = 8  # lines of a terminal that has none to spare
_USUAL = (80, 24)  # columns and lines, of a terminal that does not know its size


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
        self._widths: list[int] = []  # of the lines that are shown
        self._columns = 0  # of the terminal that they were drawn for
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
        columns, height = self._size()
        width = max(1, columns - _ECHO - 1)
        heads = heads_of(headline, width, 2 if height > _SMALL else 1)
        lines = lines_of(heads, rows(height - 1 - len(heads)), width)
        encoding = self._file.encoding or "ascii"
        lines = [(_encodable(text, encoding), tone) for text, tone in lines]
        if not self._widths:
            self._start(columns)
        elif columns != self._columns:  # else it takes what was broken for one line
            self._file.pass_on(f"{self._top(columns)}\x1b[J")
            self._widths = []
        self._columns = columns
        colours = ColorSystem.STANDARD if self._reporter.hasmarkup else None
        drawn = [_STYLES[tone].render(t, color_system=colours) for t, tone in lines]
        # Each is written over the one before it: what is taken away first flickers.
        text = "\x1b[K\n".join(drawn)
        self._file.pass_on(f"{self._top(columns)}{text}\x1b[K\x1b[J")
        self._widths = [cell_len(text) for text, _ in lines]
        self._file.flush()

    def _top(self, columns: int) -> str:
        """Return what goes to where the lines begin; broken ones, if it is narrower."""
        up = sum(max(1, -(-width // columns)) for width in self._widths) - 1
        return f"\r\x1b[{up}A" if up > 0 else "\r"

    def clear(self) -> None:
        """Take the lines away; a thread that logs a line asks for it, too."""
        with self._lock, held(), self._file.unwaited():
            self._clear()

    def _clear(self) -> None:
        if not self._widths:
            return
        columns, _ = self._size()
        away = f"{self._top(columns)}\x1b[J"
        self._widths, self._file.beforehand = [], None
        self._file.pass_on(away)
        if self._below:  # back to where it ended
            column = _column(self._file.line) % columns
            self._file.pass_on(f"\x1b[A\x1b[{column}C" if column else "\x1b[A")
        self._file.flush()
        self._leave_signals()

    def _start(self, columns: int) -> None:
        if not (self._alone and _column(self._file.line) < columns):
            self._reporter.ensure_newline()
        self._below = bool(_column(self._file.line))
        if self._below:
            self._file.pass_on("\n")
        self._take_signals()
        self._file.beforehand = self.clear

    def _size(self) -> tuple[int, int]:
        """Return the columns and lines of the terminal, as it is now."""
        try:
            size = os.get_terminal_size(self._file.fileno())
        except (OSError, ValueError):
            return _USUAL
        return size.columns or _USUAL[0], size.lines or _USUAL[1]

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
        self._widths, self._file.beforehand = [], None
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


def heads_of(headline: str, width: int, most: int) -> list[str]:
    """Return *headline* in *most* lines: in the second one, how long it lasts."""
    said, comma, lasts = headline.partition(", ~")
    if most < 2 or not comma or cell_len(headline) <= width:
        return [headline]
    return [said, f"~{lasts}"]


def lines_of(
    heads: Sequence[str], rows: Sequence[Row], width: int
) -> list[tuple[str, Tone]]:
    """Return the lines, none wider than *width*, and the tone of each."""
    tabular = _tabular([row.cells for row in rows if len(row.cells) > 1], width)
    lines: list[tuple[str, Tone]] = [(each, "plain") for each in heads]
    for row in rows:
        line = next(tabular) if len(row.cells) > 1 else row.cells[0]
        lines.append((line.rstrip(), row.tone))
    return [(_cut(text, width), tone) for text, tone in lines]


def _cut(line: str, width: int) -> str:
    return line if cell_len(line) <= width else set_cell_size(line, width - 1) + "…"


def _tabular(table: Sequence[Sequence[str]], width: int) -> Iterator[str]:
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
    gap = _GAP[:1] if beyond > 0 and len(widths) > 2 else _GAP
    for row in table:
        yield gap.join(map(set_cell_size, row, widths))


def _encodable(text: str, encoding: str) -> str:
    """Return *text* as a terminal of *encoding* can have it."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("…", ".").encode(encoding, "replace").decode(encoding)
    return text


def _column(line: str) -> int:
    """Return at which column a line's text ends."""
    return cell_len(ESCAPE.sub(b"", line.encode(errors="replace")).decode())
