"""A tool's first query, seen as soon as its files tell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.readers.changes import Changes
from pytest_mighetero.readers.logfile import LogFile

_BLOCK = 128 * 1024
_AGAIN = 1024  # bytes read twice: the mark may have been cut by the last look


@dataclass(frozen=True)
class Sign:
    """How a tool tells, while it runs, that it issues queries.

    Attributes:
        log: the name of the file that tells; "" for the output.
        mark: what stands in it from then on; a match is below 1 kB.
        word: the part of it that people look for.
    """

    log: str
    mark: re.Pattern[bytes]
    word: str


class FirstQuery:
    """Follows a workload until what it writes has a first query.

    That is a log in its LOG_DIR, at any depth, or its output. Logs are read on from
    where the last look ended: while samples are loaded they may grow by megabytes. What
    is no log, or cannot be read, has no first query.

    Attributes:
        log_dir: its LOG_DIR.
        seen: whether there is one.
    """

    def __init__(self, log_dir: Path, output: Path, sign: Sign | None):
        self.log_dir, self._output, self._sign = log_dir, output, sign
        self.seen = False
        self._read: dict[Path, int] = {}
        self._watches: set[int] = set()

    @property
    def logs(self) -> list[Path]:
        """The logs that have appeared."""
        return list(self._read)

    def look(self, changes: Changes | None = None) -> bool:
        """Look, and have *changes* tell when another look is worth while.

        Returns:
            Whether the first query was seen just now.
        """
        if self.seen or (sign := self._sign) is None:
            return False
        logs = self._logs(sign.log, changes) if sign.log else [self._output]
        self.seen = any(self._read_on(log, sign.mark) for log in logs)
        if self.seen and changes:
            for watch in self._watches:
                changes.unwatch(watch)
        return self.seen

    def _logs(self, name: str, changes: Changes | None) -> Iterator[Path]:
        folders = [self.log_dir]
        while folders:
            folder = folders.pop()
            # Before it is listed, so that nothing can appear in between unnoticed.
            if changes and (watch := changes.watch(folder)) is not None:
                self._watches.add(watch)
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.name == name:
                        yield Path(entry.path)

    def _read_on(self, log: Path, mark: re.Pattern[bytes]) -> bool:
        begin = self._read.setdefault(log, 0)
        with suppress(OSError), closing(LogFile(log, begin)) as stream:
            overlap = b""
            while block := stream.read(_BLOCK):
                if mark.search(overlap + block):
                    return True
                overlap = block[-_AGAIN:]
            self._read[log] = max(0, stream.at - _AGAIN)
        return False
