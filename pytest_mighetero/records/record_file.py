"""The one reader of ``record.json``: whatever lies there, a record or a sentence."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.records.record import (
    LONGEST_S,
    Outcome,
    Phase,
    Record,
    as_number,
)

VERSION = 1
EXPECTED = "expected a record.json, a run's folder, or a results folder"
# Failures of tests may hold long diffs; beyond this something else has the name.
_LARGEST = 16 * 1024 * 1024
# No terminal, tape or pipe is waited for, should one have taken the file's place.
_HOW = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFDIR: "a folder",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_FIRST = ("session", "facts", "phases")
_DECODER = json.JSONDecoder()
_GAP = re.compile(r"\s*([{:,])\s*")
# What a record may hold besides its texts; a key may be absent, or null.
_LISTS = ("harnesses", "overlap", "attempts", "tuning")
_TABLES = ("telemetry", "course")


class RecordError(MigheteroError):
    """What has a record's name cannot be read; *lasting* if for what the file holds."""

    def __init__(self, path: Path, problem: str, *, lasting: bool = True):
        super().__init__(f"{path} {problem}")
        self.path, self.lasting = path, lasting


def read_record(path: Path) -> Record:
    """Read one ``record.json``; nothing that may lie there blocks or raises else.

    Raises:
        FileNotFoundError: there is none.
        RecordError: it cannot be read, or is no record that this version knows.
    """
    return _record(path, content_of(path, _LARGEST))


def read_outline(path: Path) -> Record:
    """Read session, facts and phases of a record, fast: what follows may be damaged.

    Raises:
        FileNotFoundError, RecordError: as ``read_record``.
    """
    content = content_of(path, _LARGEST)
    data = _first_of(content)
    record = data and _whole(path, {"version": VERSION, "test": "", **data})
    return record or _record(path, content)


def _first_of(content: bytes) -> dict[str, Any] | None:
    """Return what is first alone; None where all has to be read to know it."""
    if any(content.count(b'"%b"' % name.encode()) != 1 for name in _FIRST):
        return None
    if rb"\u00" in content:  # a letter of a name, for all that is known
        return None
    found: dict[str, Any] = {}
    try:
        text = content.decode("utf-8")
        at = _after(text, 0, "{")
        while not all(name in found for name in _FIRST):
            name, at = _DECODER.raw_decode(text, at)
            value, at = _DECODER.raw_decode(text, _after(text, at, ":"))
            at = _after(text, at, ",")
            found[str(name)] = value
    except (ValueError, RecursionError):
        return None
    return found


def _after(text: str, at: int, sign: str) -> int:
    """Return where JSON goes on after *sign*, which is expected next.

    Raises:
        ValueError: something else is next.
    """
    gap = _GAP.match(text, at)
    if gap is None or gap[1] != sign:
        raise ValueError(sign)
    return gap.end()


def _record(path: Path, content: bytes) -> Record:
    try:
        data = json.loads(content.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise RecordError(path, f"is no record of a run: no JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise RecordError(path, f"is no record of a run: {error}") from error
    except ValueError as error:  # a number without end
        raise RecordError(path, f"is no record of a run; {EXPECTED}") from error
    except RecursionError as error:  # depends on who reads it
        said = f"is no record of a run: nested too deeply; {EXPECTED}"
        raise RecordError(path, said, lasting=False) from error
    if isinstance(data, dict) and (problem := _version_problem(data)):
        raise RecordError(path, problem)
    if (record := _whole(path, data)) is None:
        raise RecordError(path, f"is no record of a run; {EXPECTED}")
    return record


def _version_problem(data: Mapping[str, Any]) -> str | None:
    version = data.get("version", VERSION)
    if type(version) is int and version == VERSION:
        return None
    plain = isinstance(version, (int, float, str))
    found = f"{version!r:.20}" if plain else "no number"
    return (
        f"is a record of version {found}, expected {VERSION}: another pytest-mighetero "
        f"wrote it, and can read it"
    )


def content_of(path: Path, largest: int) -> bytes:
    """Return what the file holds, which is no pipe, device, or larger than *largest*.

    Raises:
        FileNotFoundError: there is none.
        RecordError: it cannot be read, or something else has its name.
    """
    try:
        _check(path, path.stat(), largest)  # opening a device may do something to it
        fd = os.open(path, _HOW)
        try:
            status = os.fstat(fd)
            _check(path, status, largest)
            return b"".join(_chunks(fd, largest, status.st_size + 4096))
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not path.is_symlink():
            raise FileNotFoundError(*error.args, str(path)) from None
        said = f"cannot be read: {error.strerror}"
        raise RecordError(path, said, lasting=False) from error


def _check(path: Path, status: os.stat_result, largest: int) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        what = _KINDS.get(kind, "something else")
        raise RecordError(path, f"is {what}, expected a file", lasting=False)
    if status.st_size > largest:
        said = f"has {status.st_size} bytes, expected {largest} at most"
        raise RecordError(path, said)


def _chunks(fd: int, left: int, size: int) -> Iterator[bytes]:
    while left > 0 and (chunk := os.read(fd, min(left, size))):
        left -= len(chunk)
        yield chunk


def _whole(path: Path, data: Any) -> Record | None:
    """Return the record that *data* is; None where a part of it is of another kind."""
    if not isinstance(data, dict):
        return None
    facts, phases = data.get("facts"), data.get("phases")
    if not (isinstance(facts, dict) and isinstance(phases, dict)):
        return None
    if not all(isinstance(phase, Mapping) for phase in phases.values()):
        return None
    test, session = data.get("test"), data.get("session", "")
    texts = [test, session, *facts.values()]
    texts += [phase.get("text") or "" for phase in phases.values()]
    lists = [data.get(name) or [] for name in _LISTS]
    whole = (
        "version" in data
        and all(isinstance(text, str) for text in texts)
        and all(phase.get("outcome") in get_args(Outcome) for phase in phases.values())
        and all(isinstance(each, list) for each in lists)
        and all(isinstance(item, Mapping) for each in lists for item in each)
        and all(isinstance(data.get(name) or {}, Mapping) for name in _TABLES)
    )
    if not whole:
        return None
    read = {when: _phase(phase) for when, phase in phases.items()}
    return Record(path, str(test), str(session), facts, read, data)


def _phase(said: Mapping[str, Any]) -> Phase:
    seconds = as_number(said.get("seconds"), LONGEST_S)
    return Phase(said["outcome"], said.get("text") or "", seconds)
