"""What a terminal shows of the bytes it is sent; it knows what runs are shown by."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

_PIECE = re.compile(
    r"\x1b\[(\?)?([\d;]*)([A-Za-z])|(\x1b.?)|([\r\n\b])|([^\x1b\r\n\b]+)"
)


class Screen:
    """So many columns and lines, and a cursor; what scrolls off is kept.

    Attributes:
        strange: sequences that it does not know, or that hide the cursor.
    """

    def __init__(self, columns: int = 80, lines: int = 24):
        self.columns, self.height = columns, lines
        self.above: list[str] = []
        self._rows = [[" "] * columns for _ in range(lines)]
        self._row = self._column = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""
        self.strange: list[str] = []

    @property
    def lines(self) -> list[str]:
        """The lines that it shows, without those that are empty at the end."""
        lines = ["".join(row).rstrip() for row in self._rows]
        return lines[: max((n + 1 for n, each in enumerate(lines) if each), default=0)]

    @property
    def text(self) -> str:
        """Everything that was printed and is still there."""
        return "\n".join([*self.above, *self.lines])

    def feed(self, data: bytes) -> None:
        """Obey *data*; a sequence may come in two parts."""
        text = self._pending + self._decoder.decode(data)
        cut = re.search(r"\x1b(\[[?\d;]*)?$", text)
        self._pending = text[cut.start() :] if cut else ""
        for found in _PIECE.finditer(text[: cut.start()] if cut else text):
            private, numbers, final, other, control, plain = found.groups()
            if plain:
                for letter in plain:
                    self._put(letter)
            elif control:
                self._control(control)
            elif other or private or not self._obey(final, numbers):
                self.strange.append(found[0])

    def _put(self, letter: str) -> None:
        if self._column == self.columns:
            self._column = 0
            self._down()
        self._rows[self._row][self._column] = letter
        self._column += 1

    def _down(self) -> None:
        if self._row == self.height - 1:
            self.above.append("".join(self._rows.pop(0)).rstrip())
            self._rows.append([" "] * self.columns)
        else:
            self._row += 1

    def _control(self, control: str) -> None:
        if control == "\r":
            self._column = 0
        elif control == "\n":  # the other end of a pty makes \r\n of it
            self._down()
        else:
            self._column = max(0, self._column - 1)

    def _obey(self, final: str, numbers: str) -> bool:
        count = 1
        with suppress(ValueError):
            count = int(numbers)
        if final == "A":
            self._row = max(0, self._row - count)
        elif final == "B":
            self._row = min(self.height - 1, self._row + count)
        elif final == "C":
            self._column = min(self.columns - 1, self._column + count)
        elif final == "K":
            begin = 0 if numbers == "2" else self._column
            self._rows[self._row][begin:] = [" "] * (self.columns - begin)
        elif final == "J" and not numbers:
            self._rows[self._row][self._column :] = [" "] * (
                self.columns - self._column
            )
            for number in range(self._row + 1, self.height):
                self._rows[number] = [" "] * self.columns
        else:
            return final == "m"
        return True
