"""Text of others as a terminal or a CI's log may have it: shown, not obeyed. Pure."""

from __future__ import annotations

import re

# What a terminal obeys: C0 and C1, DEL, what turns the direction of writing, and lone
# surrogates, which no encoding has. A line's end and a tab only move on.
_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_OBEYED = f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_TURNS}\ud800-\udfff]"
_BREAKS = "[\t\n\u2028\u2029]"
# What a CI's runner takes out of a job's log and obeys: GitHub's "::error::" behind the
# blanks of a line (actions/runner, ActionCommand.cs) and "##[..." anywhere, Azure's
# "##vso[...", TeamCity's "##teamcity[...".
_COMMANDS = re.compile(r"(?m)^(\s*):(?=:)|#(?=#(?:vso|teamcity)?\[)")


def printable(text: str) -> str:
    r"""Return *text* with what a terminal or a CI would obey shown: ``\x1b``.

    Tabs and the ends of lines stay; one of DOS's becomes one of ours.
    """
    if not text.isprintable():  # as nearly all of it is
        text = re.sub(_OBEYED, _shown, text.replace("\r\n", "\n"))
    if "::" in text or "##" in text:
        text = _COMMANDS.sub(_command, text)
    return text


def printable_line(text: str) -> str:
    r"""Return *text* as one line: printable, its tabs and lines' ends shown, too."""
    text = printable(text)
    return text if text.isprintable() else re.sub(_BREAKS, _shown, text)


def _shown(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _command(found: re.Match[str]) -> str:
    return r"\x23" if found[1] is None else rf"{found[1]}\x3a"
