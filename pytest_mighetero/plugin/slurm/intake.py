"""Takes from one node what its runs wrote, into the results folder and nowhere else.

What a node sends is hostile: a folder is written only if it was made here for that
node's worker, and no name leads out of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.plugin.slurm.parcel import KEPT, Message
from pytest_mighetero.records.record_file import RecordError, content_of
from pytest_mighetero.records.run_names import RECORD, make_folder, run_names

# The earlier runs that a node is told of: the newest of a pair, and their size.
MOST = 500
MOST_BYTES = 64 << 20
_DEEPEST = 32
_PIECES = ("file", "data", "end")  # of what is answered as a whole
_NAME = re.compile(r"[\w.+-]{1,200}")
_ARRIVING = b".arriving"  # until a file is whole
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class RefusedError(MigheteroError):
    """A node sent what no worker of ours sends."""


class Intake:
    """What one worker sends.

    Attributes:
        due: the names of the folders that were made for it and are not whole yet.
        there: those that its node has still, whole here or not.
    """

    def __init__(self, results: Path):
        self._results = results
        self.due: dict[str, None] = {}
        self.there: dict[str, None] = {}
        self._made: set[str] = set()
        self._arriving: tuple[int, int, bytes] | None = None  # folder, file, its name
        self._problem = ""  # since the last folder was whole

    def answer(self, message: Message) -> Iterator[Message]:
        """Take a message, and yield what is to be answered, if anything is."""
        kind, name, data = message
        try:
            if kind in _PIECES and not self._problem:
                self._take(kind, name, data)
            elif kind == "whole":
                yield self._whole(name)
            elif kind == "broken":
                self.break_off()
            elif kind == "make":
                yield "made", self._make(name), b""
            elif kind == "gone":
                self._forget(name)
            elif kind == "history":
                yield from self._history(name, data)
        except (OSError, MigheteroError, ValueError, TypeError) as error:
            self._problem = getattr(error, "strerror", None) or str(error)
            self._abandon()
            if kind not in _PIECES:  # else it is said of the whole
                yield "no", self._problem, b""
                self._problem = ""

    def _make(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise RefusedError(f"{name!r:.100} is no name of a run")
        made = make_folder(self._results, name).name
        self._made.add(made)
        self.due[made] = self.there[made] = None
        return made

    def break_off(self) -> None:
        """Expect no more of what was being sent."""
        self._abandon()
        self._problem = ""

    def _forget(self, name: str) -> None:
        self.there.pop(name, None)
        if name in self.due:  # it could not be made there
            del self.due[name]
            with suppress(OSError):
                (self._results / name).rmdir()

    def _whole(self, name: str) -> Message:
        problem, self._problem = self._problem, ""
        if not problem and self._arriving is not None:
            self._abandon()
            problem = "a file without end"
        if not problem:
            if name in self._made:
                self.due.pop(name, None)
                return KEPT, name, b""
            problem = f"{name!r:.100} is no folder of this worker's"
        return "no", problem, b""

    def _take(self, kind: str, name: str, data: bytes) -> None:
        if kind == "file":
            self._abandon()  # of a delivery that was broken off
            self._open(name, data)
        elif self._arriving is None:
            raise RefusedError("data of no file")
        elif kind == "end":
            self._close()
        else:
            left = memoryview(data)
            while left:
                left = left[os.write(self._arriving[1], left) :]

    def _open(self, name: str, path: bytes) -> None:
        if name not in self._made:
            raise RefusedError(f"{name!r:.100} is no folder of this worker's")
        self.due[name] = None  # once more, if it was whole
        parts = path.split(b"/")
        odd = any(part in (b"", b".", b"..", _ARRIVING) for part in parts)
        if odd or b"\0" in path or len(parts) > _DEEPEST:
            raise RefusedError(f"{path!r:.100} is no path in a run's folder")
        folder = os.open(self._results / name, _FOLDER)
        try:
            for part in parts[:-1]:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
                inner = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            file = os.open(_ARRIVING, _FILE, 0o666, dir_fd=folder)
        except OSError:
            os.close(folder)
            raise
        self._arriving = folder, file, parts[-1]

    def _close(self) -> None:
        """Give the file that has arrived its name."""
        assert self._arriving is not None
        folder, _, name = self._arriving
        os.replace(_ARRIVING, name, src_dir_fd=folder, dst_dir_fd=folder)
        self._abandon()

    def _abandon(self) -> None:
        if self._arriving is not None:
            folder, file, _ = self._arriving
            self._arriving = None
            os.close(file)
            with suppress(OSError):
                os.unlink(_ARRIVING, dir_fd=folder)
            os.close(folder)

    def _history(self, pair: str, known: bytes) -> Iterator[Message]:
        """Yield the records of *pair* that are not known; those known are told by file.

        Then comes ``("over", "", b"")``.
        """
        there, left = dict(json.loads(known)), MOST_BYTES
        try:
            names = run_names(self._results, f"-{pair}")[: -MOST - 1 : -1]
        except OSError:  # it is not made yet
            names = []
        for name in names:
            path = self._results / name / RECORD
            try:
                file = file_of(path.stat())
                content = b"" if there.get(name) == file else content_of(path, left)
            except (OSError, RecordError):
                continue
            left -= len(content)
            if content:
                yield "record", f"{file} {name}", content
        yield "over", "", b""

    def close(self) -> None:
        """Leave nothing half-written, nor a folder that nothing came for."""
        self._abandon()
        for name in self._made:
            with suppress(OSError):
                (self._results / name).rmdir()


def file_of(status: os.stat_result) -> str:
    """Return what tells a file from an earlier one of the same name."""
    return f"{status.st_ino}.{status.st_size}.{status.st_ctime_ns}"
