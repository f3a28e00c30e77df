"""Values as a spreadsheet may have them: texts are shown, and none is a formula."""

from __future__ import annotations

from pytest_mighetero.terms.printable import printable_line

_FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes a text for


def field(value: object) -> object:
    """Return *value* for a CSV file; numbers stay numbers, None is an empty field."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return value
    line = printable_line(value)
    return f"'{line}" if line.startswith(_FORMULA) else line
