"""Cancels every job of a name once stdin closes, however its writer has ended.

Run as ``python watcher.py NAME JOB``: with a JOB, that is the caller's and stays; its
steps of that name are cancelled. A request may still be on its way when its sender
dies: the watcher looks again until nothing was there twice. A Slurm that does not
answer, as while it is restarted, has not said that nothing is left.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

ANSWER_S = 10.0  # longest for one answer
SOON_S = 10.0  # for as long it looks often
OUTAGE_S = 600.0  # longest for all to be gone
NO_JOB = "Invalid job id"


def left(name: str, job: str) -> list[str] | None:
    """Return the ids of what is to be cancelled; nothing if Slurm does not answer."""
    what = ["--steps", f"--jobs={job}"] if job else ["--name", name]
    command = ["squeue", "--noheader", "--format=%i|%j", *what]
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if said.returncode:
        return [] if NO_JOB in said.stderr else None
    rows = [line.partition("|") for line in said.stdout.splitlines()]
    return [number for number, _, called in rows if called == name]


def main() -> None:
    """Wait, then cancel."""
    name, job = sys.argv[1:3]
    sys.stdin.read()
    begin, clear = time.monotonic(), 0
    while clear < 2 and (since := time.monotonic() - begin) < OUTAGE_S:
        found = left(name, job)
        if found is not None:
            clear = 0 if found else clear + 1
        if found:
            cancel = ["scancel", "--quiet", *found]
            with suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    cancel, stdin=subprocess.DEVNULL, timeout=ANSWER_S, check=False
                )
        time.sleep(0.3 if since < SOON_S else 3)


if __name__ == "__main__":
    main()
