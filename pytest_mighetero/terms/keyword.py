"""The words of an expression such as pytest's ``-k``, and what each may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

_WORD = re.compile(r"[\w:+\-.\[\]/\\=]+")
_OPERATORS = {"and", "or", "not", "true", "false", "none"}
_SHOWN = 3


def words_of(expression: str) -> Iterator[str]:
    """Yield each word that is no operator, once."""
    for word in dict.fromkeys(_WORD.findall(expression)):
        if word.lower() not in _OPERATORS:
            yield word


def nearest_to(word: str, accepted: Iterable[str]) -> list[str]:
    """Return up to three that *word* is a part of, or else that are spelt like it."""
    plainly = {plain(name): name for name in accepted}
    inside = [name for low, name in plainly.items() if plain(word) in low]
    near = get_close_matches(plain(word), plainly, n=_SHOWN, cutoff=0.7)
    return inside[:_SHOWN] or [plainly[low] for low in near]


def plain(name: str) -> str:
    """Return *name* as it is compared."""
    return name.lower().replace("-", "_")
