"""What run/ and plan/ ask of a tool's files: one Protocol, and its readers by name."""

from __future__ import annotations

import os
import pkgutil
from abc import abstractmethod
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from pytest_mighetero import readers
from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.result import Result


@dataclass(frozen=True)
class Asked:
    """One thing that a harness was asked for.

    Attributes:
        name: ``scenario``, ``test_mode``, or a flag of RUN_ARGS.
        said_by: what said it, for example ``--server_target_qps=150``.
    """

    name: str
    value: str
    said_by: str


class Difference(NamedTuple):
    """What a tool ran with in place of what it was asked for, in a sentence.

    It is *by design* where it is what an audit changes.
    """

    said: str
    by_design: bool


class Reader(Protocol):
    """Reads what one tool writes; each is ``READER`` of a file of this package.

    Attributes:
        tool: its name, for sentences.
        names: of the files that ``read`` reads.
        sign: how its files tell that it issues queries, while it runs; None for not.
        settings: the flags of RUN_ARGS of which they tell what it ran with.
    """

    tool: str
    names: Collection[str]
    sign: Sign | None = None
    settings: Collection[str] = ()

    @abstractmethod
    def read(self, folder: Path) -> Result:
        """Return what the files in a folder say, of a run that may still go on.

        Whatever they hold is survived, and what is wrong with them named in
        ``damage``. The source of its windows is the name of the reader's file.

        Raises:
            FileNotFoundError: they are not there.
        """

    def find(self, folder: Path) -> tuple[Path, ...]:
        """Return the folders in and below *folder* that hold such files, sorted.

        Links to folders are not followed.
        """
        found = (at for at, _, names in os.walk(folder) if {*names} & {*self.names})
        return tuple(sorted(map(Path, found)))

    def read_all(self, log_dir: Path) -> list[Result]:
        """Read what ``find`` finds, without what is gone by then."""
        results = []
        for folder in self.find(log_dir):
            with suppress(FileNotFoundError):
                results.append(self.read(folder))
        return results

    def differences(self, asked: Iterable[Asked], result: Result) -> list[Difference]:
        """Return what a run had in place of what was asked for; unsaid is none."""
        return []

    def overridden(self, result: Result) -> bool:
        """Tell whether a run took its settings from an ``audit.config``."""
        return False

    def misreading(self, result: Result) -> str:
        """Say why a run's stamps may be of another time than they say, or ""."""
        return ""


@cache
def reader_named(name: str) -> Reader:
    """Return the reader that a suite names with ``harness.reader``.

    Raises:
        ConfigError: there is none of that name.
    """
    modules = [each.name for each in pkgutil.iter_modules(readers.__path__)]
    if name in modules and (reader := _reader_in(name)) is not None:
        return reader
    known = filter(_reader_in, modules)
    raise ConfigError(f"harness.reader: no reader {name!r}: {nearest(name, known)}")


def _reader_in(name: str) -> Reader | None:
    module = import_module(f"{readers.__name__}.{name}")
    reader: Reader | None = getattr(module, "READER", None)
    return reader
