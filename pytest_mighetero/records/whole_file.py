"""A file that takes the place of another one at once, or not at all."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write, which then is *path*, or what that links to.

    Until it is whole it has a name of its own in the same folder, so that several may
    write at once. It gets the mode of the file in whose place it comes, and its group
    and owner as far as they may be set. What is no plain file, such as a pipe, is
    written into as it is.

    Raises:
        OSError: it cannot be written; what there was is still there.
    """
    there = _status(path)
    if there is not None and not stat.S_ISREG(there.st_mode):
        with path.open("wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    # By its ending nobody takes it for what it is to become.
    beside = target.with_name(f".mighetero-{uuid.uuid4().hex}.partial")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if there is not None:
                _make_alike(descriptor, there)
            yield file
        beside.replace(target)
    finally:
        with suppress(OSError):
            beside.unlink()


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _make_alike(descriptor: int, there: os.stat_result) -> None:
    for owner, group in ((-1, there.st_gid), (there.st_uid, -1)):
        with suppress(PermissionError):
            os.fchown(descriptor, owner, group)
    os.fchmod(descriptor, stat.S_IMODE(there.st_mode))
