"""Finding markers in a stream of bytes: pure, no processes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Markers:
    """What a harness prints at the start and at the end of its timed test."""

    start: Sequence[str]
    finish: Sequence[str]


class MarkerScanner:
    """Tells when a line that ends with one of *markers* has gone by.

    The marker may follow any prefix (glog's, ``[I] ``), be split over chunks, and end
    in a full stop and CRLF. The line's end is part of the match, so that neither an
    echoed recipe nor a longer sentence is taken for the marker. Memory is bounded by
    the marker's length, whatever goes by.
    """

    def __init__(self, markers: Iterable[str]):
        words = [marker.encode() for marker in markers]
        ends = rb")\.?[ \t]{0,8}\r?\n"
        self._pattern = re.compile(rb"(?:" + rb"|".join(map(re.escape, words)) + ends)
        self._keep = max(map(len, words)) + len(b".") + 8 + len(b"\r\n")
        self._tail = b""
        self.found = False

    def feed(self, chunk: bytes) -> bool:
        """Take the next *chunk*; return True on the one that completes the marker."""
        if self.found:
            return False
        window = self._tail + chunk
        self.found = self._pattern.search(window) is not None
        self._tail = b"" if self.found else window[-self._keep :]
        return self.found
