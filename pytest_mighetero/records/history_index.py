"""Which records of a results folder need not be read to find the history of a run.

The index is derived from the records and can be deleted at any time. Of a record whose
file is, by inode, size and time of change, the one that was read, it says which marks
that has; whatever a mark is found for is read again. It is written under another name,
then renamed: of two that write at once the last one's is there, whole.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest_mighetero
from pytest_mighetero.records.marks import marks_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import (
    RecordError,
    content_of,
    read_outline,
    read_record,
)
from pytest_mighetero.records.run_names import INDEX, RECORD, is_stamped, run_names

_LARGEST = 128 * 1024 * 1024
# Fewer are read again in less time than it takes to write down what they say.
_WORTH = 100
# A file that changed so recently may change again and show the same time.
_SETTLED_NS = 2_000_000_000


class HistoryIndex:
    """Reads the records of *results* that have the mark *wanted*.

    Of those that cannot be read, and may have it, *unread* is told. Once closed, what
    was learnt is written, where that is worth it and possible.
    """

    def __init__(self, results: Path, wanted: str, unread: list[str]):
        self._results, self._wanted, self._unread = results, wanted, unread
        self._known = _load(results / INDEX)
        self._learnt: dict[str, str] = {}

    def close(self) -> None:
        """Write down what was learnt."""
        if len(self._learnt) >= _WORTH:
            with suppress(OSError):  # it is somebody else's folder, or full
                self._save()

    def read(self, name: str) -> Record | None:
        """Return the record in a run's folder; None for one without the mark."""
        path = f"{self._results}/{name}/{RECORD}"
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path takes as long again
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if is_stamped(name):
                self._unread.append(f"{path} cannot be read: {error.strerror}")
            return None
        file = f"{status.st_ino} {status.st_size} {status.st_ctime_ns} "
        said = self._known.get(name, "")
        if said.startswith(file) and self._wanted not in said:
            return None
        try:
            marks = marks_of(read_outline(Path(path)))
        except FileNotFoundError:
            return None
        except RecordError as damaged:
            if not damaged.lasting:
                self._unread.append(str(damaged))
                return None
            marks = ()
        settled = time.time_ns() - status.st_ctime_ns > _SETTLED_NS
        if settled and not said.startswith(file) and _is_plain(name):
            self._learnt[name] = file + " ".join(marks)
        return self._read(Path(path)) if self._wanted in marks else None

    def _read(self, path: Path) -> Record | None:
        try:
            record = read_record(path)
        except FileNotFoundError:
            return None
        except RecordError as damaged:
            self._unread.append(str(damaged))
            return None
        return record if self._wanted in marks_of(record) else None

    def _save(self) -> None:
        known = {**self._known, **self._learnt}
        names = run_names(self._results)
        lines = [f"{name} {known[name]}\n" for name in names if name in known]
        body = "".join(lines).encode()
        partial = self._results / f"{INDEX}.{uuid.uuid4().hex}"
        try:
            partial.write_bytes(_head(body) + body)
            partial.replace(self._results / INDEX)
        finally:
            partial.unlink(missing_ok=True)


def _load(path: Path) -> dict[str, str]:
    """Return what is known of each run; nothing where another version wrote it."""
    try:
        content = content_of(path, _LARGEST)
    except (OSError, RecordError):
        return {}
    head, end, body = content.partition(b"\n")
    if head + end != _head(body):
        return {}
    lines = body.decode().splitlines()
    return {name: said for name, _, said in (line.partition(" ") for line in lines)}


def _head(body: bytes) -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    return f"pytest-mighetero {pytest_mighetero.__version__} 3 {digest}\n".encode()


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isprintable() and " " not in name
