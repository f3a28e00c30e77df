"""Opens tools' logs: files of any size and content, live ones, and what is none."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 128 * 1024
_LINE_LIMIT = 16 * 1024

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class LogFile:
    """A log, as long as it was when it was opened, however fast it grows."""

    def __init__(self, path: Path, at: int = 0):
        """Open *path* without waiting for anybody, to read from *at*.

        An offset that is past the end means the beginning.

        Raises:
            OSError: it cannot be opened, or is no regular file.
        """
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        self._file = os.open(path, flags)
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._file)
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no file")
            raise OSError(errno.EINVAL, f"it is {kind}, expected a file", str(path))
        self.at = at if at <= status.st_size else 0
        self._left = status.st_size - self.at

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes of what was there at the opening."""
        block = os.pread(self._file, min(size, self._left), self.at)
        self.at += len(block)
        self._left -= len(block)
        return block

    def lines(self, head: int, tail: int) -> Iterator[bytes]:
        """Yield every line that is left; of one above 16 kB perhaps only its ends.

        Args:
            head: bytes at its beginning, below 8 kB.
            tail: likewise, at its end.
        """
        begun = b""
        while block := self.read(_BLOCK):
            first = block.find(b"\n")
            if first < 0:
                begun += block
            else:
                yield begun + block[:first]
                last = block.rfind(b"\n")
                if first < last:
                    yield from block[first + 1 : last].split(b"\n")
                begun = block[last + 1 :]
            if len(begun) > _LINE_LIMIT:
                begun = begun[:head] + begun[-tail:]
        if begun:
            yield begun

    def close(self) -> None:
        """Close it."""
        os.close(self._file)
