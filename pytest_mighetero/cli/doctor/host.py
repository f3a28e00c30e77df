"""The machine, or what a container lets a run have of it: disk, clocks, limits."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pytest_mighetero.cli.doctor.cgroup import CgroupLimits
from pytest_mighetero.cli.doctor.finding import Finding, nearest_folder, times

_GIB, _MIB = 1 << 30, 1 << 20
# A run keeps a record, every harness's output and LoadGen's logs: some MiB each; the
# accuracy log of a language model has hundreds.
_LITTLE, _TOO_LITTLE = 2 * _GIB, 64 * _MIB
_FEW_FILES = 1000  # as many as a hundred runs leave
# Of each harness: two guards, make, its shell, the harness, and its threads.
_THREADS, _LEAST_THREADS = 100, 8
_FILES = 1024
_SLOW_SOURCES = ("hpet", "acpi_pm", "jiffies", "refined-jiffies")
_CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_CPUS = Path("/sys/devices/system/cpu")
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


def disk(results: Path, said_by: str) -> Finding:
    """Say whether there is room for results, and whether they may be written."""
    there = nearest_folder(results)
    elsewhere = "name another folder with --results-dir"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        said = f"{said_by}: {results} cannot be written to"
        return Finding("disk", "bad", said, elsewhere)
    status = os.statvfs(there)
    free = status.f_bavail * status.f_frsize
    said = f"{_size(free)} free for {results}"
    if free < _TOO_LITTLE:
        return Finding("disk", "bad", said, f"make space, or {elsewhere}")
    if status.f_files and status.f_favail < _FEW_FILES:
        said = f"room for {times(status.f_favail, 'more file')} in {results}"
        return Finding("disk", "warning", said, f"delete some, or {elsewhere}")
    if free < _LITTLE:
        return Finding("disk", "warning", said, f"make space, or {elsewhere}")
    return Finding("disk", "ok", said)


def clocks() -> Iterator[Finding]:
    """Say what tells the time, who keeps it right, and how the cores are clocked."""
    with suppress(OSError):
        source = _CLOCK.read_text("ascii").strip()
        if source in _SLOW_SOURCES:
            said = f"the time comes from {source}, at a microsecond a look"
            tsc = "boot with clocksource=tsc where the CPU's is stable"
            yield Finding("clock", "warning", said, tsc)
        else:
            yield Finding("clock", "ok", f"the time comes from {source}")
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    if state == _UNSYNCHRONISED:
        said = "nobody keeps the wall clock right"
        start = "start chrony or systemd-timesyncd; records carry its times"
        yield Finding("clock", "warning", said, start)
    elif state >= 0:
        yield Finding("clock", "ok", "the wall clock is kept right")
    found = {
        path.read_text("ascii").strip()
        for path in _CPUS.glob("cpu[0-9]*/cpufreq/scaling_governor")
    }
    if found and found != {"performance"}:
        said = f"CPU governor {', '.join(sorted(found))}"
        keep = "cpupower frequency-set -g performance keeps the cores' clocks up"
        yield Finding("clock", "warning", said, keep)
    elif found:
        yield Finding("clock", "ok", "CPU governor performance")


def limits(found: CgroupLimits, harnesses: int, *, mig: bool) -> Iterator[Finding]:
    """Say what the harnesses of a run may use together.

    Args:
        found: those of the cgroup.
        harnesses: how many run at once.
        mig: whether they are a GPU's, and want a core and some memory each.
    """
    yield _cores(found.cpus, harnesses, mig=mig)
    yield _memory(found.memory, harnesses, mig=mig)
    yield _processes(found, harnesses)
    yield _open_files()
    with suppress(OSError):
        yield _shared_memory(mig=mig)


def _cores(quota: float | None, harnesses: int, *, mig: bool) -> Finding:
    cores = len(os.sched_getaffinity(0))
    said = times(cores, "core")
    if quota is not None and quota < cores:
        said += f", of which a quota pays for {quota:.3g}"
    if mig and min(quota or cores, cores) < harnesses:
        said += f", for {harnesses} harnesses"
        more = "give each one: --cpus, --cpuset-cpus, Slurm's --cpus-per-task"
        return Finding("cores", "warning", said, more)
    return Finding("cores", "ok", said)


def _memory(limit: int | None, harnesses: int, *, mig: bool) -> Finding:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    there = min(limit or pages, pages)
    least = harnesses * (_GIB if mig else _MIB * 128)
    by = " by the cgroup's limit" if limit and limit < pages else ""
    said = f"{_size(there)}{by}"
    if there < least:
        said += f", for {harnesses} harnesses"
        return Finding("memory", "warning", said, "raise it: docker run --memory")
    return Finding("memory", "ok", said)


def _processes(found: CgroupLimits, harnesses: int) -> Finding:
    """Say how many processes and threads may be started; root is bound by none."""
    rooms = []
    if found.processes is not None:
        rooms.append(found.processes - (found.running or 0))
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if os.geteuid() and soft != resource.RLIM_INFINITY:
        rooms.append(soft - _mine())
    if not rooms:
        return Finding("processes", "ok", "as many processes as the machine has")
    left, raise_it = max(0, min(rooms)), "raise it: docker run --pids-limit, ulimit -u"
    said = f"{left} more processes or threads may be started"
    if left < harnesses * _LEAST_THREADS:
        return Finding("processes", "bad", said, raise_it)
    if left < harnesses * _THREADS:
        return Finding("processes", "warning", said, raise_it)
    return Finding("processes", "ok", said)


def _open_files() -> Finding:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return Finding("open files", "ok", "as many as there can be")
    said = f"{files} for each process"
    if files < _FILES:
        more = f"raise it: ulimit -n {_FILES}, docker run --ulimit nofile"
        return Finding("open files", "warning", said, more)
    return Finding("open files", "ok", said)


def _shared_memory(*, mig: bool) -> Finding:
    """Say how much there is of what frameworks hand tensors through."""
    status = os.statvfs("/dev/shm")  # noqa: S108 - it is not written to
    size = status.f_blocks * status.f_frsize
    said = f"{_size(size)} in /dev/shm"
    if mig and size < _GIB:
        more = "docker run --shm-size=8g, or --ipc=host, where a harness uses PyTorch"
        return Finding("shared memory", "warning", said, more)
    return Finding("shared memory", "ok", said)


def _mine() -> int:
    """Return how many threads this user runs, as far as /proc shows them."""
    count = 0
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if path.stat().st_uid == os.getuid():
                count += sum(1 for _ in (path / "task").iterdir())
    return count


def _size(size: int) -> str:
    if size < _GIB:
        return f"{size / _MIB:.0f} MiB"
    return f"{size / _GIB:.1f} GiB"
