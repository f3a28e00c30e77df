"""The open files that a controller of many workers needs."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

from pytest_mighetero.errors import ConfigError

EACH = 3  # of a worker: its pipes, or before it those of the first step in its place
OTHERS = 16  # of pytest, Slurm's answers and reports, beside those that are open
ROOM = 8  # of a worker, where that many are to be had


def allow(workers: int, more: int) -> None:
    """Raise the limit of open files as far as *workers* need it, and each *more*.

    No further: Slurm hands it on to steps, and there are programs that look at each
    number that a file might have.

    Raises:
        ConfigError: the hard limit is too low.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    now = len(list(Path("/proc/self/fd").iterdir()))
    each = EACH + more
    needed = now + OTHERS + each * workers
    limited = hard != resource.RLIM_INFINITY
    if limited and needed > hard:
        raise ConfigError(
            f"--mig-slurm: {workers} workers need {needed} open files here, {each} "
            f"each, and the hard limit is {hard}; raise it (ulimit -Hn), or say less "
            f"with -n N"
        )
    wanted = now + OTHERS + ROOM * workers
    if soft < wanted:
        with suppress(OSError, ValueError):  # less than needed it is not
            most = min(wanted, hard) if limited else wanted
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
