"""Text in lines that fit a width, whatever letters it has. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from pytest_mighetero.terms.printable import printable_line

# Of DejaVu Sans and Verdana, in parts of their size, rounded up.
_WIDE, _CAPITAL, _SMALL, _OTHER = 1.0, 0.77, 0.36, 0.64


def width_of(text: str, size: float) -> float:
    """Return about how many pixels a text *size* high takes; seldom less than that."""
    return size * sum(map(_share, text))


def paragraph(text: str, width: float, size: float, most: int) -> list[str]:
    """Return *text* in lines that fit, *most* of them: the last says what is left out.

    Its own ends of lines stay; a word that does not fit is broken.
    """
    every = [printable_line(line) for line in text.splitlines()]
    lines = [part for line in every for part in _broken(line, width, size)]
    if len(lines) <= most:
        return lines
    left = len(lines) - most + 1
    return [*lines[: most - 1], f"\u2026 and {left} lines more, in record.json"]


def _broken(line: str, width: float, size: float) -> Iterator[str]:
    begun = ""
    for word in line.split(" "):
        longer = f"{begun} {word}" if begun else word
        if width_of(longer, size) <= width:
            begun = longer
            continue
        if begun:
            yield begun
        *full, begun = _pieces(word, width, size)
        yield from full
    yield begun


def _pieces(word: str, width: float, size: float) -> Iterator[str]:
    piece, taken = "", 0.0
    for letter in word:
        taken += size * _share(letter)
        if taken > width and piece:
            yield piece
            piece, taken = "", size * _share(letter)
        piece += letter
    yield piece


def _share(letter: str) -> float:
    if letter in "ijlrtfI.,:;|!'() []":
        return _SMALL if letter not in "rtf" else 0.45
    if letter in "mwMW@%\u2026" or unicodedata.east_asian_width(letter) in "WF":
        return _WIDE
    return _CAPITAL if letter.isupper() else _OTHER
