"""A flag that is said with a value, as the reference script's: ``=True``, ``=False``.

Its ``--main_benchmark_immediate_start`` takes one (``type=bool``), and no other flag of
it does; a flag of pytest takes none, and a word after it is a path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

FLAG = "main-benchmark-immediate-start"
_WORDS = {
    True: ("true", "True", "TRUE", "1", "yes", "on"),
    False: ("false", "False", "FALSE", "0", "no", "off"),
}


def spelled(name: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield what a flag may be said to be, with every spelling of that."""
    if name == FLAG:
        for value, words in _WORDS.items():
            names = (name, name.replace("-", "_"))
            yield value, [f"--{each}={word}" for each in names for word in words]


def apart(arguments: Sequence[str]) -> str | None:
    """Say which flag is followed by a value of its own, or None."""
    for flag, word in pairwise(arguments):
        name = flag.removeprefix("--").replace("_", "-")
        is_flag = flag.startswith("--") and name == FLAG
        if is_flag and word.lower() in ("true", "false"):
            return f"{flag} {word}: expected {flag}={word}, in one word"
    return None
