"""Values as a spreadsheet may have them: texts are shown, and none is a formula."""

from __future__ import annotations

import unicodedata

from pytest_mighetero.terms.printable import printable_line

_FORMULA = frozenset("=+-@")  # what a spreadsheet takes a text for
# Letters and signs that nobody sees: Hangul's fillers, and Braille's blank.
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"


def field(value: object) -> object:
    """Return *value* for a CSV file; numbers stay numbers, None is an empty field."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return value
    line = printable_line(value)
    return f"'{line}" if _first_seen(line) in _FORMULA else line


def _first_seen(line: str) -> str:
    """Return the first sign that is seen, of a wide one its plain form.

    Spreadsheets pass over blanks, some over signs without a width, and some take a wide
    equals sign for the plain one.
    """
    for sign in line:
        unseen = sign.isspace() or not sign.isprintable() or sign in _FILLERS
        if not unseen and not unicodedata.category(sign).startswith("M"):
            return unicodedata.normalize("NFKC", sign)
    return "none"
