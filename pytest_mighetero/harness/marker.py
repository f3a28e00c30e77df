"""Finding markers in a stream of bytes: pure, no processes, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_mighetero.terms.escapes import CONTROL, ESCAPE, SHORT, STRING

# How long a marker without a line's end must stand at the end of the output. What
# prints a longer sentence, or a recipe, goes on within milliseconds.
QUIET_S = 0.5

_BLANKS = 400  # as many as the terminal's columns; progress bars pad their lines
_CUT = re.compile(rb"\x1b(?:%b|%b\x1b?|%b)\Z" % (CONTROL, STRING, SHORT))


_GOES_ON = b" *"
_NEVER = re.compile(rb"(?!)")


@dataclass(frozen=True)
class Markers:
    """What a harness prints at the start and at the end of its timed test."""

    start: Sequence[str]
    finish: Sequence[str]


class _Plain:
    """Takes terminals' escape sequences out of a stream, however it is cut."""

    def __init__(self) -> None:
        self._cut = b""

    def __call__(self, chunk: bytes) -> bytes:
        if not self._cut and b"\x1b" not in chunk:
            return chunk
        text, self._cut = self._cut + chunk, b""
        # The last of them, or the one before it where that is half of its terminator.
        before = text.rfind(b"\x1b", 0, text.rfind(b"\x1b"))
        if cut := _CUT.search(text, max(0, before)):
            text, begun = text[: cut.start()], text[cut.start() :]
            # Its kind, and a terminator's half; what is between has no meaning here.
            half = b"\x1b" if begun[2:].endswith(b"\x1b") else b""
            self._cut = begun[:2] + half
        return ESCAPE.sub(b"", text)


class MarkerScanner:
    """Tells when a line that ends with one of *markers* has gone by.

    After one that is written with ``" *"`` behind it the line may go on: it is found as
    soon as it has gone by.

    The marker may follow any prefix (glog's, ``[I] ``), be split over chunks, have
    escape sequences anywhere (colours, hyperlinks), and end in a full stop, blanks, and
    LF or CR. The line's end is part of the match, so that neither an echoed recipe nor
    a longer sentence is taken for the marker. Where no end comes the marker is
    ``pending``: nothing has followed it yet, and whoever knows the time says with
    ``settle`` that nothing did for ``QUIET_S``, or that the output is over. Memory is
    bounded by the marker's length, whatever goes by.
    """

    def __init__(self, markers: Iterable[str]):
        every = [marker.encode() for marker in markers]
        self._words = tuple(each for each in every if not each.endswith(_GOES_ON))
        begun = [
            each.removesuffix(_GOES_ON) for each in every if each.endswith(_GOES_ON)
        ]
        words, begins = (b"|".join(map(re.escape, x)) for x in (self._words, begun))
        ended = rb"(?:%b)\.?[ \t]{0,%d}[\r\n]" % (words, _BLANKS)
        patterns = [*([ended] if words else []), *([begins] if begins else [])]
        self._pattern = re.compile(b"|".join(patterns)) if patterns else _NEVER
        self._keep = max(map(len, every), default=0) + len(b".") + _BLANKS
        self._plain = _Plain()
        self._tail = b""
        self.found = self.pending = False

    def feed(self, chunk: bytes) -> bool:
        """Take the next *chunk*; return True on the one that completes the marker."""
        if self.found:
            return False
        window = self._tail + self._plain(chunk)
        if self._pattern.search(window):
            return self._find()
        self._tail = window[-self._keep :]
        last = self._tail.rstrip(b" \t")
        self.pending = last.endswith(self._words) or (
            last[-1:] == b"." and last[:-1].endswith(self._words)
        )
        return False

    def settle(self) -> bool:
        """Take a pending marker for one that has ended; return True if there is one."""
        return self.pending and self._find()

    def _find(self) -> bool:
        self.found, self.pending, self._tail = True, False, b""
        return True
