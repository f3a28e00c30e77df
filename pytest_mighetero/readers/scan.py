"""JSON documents in a text with other lines around them. Pure but for the file."""

from __future__ import annotations

import json
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.readers.logfile import LogFile

_MIB = 1024 * 1024
_LINES = 1000  # kept of those that are of no document
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True)
class Scan:
    """What a text holds.

    Attributes:
        count: how many documents.
        last: the last one, an object or a list.
        others: the lines that are of none, the last ones.
        broken: whether one has begun after the last one that is whole.
    """

    count: int = 0
    last: object = None
    others: tuple[str, ...] = ()
    broken: bool = False


def read_end(path: Path, mib: int) -> str:
    """Return a file's text: the last *mib* MiB of a longer one.

    Raises:
        OSError: it cannot be read.
    """
    limit = mib * _MIB
    with closing(LogFile(path)) as file:
        size = path.stat().st_size
    with closing(LogFile(path, max(0, size - limit))) as file:
        return file.read(limit).decode("utf-8-sig", "replace")


def scan(text: str) -> Scan:
    """Find the documents.

    Each is one line, or goes from a line with its bracket alone to the next one that
    begins with the closing bracket, as whatever indents them writes it. It takes as
    long as the text is.
    """
    lines = [line.rstrip("\r") for line in text.split("\n")]
    count, last, broken, at = 0, None, False, 0
    others: deque[str] = deque(maxlen=_LINES)
    closed = dict.fromkeys(_CLOSING, True)
    while at < len(lines):
        first, end = lines[at], at + 1
        bracket = first[:1]
        if first.rstrip() == bracket and bracket in _CLOSING:
            end = _end(lines, at, _CLOSING[bracket]) if closed[bracket] else at + 1
            closed[bracket] = end > at + 1
        document = _document("\n".join(lines[at:end])) if bracket in _CLOSING else None
        if document is None:
            broken = broken or bracket == "{" or end > at + 1
            others.extend(filter(str.strip, lines[at:end]))
        else:
            count, last, broken = count + 1, document, False
        at = end
    return Scan(count, last, tuple(others), broken)


def _end(lines: list[str], begin: int, bracket: str) -> int:
    """Return the index after the line that closes; after *begin* where none does."""
    found = (n for n in range(begin + 1, len(lines)) if lines[n].startswith(bracket))
    return next(found, begin) + 1


def _document(text: str) -> object:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document
