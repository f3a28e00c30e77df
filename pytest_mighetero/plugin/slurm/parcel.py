"""A run's folder as messages, for a controller that does not see it; also a program.

Run on a node as ``python parcel.py RESULTS TOKEN NAME...``, it writes what is in these
folders of *RESULTS* to stdout, and deletes each for which stdin says that it is kept.
Where *RESULTS* has the file *TOKEN* it is the controller's own, and stays as it is.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

CHUNK = 1 << 18  # bytes of a file in one message: what is held of it in memory
LAST = "record.json"  # with it the folder is complete
KEPT = "kept"
# What it is, a name, and bytes.
Message = tuple[str, str, bytes]


def messages(folder: Path) -> Iterator[Message]:
    """Yield the files in *folder*; links, sockets and pipes are left out.

    Each is ``("file", folder, its path)``, then ``("data", "", bytes)`` for each piece
    of it and ``("end", "", b"")``; after all comes ``("whole", folder, b"")``.

    Raises:
        OSError: one cannot be read.
    """
    for path in _files(folder):
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):  # removed, or replaced
                continue
            raise
        with open(file, "rb", buffering=0) as source:  # noqa: PTH123 - it is open
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                continue
            relative = os.fsencode(path.relative_to(folder))
            yield "file", folder.name, relative
            left = status.st_size  # what is appended meanwhile has no end
            while left > 0 and (chunk := source.read(min(CHUNK, left))):
                left -= len(chunk)
                yield "data", "", chunk
            yield "end", "", b""
    yield "whole", folder.name, b""


def _files(folder: Path) -> Iterator[Path]:
    last = folder / LAST
    for parent, _, names in os.walk(folder):
        paths = (Path(parent) / name for name in sorted(names))
        yield from (path for path in paths if path != last and _is_file(path))
    if _is_file(last):
        yield last


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read(stream: IO[bytes]) -> Iterator[Message]:
    """Yield the messages that the program wrote.

    Raises:
        ValueError: something else wrote there.
    """
    while head := stream.readline(1000):
        kind, name, size = json.loads(head)
        if not 0 <= size <= CHUNK:
            raise ValueError(f"{size} bytes in one message, expected {CHUNK} at most")
        yield str(kind), str(name), stream.read(size)


def main() -> None:
    """Write each folder, and wait for what becomes of it."""
    results, out = Path(sys.argv[1]), sys.stdout.buffer
    if (results / sys.argv[2]).exists():
        return
    for name in sys.argv[3:]:
        if not (results / name).is_dir():
            continue  # of what is not here nothing can be said to be whole
        for kind, text, data in messages(results / name):
            out.write(json.dumps([kind, text, len(data)]).encode() + b"\n" + data)
        out.flush()
        if sys.stdin.readline().strip() == KEPT:
            shutil.rmtree(results / name, ignore_errors=True)


if __name__ == "__main__":
    main()
