"""Looking at processes."""

from __future__ import annotations

from pathlib import Path


def alive(pid: int) -> bool:
    """Tell whether *pid* is there and no zombie, which only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] not in b"ZX"
