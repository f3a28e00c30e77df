"""How a file system is mounted: whether other nodes see the locks taken on it."""

from __future__ import annotations

import os
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
# nfs(5), mount.lustre(8): with these flock works, and other clients do not see it.
_LOCAL = {
    "nfs": frozenset({"nolock", "local_lock=flock", "local_lock=all"}),
    "lustre": frozenset({"localflock"}),
}
_LOCAL["nfs4"] = _LOCAL["nfs"]


def locks_end_here(device: int) -> str:
    """Say why no other node sees locks on the file system *device*, where known."""
    try:
        table = _TABLE.read_text(errors="replace")
    except OSError:
        return ""
    return local_locks(table, f"{os.major(device)}:{os.minor(device)}")


def local_locks(table: str, device: str) -> str:
    """Say it of the file system *device* in a *table* as proc(5) has it. Pure."""
    for line in table.splitlines():
        mount, _, kind = line.partition(" - ")
        words, about = mount.split(), kind.split()
        if len(words) < 6 or len(about) < 3 or words[2] != device:
            continue
        options = {*words[5].split(","), *about[2].split(",")}
        if local := sorted(options & _LOCAL.get(about[0], frozenset())):
            return f"its {about[0]} is mounted with {local[0]}"
    return ""
