"""``mighetero --completion``: a script that completes the command in a shell.

shtab makes it of the parser, once; argcomplete would start Python, and import all that
the verbs do, at every press of the key.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

SHELLS = ("bash", "zsh", "tcsh")
_FILES = {"A", "B", "FILE", "PATH", "RECORD", "SUITE"}
_FOLDERS = {"DIR", "FOLDER"}


class Completion(argparse.Action):
    """Prints the script for the parser that it is an option of, and ends."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse gives it
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Print it for the shell that is named."""
        try:
            import shtab
        except ImportError:
            parser.error(
                f"{option_string} needs shtab: pip install "
                f"'pytest-mighetero[completion]'"
            )
        for each in _arguments(parser):
            if each.metavar in _FILES:
                each.complete = shtab.FILE  # type: ignore[attr-defined]
            elif each.metavar in _FOLDERS:
                each.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        sys.stdout.write(shtab.complete(parser, shell=str(values)) + "\n")
        parser.exit()


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse shows none of this
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - it neither
            for verb in action.choices.values():
                yield from _arguments(verb)
        else:
            yield action
