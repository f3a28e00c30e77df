"""Room on the disk for a file that must be written, whoever fills the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

_SIZES = (1 << 20, 1 << 18, 1 << 16)  # in bytes; the most that there is room for


class Reserve:
    """Blocks that are set aside in a file, ``path``, beside the one they are for."""

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

    The first of *texts* that fits is written: they say the same in fewer bytes. If
    *durable*, the disk is waited for, and room set aside unless it is the *last* time.

    Raises:
        OSError: none of *texts* could be written; what there was is still there.
    """
    beside, reserve = target.with_name(f"{target.name}.partial"), Reserve(target)
    if durable:
        with suppress(OSError):
            reserve.path.replace(beside)
    try:
        _first_that_fits(texts, partial(_anew, beside, durable))
        # Before the blocks of the earlier file are free for anybody.
        kept = last or not durable or reserve.fill()
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        try:
            _first_that_fits(texts, partial(_over, target))
        except OSError:
            raise error from None
    else:
        if not kept:
            reserve.fill()
    if last:
        reserve.free()


def _first_that_fits(texts: Sequence[bytes], write: Callable[[bytes], None]) -> None:
    for text in texts[:-1]:
        with suppress(OSError):
            write(text)
            return
    write(texts[-1])


def _anew(path: Path, durable: bool, text: bytes) -> None:
    """Write a file; blocks that it has are used."""
    _write(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), text, durable)


def _over(path: Path, text: bytes) -> None:
    """Write over a file that is there; it stays as it is where there is no room."""
    descriptor = os.open(path, os.O_WRONLY)
    size = os.fstat(descriptor).st_size
    try:
        os.posix_fallocate(descriptor, 0, len(text))
    except OSError:
        os.ftruncate(descriptor, size)
        os.close(descriptor)
        raise
    _write(descriptor, text, durable=True)


def _write(descriptor: int, text: bytes, durable: bool) -> None:
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        left = memoryview(text)
        while left:
            left = left[file.write(left) :]
        file.truncate()
        if durable:
            os.fsync(descriptor)
