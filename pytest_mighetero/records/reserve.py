"""Room on the disk for a file that must be written, whoever fills the disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_SIZES = (1 << 20, 1 << 18, 1 << 16)  # in bytes; the most that there is room for


class Reserve:
    """Blocks that are set aside in a file beside the one they are for.

    Attributes:
        path: of the file that has them; it is there only while they are set aside.
    """

    def __init__(self, target: Path):
        self.path = target.with_name(f"{target.name}.reserve")

    def fill(self) -> bool:
        """Set room aside, unless there is some; tell whether there is now."""
        if self.path.exists():
            return True
        for size in _SIZES:
            try:
                with self.path.open("xb") as file:
                    os.posix_fallocate(file.fileno(), 0, size)
            except OSError:
                self.free()
            else:
                return True
        return False

    def free(self) -> None:
        """Give the room back to the disk."""
        with suppress(OSError):
            self.path.unlink()


def replace(target: Path, texts: Sequence[bytes], *, durable: bool, last: bool) -> None:
    """Write *target* anew: under another name, then renamed.

    On a full disk it is written where room was set aside for it, else over what is
    there. Only what does not fit there either is not written.

    Args:
        target: the file.
        texts: what is to be in it; then the same in fewer bytes.
        durable: whether the disk is waited for, and room set aside for the next time.
        last: whether there is no next time.

    Raises:
        OSError: none of *texts* could be written; what there was is still there.
    """
    partial, reserve = target.with_name(f"{target.name}.partial"), Reserve(target)
    if durable:
        with suppress(OSError):
            reserve.path.replace(partial)
    try:
        _first(partial, texts, durable=durable)
        # Before the blocks of the earlier file are free for anybody.
        kept = last or not durable or reserve.fill()
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        try:
            _over(target, texts)
        except OSError:
            raise error from None
    else:
        if not kept:
            reserve.fill()
    if last:
        reserve.free()


def _first(path: Path, texts: Sequence[bytes], *, durable: bool) -> None:
    """Write the first of *texts* that there is room for; blocks it has are used.

    Raises:
        OSError: there is room for none.
    """
    for text in texts:
        try:
            _write(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), text, durable)
        except OSError:
            if text is texts[-1]:
                raise
        else:
            return


def _over(path: Path, texts: Sequence[bytes]) -> None:
    """Write the first of *texts* that fits over a file that is there.

    Raises:
        OSError: none does, and the file is as it was.
    """
    for text in texts:
        descriptor = os.open(path, os.O_WRONLY)
        size = os.fstat(descriptor).st_size
        try:
            os.posix_fallocate(descriptor, 0, len(text))
        except OSError:
            os.ftruncate(descriptor, size)
            os.close(descriptor)
            if text is texts[-1]:
                raise
        else:
            _write(descriptor, text, durable=True)
            return


def _write(descriptor: int, text: bytes, durable: bool) -> None:
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        left = memoryview(text)
        while left:
            left = left[file.write(left) :]
        file.truncate()
        if durable:
            os.fsync(descriptor)
