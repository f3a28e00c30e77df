"""RUN_ARGS as values: read from text, and made text again, in this place alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """One flag, said as ``--name=value``, ``--name value``, or alone.

    Attributes:
        name: without its dashes; "" of words before any flag.
        words: as it was said.
    """

    name: str
    words: tuple[str, ...]

    @property
    def value(self) -> str:
        """What it says; ``true`` of one that stands alone."""
        _, equals, value = self.words[0].partition("=")
        if len(self.words) > 1:
            return self.words[-1]
        return value if equals else "true"

    def __str__(self) -> str:
        last = self.words[-1]
        return last if len(self.words) == 1 else f"--{self.name} {last}"


@dataclass(frozen=True)
class RunArgs:
    """The flags that a launch tells its harness, in their order."""

    flags: tuple[Flag, ...] = ()

    @classmethod
    def of(cls, words: Iterable[str]) -> RunArgs:
        """Return what *words* say; a word without dashes belongs to the flag before."""
        flags: list[Flag] = []
        for word in words:
            if word.startswith("--"):
                name = word.removeprefix("--").partition("=")[0]
                flags.append(Flag(name, (word,)))
            elif flags:
                flags[-1] = Flag(flags[-1].name, (*flags[-1].words, word))
            else:
                flags.append(Flag("", (word,)))
        return cls(tuple(flags))

    @classmethod
    def read(cls, text: str) -> RunArgs:
        """Return what the text of a record says."""
        return cls.of(text.split())

    @property
    def words(self) -> tuple[str, ...]:
        """All of it, as make's shell splits it."""
        return tuple(word for flag in self.flags for word in flag.words)

    @property
    def by_name(self) -> dict[str, Flag]:
        """The flags; of one that is said twice the last counts, as in argparse."""
        return {flag.name: flag for flag in self.flags if flag.name}

    def text(self, name: str) -> str | None:
        """Return the value of a flag, or None."""
        flag = self.by_name.get(name)
        return flag.value if flag else None

    def number(self, name: str | None) -> float | None:
        """Return the number that a flag says; None for none or 0."""
        try:
            return float(self.text(name or "") or 0) or None
        except ValueError:
            return None

    def having(self, **said: str) -> RunArgs:
        """Return these with flags of other values, at the end."""
        words = (f"--{name}={value}" for name, value in said.items())
        return RunArgs((*self.without(*said).flags, *RunArgs.of(words).flags))

    def without(self, *names: str) -> RunArgs:
        """Return these without some flags."""
        return RunArgs(tuple(flag for flag in self.flags if flag.name not in names))

    def __str__(self) -> str:
        return " ".join(self.words)
