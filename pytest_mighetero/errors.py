"""Exceptions: each message is one whole sentence with figures, then the evidence."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable
from pathlib import Path

from pytest_mighetero.terms.printable import printable


class MigheteroError(Exception):
    """Base of everything this package raises on purpose.

    Messages quote what harnesses, files and people say; as text, they are printable.

    Attributes:
        about: the outputs of the harnesses that it is about, where these are known.
        noticed: the ``time.monotonic()`` at which it was.
    """

    def __init__(self, *said: object, about: Iterable[Path] = ()):
        super().__init__(*said)
        self.about, self.noticed = tuple(about), time.monotonic()

    def __str__(self) -> str:
        """Return the message."""
        return printable(super().__str__())


class ConfigError(MigheteroError):
    """An option, an ini value or a suite file says something that cannot be meant."""


class DeviceError(MigheteroError):
    """There is no MIG device, or too few, for what is asked."""


class HarnessError(MigheteroError):
    """A harness could not be started, died, or did not get ready in time."""


class RunError(MigheteroError):
    """Main is bad, or the backgrounds did not cover it."""


class SlowError(RunError):
    """A cell of the interference matrix is slower than it may be; its run is good."""


class StoppedError(RunError):
    """The overlap broke and main was stopped for it: nothing was measured."""


def nearest(word: str, accepted: Iterable[str]) -> str:
    """Say what would have been accepted: a close match first, then everything."""
    names = sorted(accepted)
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{hint}accepted: {', '.join(names) or 'nothing'}"
