"""What the doctor finds: one line for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


def unseen(about: str, where: object, error: OSError) -> Finding:
    """Return that *where* could not be looked at: nobody knows whether it is well."""
    said = f"{where} cannot be looked into: {error.strerror or error}"
    mine = isinstance(error, PermissionError)
    return Finding(about, "bad", said, "run as a user who may" if mine else "mend it")


def to_the_end(about: str, found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield *found*; that a look at it fails is a finding, too, and ends no other."""
    try:
        yield from found
    except OSError as error:
        yield unseen(about, error.filename or about, error)


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
