"""What make and the shell of its recipes pass on as it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pytest_mighetero.errors import ConfigError

# make expands RUN_ARGS and LOG_DIR unquoted into a line for the shell.
_SAFE = re.compile(r"[A-Za-z0-9_./,=:+@%^-]*", re.ASCII)


def unsafe_for_make(text: str, what: str) -> str | None:
    """Say that make, which hands *what* to a shell, would lose some of it, or None."""
    if lost := _SAFE.sub("", text):
        return f"hands {what} to a shell unquoted, so {lost[0]!r} would not arrive"
    return None


def check_words(words: Iterable[str]) -> None:
    """Refuse words of RUN_ARGS that make's shell would not pass on as they are.

    Raises:
        ConfigError: naming the word and its first bad character.
    """
    flag = ""  # whose value may follow: not to be shown, it may be a secret
    for word in words:
        is_flag = word.startswith("--")
        if lost := unsafe_for_make(word, "RUN_ARGS"):
            shown = f"the value of {flag}" if flag and not is_flag else repr(word)
            raise ConfigError(
                f"{shown}: make {lost}; letters, digits and _./,=:+@%^- do"
            )
        if not (is_flag or flag):
            raise ConfigError(f"{word!r}: expected words of the form --name=value")
        flag = word if is_flag and "=" not in word else ""


def check_path(path: Path) -> None:
    """Refuse a path that would not reach the harness as LOG_DIR.

    Raises:
        ConfigError: naming the path and its first bad character.
    """
    if lost := unsafe_for_make(str(path), "LOG_DIR"):
        raise ConfigError(
            f"{str(path)!r}: make {lost}; choose a path of letters, digits and "
            f"_./,=:+@%^-"
        )
