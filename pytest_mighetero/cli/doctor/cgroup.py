"""The limits of the cgroup that this process is in, version 1 or 2.

Files and their meaning: the kernel's admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CGROUPS, _MOUNTS = Path("/proc/self/cgroup"), Path("/proc/self/mountinfo")
_NONE = 1 << 60  # v1 says "no limit" as the largest number of whole pages


@dataclass(frozen=True)
class CgroupLimits:
    """What this process and its children may use together; None for no limit.

    Attributes:
        cpus: in cores.
        memory: in bytes.
        processes: threads count, too.
        running: how many there are of these.
    """

    cpus: float | None = None
    memory: int | None = None
    processes: int | None = None
    running: int | None = None


def cgroup_limits() -> CgroupLimits:
    """Return the narrowest limits, of this process's cgroups and those above them."""
    folders = {name: [*_folders(name)] for name in ("cpu", "memory", "pids")}
    quotas = [quota for each in folders["cpu"] if (quota := _quota(each))]
    memory = [
        limit
        for each in folders["memory"]
        for name in ("memory.max", "memory.limit_in_bytes")
        if (limit := _number(each / name)) is not None and limit < _NONE
    ]
    rooms = [
        (limit - (running or 0), limit, running)
        for each in folders["pids"]
        if (limit := _number(each / "pids.max")) is not None
        for running in [_number(each / "pids.current")]
    ]
    _, processes, running = min(rooms, default=(None, None, None))
    return CgroupLimits(
        cpus=min(quotas, default=None),
        memory=min(memory, default=None),
        processes=processes,
        running=running,
    )


def _folders(controller: str) -> Iterator[Path]:
    """Yield this process's folder in the hierarchy of *controller*, and those above."""
    for path, of_v1 in _paths(controller):
        for root, mount in _mounts(controller if of_v1 else None):
            # Without a namespace of its own a container sees a part of the hierarchy,
            # and its own path as the whole has it.
            within = path.relative_to(root) if path.is_relative_to(root) else Path()
            steps = [mount / within, *(mount / within).parents]
            yield from (each for each in steps if each.is_relative_to(mount))


def _paths(controller: str) -> Iterator[tuple[Path, bool]]:
    with suppress(OSError):
        for line in _CGROUPS.read_text(errors="replace").splitlines():
            number, _, rest = line.partition(":")
            names, _, path = rest.partition(":")
            if controller in names.split(","):
                yield Path(path), True
            elif number == "0" and not names:
                yield Path(path), False


def _mounts(controller: str | None) -> Iterator[tuple[Path, Path]]:
    """Yield root and mount point of a hierarchy of v1, or that of v2 for None."""
    with suppress(OSError):
        for line in _MOUNTS.read_text(errors="replace").splitlines():
            before, _, after = line.partition(" - ")
            kind, *_, options = after.split(" ")
            is_v1 = kind == "cgroup" and controller in options.split(",")
            if is_v1 or (controller is None and kind == "cgroup2"):
                root, mount = before.split(" ")[3:5]
                yield Path(root), Path(mount)


def _quota(folder: Path) -> float | None:
    """Return the cores that a cgroup's quota pays for, or None where it has none."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        words = (folder / "cpu.max").read_text("ascii").split()
        return int(words[0]) / int(words[1])
    quota = _number(folder / "cpu.cfs_quota_us")
    period = _number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _number(file: Path) -> int | None:
    """Return the number in a file, or None where there is none: ``max``, no file."""
    with suppress(OSError, ValueError):
        return int(file.read_text("ascii"))
    return None
