"""The command of one harness: argument list and environment, no shell."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.terms.secret import MASK, NONE, Secrets, flag_before, placeholder

# An outer make's flags and job server would reach the harness's make. It sets them for
# whatever it starts, so that nobody need hear of it.
OUTER_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKE_TERMOUT", "MAKE_TERMERR")

# With these a harness that failed exits 0, or one that did not fails, or its clock is
# not the machine's. What else a user sets (PATH, LD_*, TZ, CUDA_*, a makefile's own
# variables, exported functions) chooses programs and settings, and is measured as it
# is; pytest reads local time stamps in the zone that the harness inherits.
MISLEADING = (
    "GNUMAKEFLAGS",  # make: -i, -n, -t, -e
    "MAKEFILES",  # make: read before the Makefile; .IGNORE may stand there
    "MAKE",  # make: what $(MAKE) calls; these three win over make's own values
    "MAKE_COMMAND",
    "MAKECMDGOALS",
    "BASH_ENV",  # bash: read before each recipe; a trap on EXIT may stand there
    "SHELLOPTS",  # bash: noexec, onecmd
    "BASHOPTS",
    "PYTHONINSPECT",  # Python: exit code 1 after sys.exit(0)
    "PYTHONOPTIMIZE",  # Python: no asserts
    "FAKETIME",  # libfaketime: LoadGen's clock, and so its figures
    "FAKETIME_TIMESTAMP_FILE",
)

# make expands RUN_ARGS and LOG_DIR unquoted into a line for the shell.
_SAFE = re.compile(r"[A-Za-z0-9_./,=:+@%^-]*", re.ASCII)


@dataclass(frozen=True, repr=False)
class Command:
    """What starts one harness.

    Attributes:
        argv: the program and its arguments.
        cwd: the folder it runs in.
        variables: environment variables set on top of the user's own.
        secrets: what of all that is not shown.
    """

    argv: tuple[str, ...]
    cwd: Path
    variables: Mapping[str, str]
    secrets: Secrets = NONE

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the harness."""
        inherited = {k: v for k, v in os.environ.items() if not _is_scrubbed(k)}
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


def _is_scrubbed(name: str) -> bool:
    # Only make knows names with a dot; .SHELLFLAGS wins over its own, too.
    return name in OUTER_MAKE or name in MISLEADING or name.startswith(".")


def withheld(environment: Mapping[str, str], given: Iterable[str]) -> tuple[str, ...]:
    """Return what somebody set in *environment* that harnesses do not get, by name.

    Args:
        environment: the caller's own.
        given: variables that the suite sets, which harnesses do get.
    """
    return tuple(
        name
        for name in sorted(environment)
        if environment[name] and _is_scrubbed(name) and name not in given
        if name not in OUTER_MAKE or "MAKELEVEL" not in environment
    )


def unsafe_for_make(text: str) -> str:
    """Return the first character that make's shell would not pass on, or ``""``."""
    return _SAFE.sub("", text)[:1]


def check_words(words: Iterable[str]) -> None:
    """Refuse words of RUN_ARGS that make's shell would not pass on as they are.

    Raises:
        ConfigError: naming the word and its first bad character.
    """
    flag = ""  # whose value may follow: not to be shown, it may be a secret
    for word in words:
        is_flag = word.startswith("--")
        if bad := _SAFE.sub("", word):
            shown = f"the value of {flag}" if flag and not is_flag else repr(word)
            raise ConfigError(
                f"{shown}: make hands RUN_ARGS to a shell unquoted, so {bad[0]!r} "
                f"would not arrive; letters, digits and _./,=:+@%^- do"
            )
        if not (is_flag or flag):
            raise ConfigError(f"{word!r}: expected words of the form --name=value")
        flag = word if is_flag and "=" not in word else ""


def check_path(path: Path) -> None:
    """Refuse a path that would not reach the harness as LOG_DIR.

    Raises:
        ConfigError: naming the path and its first bad character.
    """
    if bad := _SAFE.sub("", str(path)):
        raise ConfigError(
            f"{str(path)!r}: make hands LOG_DIR to a shell unquoted, so {bad[0]!r} "
            f"would not arrive; choose a path of letters, digits and _./,=:+@%^-"
        )
