"""What launches write into the harness folder's ``measurements``, and its way back.

Every launch of NVIDIA's harness (v1.0 to v4.1, ``code/common/submission.py``) writes
what is to be submitted into ``measurements/<system>/<benchmark>/<scenario>``:
user.conf, mlperf.conf, README.md and others. A background's user.conf is for no
submission: it has ``min_query_count = 1`` and the background's duration. LoadGen has
read it by its first query, and until then nobody else launches the same pair there
(``leasing``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.loadgen.files import LogFile
from pytest_mighetero.suite import Pair

_LARGEST = 1024 * 1024  # bytes of a file that is kept; the harness's have 4 KiB


@dataclass(frozen=True)
class _File:
    content: bytes
    mtime_ns: int


@dataclass(frozen=True)
class _Entry:
    """The folders of one pair as they were: bert's are bert-99's and bert-99.9's."""

    folders: frozenset[Path]
    files: dict[Path, _File]


class Measurements:
    """The entries of some pairs in one harness folder, kept to be put back.

    Args:
        harness_dir: the ``closed/<org>`` folder.
    """

    def __init__(self, harness_dir: Path) -> None:
        self._root = harness_dir / "measurements"
        self._kept: dict[Pair, _Entry] = {}

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Those that are to be put back."""
        return tuple(self._kept)

    def keep(self, pairs: Iterable[Pair]) -> None:
        """Remember the entries of *pairs*; nobody launches these meanwhile."""
        for pair in pairs:
            folders = frozenset(_folders(self._root, pair))
            files = (each for folder in folders for each in _files(folder))
            self._kept[pair] = _Entry(folders, dict(files))

    def put_back(self, pair: Pair) -> list[str]:
        """Make the entries of *pair* what they were, once, and forget them.

        Contents and times of modification are; what was not there is removed.

        Returns:
            What could not be put back and why, a sentence each.
        """
        entry = self._kept.pop(pair, None)
        if entry is None:
            return []
        problems = []
        for folder in sorted({*_folders(self._root, pair), *entry.folders}):
            now = dict(_files(folder))
            was = {p: f for p, f in entry.files.items() if p.parent == folder}
            for path in sorted({*now, *was}):
                try:
                    _restore(path, was.get(path), now.get(path))
                except OSError as error:
                    problems.append(
                        f"{path} is what background {pair} wrote and could not be put "
                        f"back: {error.strerror}; it is no submission material"
                    )
            if folder not in entry.folders:
                with suppress(OSError):  # somebody put something else there
                    folder.rmdir()
        return problems


def _folders(root: Path, pair: Pair) -> Iterator[Path]:
    """Return where the harness keeps *pair*, of all systems and accuracy targets."""
    for benchmark in root.glob("*/*"):
        name = benchmark.name.lower()
        if name == pair.benchmark or name.startswith(f"{pair.benchmark}-"):
            for folder in benchmark.glob("*"):
                if folder.name.lower() == pair.scenario and folder.is_dir():
                    yield folder


def _files(folder: Path) -> Iterator[tuple[Path, _File]]:
    for path in folder.glob("*"):
        with suppress(OSError), closing(LogFile(path)) as file:  # or it is no file
            content = file.read(_LARGEST + 1)
            if len(content) <= _LARGEST:
                yield path, _File(content, path.stat().st_mtime_ns)


def _restore(path: Path, was: _File | None, now: _File | None) -> None:
    if was == now:
        return
    if was is None:
        path.unlink()
        return
    if now is None or was.content != now.content:
        real = Path(os.path.realpath(path))
        partial = real.with_name(f".{real.name}.partial")
        try:
            partial.write_bytes(was.content)
            if now is not None:
                shutil.copymode(real, partial)
            partial.replace(real)
        finally:
            partial.unlink(missing_ok=True)
    os.utime(path, ns=(was.mtime_ns, was.mtime_ns))
