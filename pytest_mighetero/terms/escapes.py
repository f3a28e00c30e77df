"""What a terminal obeys between the letters: ECMA-48's escape sequences. Pure."""

from __future__ import annotations

import re

CONTROL = rb"\[[0-?]*[ -/]*"  # colours and the like, up to the final byte
STRING = rb"[\]PX^_][^\a\x1b\r\n]*"  # hyperlinks, titles, up to BEL or ESC \
SHORT = rb"[ -/]*"
# A letter's colour and weight, and nothing else: who reads it without misses nothing.
COLOUR = re.compile(r"\x1b\[[\d;:]*m")
# A string that no terminator ends is over at the end of its line.
ESCAPE = re.compile(
    rb"\x1b(?:%b[@-~]|%b(?:\a|\x1b\\)?|%b[0-~])?" % (CONTROL, STRING, SHORT)
)
