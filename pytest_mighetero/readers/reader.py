"""What run/ and plan/ ask of a tool's files: one Protocol, and its readers by name."""

from __future__ import annotations

import os
import pkgutil
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol, cast

from pytest_mighetero import readers
from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.result import Result

_NOTHING: Mapping[str, object] = MappingProxyType({})


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
    """Reads what one tool writes.

    Each is ``READER`` of a file of this package, or what ``configured`` of one makes of
    the suite's ``harness.result``.

    Attributes:
        name: its file's, which is the source of its windows.
        tool: the tool's, for sentences.
        names: of the files that ``read`` reads.
        sign: how it tells that it issues queries, while it runs; None for not at all.
        judges: whether its tool has a verdict of its own; the suite's limits are it
            where not.
        stamps: whether its tool says when its timed window was.
        at_end: whether a result is there only once its test is over.
        settings: the flags of RUN_ARGS of which they tell what it ran with.
    """

    name: str
    tool: str
    names: Collection[str]
    sign: Sign | None = None
    judges: bool = True
    stamps: bool = True
    settings: Collection[str] = ()
    at_end: bool = False

    @abstractmethod
    def read(self, folder: Path) -> Result:
        """Return what the files in a folder say, of a run that may still go on.

        Whatever they hold is survived, and what is wrong with them named in
        ``damage``.

        Raises:
            FileNotFoundError: they are not there.
        """

    def find(self, folder: Path) -> tuple[Path, ...]:
        """Return the folders in and below *folder* that hold such files, sorted.

        Links to folders are not followed.
        """
        found = (at for at, _, names in os.walk(folder) if {*names} & {*self.names})
        return tuple(sorted(map(Path, found)))

    def read_all(self, log_dir: Path, output: Path) -> list[Result]:
        """Read every run that a workload has left, without what is gone by then.

        Args:
            log_dir: where its tool's files are, at any depth.
            output: the file with everything it prints.
        """
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


def reader_named(name: str, said: Mapping[str, object] = _NOTHING) -> Reader:
    """Return the reader that a suite names with ``harness.reader``.

    Args:
        name: of a file of this package.
        said: the suite's ``harness.result``, for a reader that is configured by it.

    Raises:
        ConfigError: there is none of that name, or *said* cannot be meant.
    """
    modules = [each.name for each in pkgutil.iter_modules(readers.__path__)]
    make = _maker_in(name) if name in modules else None
    if make is None:
        known = filter(_maker_in, modules)
        raise ConfigError(f"reader: no reader {name!r}: {nearest(name, known)}")
    try:
        return make(said)
    except ConfigError as error:
        raise ConfigError(f"result.{error}") from error


@cache
def _maker_in(name: str) -> Callable[[Mapping[str, object]], Reader] | None:
    """Return what makes the reader of a file, or None where that has none."""
    module = import_module(f"{readers.__name__}.{name}")
    if make := getattr(module, "configured", None):
        return cast("Callable[[Mapping[str, object]], Reader]", make)
    if (reader := getattr(module, "READER", None)) is None:
        return None

    def fixed(said: Mapping[str, object]) -> Reader:
        if unknown := [*said]:
            raise ConfigError(
                f"{unknown[0]}: expected no such key, since reader {name} knows where "
                f"its tool's result is; reader = 'lines' and 'json' are told"
            )
        return cast("Reader", reader)

    return fixed
