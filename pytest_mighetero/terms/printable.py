"""Text of others as a terminal may have it: shown, not obeyed. Pure."""

from __future__ import annotations

import re

# What a terminal obeys: C0 and C1, DEL, what turns the direction of writing, and lone
# surrogates, which no encoding has. A line's end and a tab only move on.
_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_OBEYED = f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_TURNS}\ud800-\udfff]"
_BREAKS = "[\t\n\u2028\u2029]"


def printable(text: str) -> str:
    r"""Return *text* with what a terminal would obey shown as text: ``\x1b``.

    Tabs and the ends of lines stay; one of DOS's becomes one of ours.
    """
    if text.isprintable():  # as nearly all of it is
        return text
    return re.sub(_OBEYED, _shown, text.replace("\r\n", "\n"))


def printable_line(text: str) -> str:
    r"""Return *text* as one line: printable, its tabs and lines' ends shown, too."""
    if text.isprintable():
        return text
    return re.sub(_BREAKS, _shown, printable(text))


def _shown(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
