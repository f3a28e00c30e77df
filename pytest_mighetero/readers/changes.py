"""Changes in folders, noticed when they happen: inotify."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from inotify_simple import INotify, flags

_WHAT = flags.CREATE | flags.MODIFY | flags.MOVED_TO | flags.ONLYDIR | flags.DONT_FOLLOW


class Changes:
    """Tells of changes in folders; a ``Source`` of the pump.

    Whoever relies on it must look from time to time as well: a user may have no more
    inotify instances or watches (``/proc/sys/fs/inotify``), and of a network's file
    system the kernel tells only what this machine changes.

    Attributes:
        fd: readable when there is a change; None where the kernel tells nothing: then
            there is nothing to ``unwatch``, ``take`` or ``close``.
        happened: whether there was one; whoever looks sets it back, first.
    """

    def __init__(self) -> None:
        self.happened = False
        self.fd: int | None = None
        with suppress(OSError):
            self._inotify = INotify(nonblocking=True)
            self.fd = self._inotify.fileno()

    def watch(self, folder: Path) -> int | None:
        """Watch *folder* itself, nothing below it; return what ``unwatch`` takes.

        Once it is watched it may be watched again, which changes nothing.
        """
        if self.fd is not None:
            with suppress(OSError):
                return int(self._inotify.add_watch(folder, _WHAT))
        return None

    def unwatch(self, watch: int) -> None:
        """Watch a folder no longer."""
        with suppress(OSError):
            self._inotify.rm_watch(watch)

    def take(self) -> None:
        """Take note of the changes so far."""
        self._inotify.read(timeout=0)
        self.happened = True

    def close(self) -> None:
        """Watch nothing any more."""
        self._inotify.close()
