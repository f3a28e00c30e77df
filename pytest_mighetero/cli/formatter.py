"""How a verb's help is laid out: wrapped to the terminal, examples as they are."""

from __future__ import annotations

import argparse
import textwrap
from functools import partial

# Paths, options and run names are to be copied: none is broken in two.
_wrapped = partial(textwrap.wrap, break_on_hyphens=False, break_long_words=False)


class Formatter(argparse.HelpFormatter):
    """Wraps the paragraphs of a description; one with an indented line is kept."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        def laid_out(part: str) -> str:
            if "\n " in part:
                return part
            return textwrap.indent("\n".join(_wrapped(part, width)), indent)

        return "\n\n".join(map(laid_out, text.strip().split("\n\n")))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _wrapped(" ".join(text.split()), width)
