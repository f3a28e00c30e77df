"""A second witness of every lease, for the case that its file is deleted.

It is the name of an abstract socket: nobody can delete that, and the kernel takes it
back when the last process that has the socket open is gone, as it does with a lock. It
is seen by all of one network namespace: whoever shares the folder of the leases from
another one has the file alone to go by. Anybody may bear false witness, as anybody may
lock a file that is everybody's: that keeps runs waiting, and no more.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

_NAME = "pytest-mighetero"
_TABLE = Path("/proc/net/unix")
# The rest of a line: anybody may give a socket any name.
_WITNESS = re.compile(
    rf"@{_NAME}/([0-9a-f]{{32}})/(alone|shared)/(\d{{1,7}})/(\d{{1,10}})/([0-9a-f]{{16}})\Z",
    re.ASCII,
)


def about(where: str, name: str) -> str:
    """Return what stands for the lease *name* in the folder *where*."""
    lease = f"{where}\0{name}".encode(errors="replace")
    return blake2b(lease, digest_size=16).hexdigest()


def bear(key: str, *, shared: bool) -> tuple[int, ...] | str:
    """Bear witness that this process holds *key*, perhaps shared with others.

    Returns:
        The file descriptor to keep open; none where the system lets nobody bear
        witness; or who bears witness against it.
    """
    how = "shared" if shared else "alone"
    mine = secrets.token_hex(8)
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.bind(f"\0{_NAME}/{key}/{how}/{os.getpid()}/{os.getuid()}/{mine}")
        return against(key, shared=shared, mine=mine) or (made.detach(),)
    return ()


def against(key: str, *, shared: bool, mine: str = "") -> str | None:
    """Say who bears witness to hold *key* and leaves no room, or None.

    Beside those who share it there is room to share it. *Mine* is one's own witness.
    """
    try:
        lines = _TABLE.read_text(errors="replace").splitlines()
    except OSError:
        return None
    for found in filter(None, map(_WITNESS.search, lines)):
        of, how, pid, uid, whose = found.groups()
        if of == key and whose != mine and not (shared and how == "shared"):
            whose = "whose lease file was deleted, or is another container's"
            return f"pid {pid} of uid {uid}, {whose}"
    return None
