"""The command of one harness: argument list and environment, no shell."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.terms.environment import is_scrubbed
from pytest_mighetero.terms.secret import MASK, NONE, Secrets, flag_before, placeholder


@dataclass(frozen=True, repr=False)
class Command:
    """What starts one harness: *variables* are set on top of the user's own."""

    argv: tuple[str, ...]
    cwd: Path
    variables: Mapping[str, str]
    secrets: Secrets = NONE

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the harness."""
        inherited = {k: v for k, v in os.environ.items() if not is_scrubbed(k)}
        return {**inherited, **self.variables}

    def __str__(self) -> str:
        """The command as a line for a shell, ``***`` in the place of secrets."""
        return self._line(self.secrets.word, lambda _name: MASK)

    def __repr__(self) -> str:
        return f"<{self}>"

    def line(self) -> str:
        """Return it as a line to run in a shell, secrets in variables of that."""
        return self._line(self.secrets.placeholder, placeholder)

    def _line(self, word: Callable[[str], str], hidden: Callable[[str], str]) -> str:
        words = [
            f"{name}={hidden(name) if self.secrets.hides(name) else word(value)}"
            for name, value in self.variables.items()
        ]
        if not all(map(str.isidentifier, self.variables)):
            words.insert(0, "env")  # .SHELLFLAGS is no variable of a shell
        for before, each in zip(("", *self.argv), self.argv, strict=False):
            name = flag_before(before, each)
            words.append(hidden(name) if self.secrets.hides(name) else word(each))
        return f"cd {shlex.quote(str(self.cwd))} && {' '.join(words)}"
