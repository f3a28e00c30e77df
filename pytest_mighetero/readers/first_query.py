"""LoadGen's first query, seen as soon as its detail log has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from pytest_mighetero.readers.changes import Changes
from pytest_mighetero.readers.loadgen.detail import DETAIL_NAME, has_issuing_line
from pytest_mighetero.readers.logfile import LogFile

_AGAIN = 1024  # bytes read twice: the line may have been cut by the last look


class FirstQuery:
    """Follows a LOG_DIR until a LoadGen log in it has a first query.

    Logs are read on from where the last look ended: while samples are loaded they may
    grow by megabytes.

    Attributes:
        log_dir: where LoadGen's logs appear, at any depth.
        seen: whether one has a first query.
    """

    def __init__(self, log_dir: Path):
        self.log_dir = log_dir
        self.seen = False
        self._read: dict[Path, int] = {}
        self._watches: set[int] = set()

    @property
    def logs(self) -> list[Path]:
        """The logs that have appeared."""
        return list(self._read)

    def look(self, changes: Changes) -> bool:
        """Look, and have *changes* tell when another look is worth while.

        Returns:
            Whether the first query was seen just now.
        """
        if not self.seen:
            self.seen = any(map(self._read_on, self._detail_logs(changes)))
            for watch in self._watches if self.seen else ():
                changes.unwatch(watch)
            return self.seen
        return False

    def _detail_logs(self, changes: Changes) -> Iterator[Path]:
        folders = [self.log_dir]
        while folders:
            folder = folders.pop()
            # Before it is listed, so that nothing can appear in between unnoticed.
            watch = changes.watch(folder)
            self._watches |= {watch} if watch is not None else set()
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.name == DETAIL_NAME:
                        yield Path(entry.path)

    def _read_on(self, log: Path) -> bool:
        begin = self._read.setdefault(log, 0)
        with suppress(OSError), closing(LogFile(log, begin)) as stream:
            if has_issuing_line(stream):
                return True
            self._read[log] = max(0, stream.at - _AGAIN)
        return False
