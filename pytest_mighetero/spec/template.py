"""Texts with placeholders: ``{port}``; ``{{`` and ``}}`` are braces. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_mighetero.errors import nearest

# What is known of every launch.
BUILT_IN = (
    *("device", "slot", "gpu", "log_dir", "seconds", "ms", "requests", "rate"),
    *("port", "benchmark", "scenario", "python", "package", "run_args"),
)


_PART = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")


def placeholders(text: str) -> Iterator[str]:
    """Yield the names of the placeholders in *text*."""
    return (found[1] for found in _PART.finditer(text) if found[1])


def misspelt(text: str) -> str | None:
    """Say what was expected of *text* where a brace in it means nothing, or None."""
    if any(found[0] in "{}" for found in _PART.finditer(text)):
        return "{NAME} for a placeholder, {{ and }} for braces"
    return None


def unknown(text: str, known: Iterable[str]) -> str | None:
    """Say which placeholder of *text* is not among the *known*, or None."""
    names = [*known]
    for name in placeholders(text):
        if name not in names:
            return f"no placeholder {{{name}}}: {nearest(name, names)}"
    return None


def fill(text: str, values: Mapping[str, str | Sequence[str]]) -> str:
    """Return *text* with each placeholder's value in its place."""

    def value(found: re.Match[str]) -> str:
        if found[1]:
            filling = values[found[1]]
            return filling if isinstance(filling, str) else " ".join(filling)
        return found[0][0]

    return _PART.sub(value, text)


def fill_words(
    words: Iterable[str], values: Mapping[str, str | Sequence[str]]
) -> tuple[str, ...]:
    """Return *words* filled; one that is a placeholder alone may become several."""
    filled: list[str] = []
    for word in words:
        alone = _PART.fullmatch(word)
        filling = values[alone[1]] if alone and alone[1] else None
        if filling is None or isinstance(filling, str):
            filled.append(fill(word, values))
        else:
            filled += filling
    return tuple(filled)
