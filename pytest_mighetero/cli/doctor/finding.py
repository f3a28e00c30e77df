"""What the doctor finds: one line for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_mighetero.terms.printable import printable_line

# In this order the worst is last.
State = Literal["ok", "unneeded", "warning", "bad"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: what it is: ``driver``, ``make``...
        state: ``bad`` where no run can be, or none that proves anything; ``unneeded``
            where this suite does without.
        says: what was found.
        do: what to do about it, where it is not well and *says* does not tell.
    """

    about: str
    state: State
    says: str
    do: str = ""

    def line(self) -> str:
        """Return it as one line."""
        state = "-" if self.state == "unneeded" else self.state
        said = " ".join("; ".join(filter(None, (self.says, self.do))).split())
        return printable_line(f"{state:7}  {self.about:13}  {said}")


def worst_of(states: Sequence[State]) -> State:
    """Return the worst of *states*; ``ok`` of none."""
    order: tuple[State, ...] = ("unneeded", "ok", "warning", "bad")
    return max(states, key=order.index, default="ok")


def listed(words: Sequence[str], most: int = 3) -> str:
    """Return the first of *words* in a row, and how many more there are."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


def nearest_folder(path: Path) -> Path:
    """Return *path*, or what of the folders above it is there and can be seen."""
    return next(each for each in (path, *path.parents) if is_there(each))


def is_there(path: Path) -> bool:
    """Tell whether there is *path*, as far as this user can see."""
    with suppress(PermissionError):  # Path.exists raises it
        return path.exists()
    return False


def times(number: int, what: str) -> str:
    """Return so many of *what*, ``1 GPU`` and ``2 GPUs``."""
    return f"{number} {what}{'s' * (number != 1)}"
