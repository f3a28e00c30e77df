"""What launches write into the harness folder's ``measurements``, and its way back.

Every launch of NVIDIA's harness (v1.0 to v4.1, ``code/common/submission.py``) writes
what is to be submitted into ``measurements/<system>/<benchmark>/<scenario>``:
user.conf, mlperf.conf, README.md and others. A background's user.conf is for no
submission: it has ``min_query_count = 1`` and the background's duration. LoadGen has
read it by its first query, and until then nobody else launches the same pair there
(``devices.queue``).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.terms.pair import Pair

_LARGEST = 1024 * 1024  # bytes of a file that is kept; the harness's have 4 KiB

# What no run that is to be submitted has in its user.conf.
_OF_BACKGROUND = re.compile(rb"\.min_query_count *= *1\s*$", re.MULTILINE)

# A file as far as one look at its folder tells: time of modification in ns, bytes.
_Seen = tuple[int, int]


@dataclass(frozen=True)
class _File:
    seen: _Seen
    content: bytes


class Measurements:
    """The entries of some pairs in one ``closed/<org>`` folder, kept to be put back."""

    def __init__(self, harness_dir: Path) -> None:
        self._root = harness_dir / "measurements"
        self._kept: dict[Pair, dict[str, dict[str, _File]]] = {}  # by folder and name

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Those that are to be put back."""
        return tuple(self._kept)

    def keep(self, pairs: Iterable[Pair]) -> None:
        """Remember the entries of *pairs*; nobody else launches these meanwhile."""
        for pair in pairs:
            folders = _folders(str(self._root), pair)
            self._kept[pair] = {folder: dict(_files(folder)) for folder in folders}

    def left_by_others(self) -> list[str]:
        """Name the kept user.conf that are a background's, a sentence each.

        Of a run that was killed, or of a script that puts nothing back.
        """
        return [
            f"{folder}/user.conf is what a background of another run has left "
            f"(min_query_count = 1): write it anew before you submit, by a run of its "
            f"own or with make generate_conf_files"
            for folders in self._kept.values()
            for folder, files in folders.items()
            if "user.conf" in files
            and _OF_BACKGROUND.search(files["user.conf"].content)
        ]

    def put_back(self, pair: Pair) -> list[str]:
        """Make the entries of *pair* what they were, once, and forget them.

        Contents and times of modification are; what was not there is removed. What
        cannot be put back is returned, and why, a sentence each.
        """
        if (kept := self._kept.pop(pair, None)) is None:
            return []
        problems = []
        for folder in dict.fromkeys([*kept, *_folders(str(self._root), pair)]):
            was, now = kept.get(folder, {}), _look(folder)
            for name in {*was, *now}:
                if name in was and was[name].seen == now.get(name):
                    continue
                path = Path(folder, name)
                try:
                    _restore(path, was.get(name))
                except OSError as error:
                    problems.append(
                        f"{path} is what background {pair} wrote and could not be put "
                        f"back: {error.strerror}; it is no submission material"
                    )
            if folder not in kept:
                with suppress(OSError):  # somebody put something else there
                    Path(folder).rmdir()
        return problems


def _folders(root: str, pair: Pair) -> Iterator[str]:
    """Return where the harness keeps *pair*, of all systems and accuracy targets.

    Of bert these are bert-99 and bert-99.9.
    """
    for system in _subfolders(root):
        for benchmark in _subfolders(system.path):
            name = benchmark.name.lower()
            if name == pair.benchmark or name.startswith(f"{pair.benchmark}-"):
                for folder in _subfolders(benchmark.path):
                    if folder.name.lower() == pair.scenario:
                        yield folder.path


def _subfolders(folder: str) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:  # or there is none
        yield from (entry for entry in entries if entry.is_dir())


def _look(folder: str) -> dict[str, _Seen]:
    """Return the files in *folder* that are kept, or would be."""
    found = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # a link to nothing
                status = entry.stat()
                if entry.is_file() and status.st_size <= _LARGEST:
                    found[entry.name] = (status.st_mtime_ns, status.st_size)
    return found


def _files(folder: str) -> Iterator[tuple[str, _File]]:
    for name, seen in _look(folder).items():
        with suppress(OSError), closing(LogFile(Path(folder, name))) as file:
            yield name, _File(seen, file.read(_LARGEST))


def _restore(path: Path, was: _File | None) -> None:
    if was is None:
        path.unlink(missing_ok=True)
        return
    real = Path(os.path.realpath(path))
    partial = real.with_name(f".{real.name}.partial")
    try:
        partial.write_bytes(was.content)
        with suppress(FileNotFoundError):  # it was deleted
            shutil.copymode(real, partial)
        os.utime(partial, ns=(was.seen[0], was.seen[0]))
        partial.replace(real)
    finally:
        partial.unlink(missing_ok=True)
