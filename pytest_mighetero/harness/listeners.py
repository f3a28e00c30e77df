"""Who listens on a TCP port of this host, as /proc shows it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from pytest_mighetero.harness.guard import command_line
from pytest_mighetero.harness.tree import Trees

# proc_pid_net(5): local address, remote address, state 0A (listen), ..., inode.
_LISTENS = re.compile(
    r"^ *\d+: [0-9A-F]+:(?P<port>[0-9A-F]{4}) [0-9A-F]+:0000 0A "
    r"(?:\S+ +){5}(?P<inode>\d+)",
    re.MULTILINE,
)
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def listening(port: int) -> frozenset[int]:
    """Return the inodes of the sockets that listen on *port*, on any address.

    None are seen of another network namespace, such as a container's.
    """
    found: set[int] = set()
    for table in _TABLES:
        with suppress(OSError):
            each = _LISTENS.finditer(table.read_text())
            found |= {int(it["inode"]) for it in each if int(it["port"], 16) == port}
    return frozenset(found)


def stranger(sockets: Collection[int], root: int) -> str | None:
    """Say who has *sockets* that nothing in the tree of *root* has, or None.

    That is a process older than *root*: what a container's engine starts for it, such
    as docker-proxy, is not below it, and younger. Another user's is not seen.
    """
    own = Trees().look([root])[root].living
    every = {each.pid: each.started for each in own}
    left = {*sockets} - {inode for pid in every for inode in _sockets_of(pid)}
    if not left:
        return None
    born = min(every.values(), default=0)
    for entry in os.listdir("/proc"):  # noqa: PTH208 - thousands, and only names
        if entry.isdigit() and left & {*_sockets_of(int(entry))}:
            pid = int(entry)
            if _started(pid) < born:
                return command_line(pid)
    return None


def _sockets_of(pid: int) -> Iterator[int]:
    folder = f"/proc/{pid}/fd"
    with suppress(OSError):
        for fd in os.listdir(folder):  # noqa: PTH208 - as above
            with suppress(OSError):
                link = os.readlink(f"{folder}/{fd}")  # noqa: PTH115 - as above
                if link.startswith("socket:["):
                    yield int(link[8:-1])


def _started(pid: int) -> float:
    """Return when a process started, in clock ticks; never, where it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return float("inf")
    return int(stat.rpartition(b")")[2].split()[19])
