"""Cancels every job of a name once stdin closes, however its writer has ended.

Run as ``python watcher.py NAME JOB``: with a JOB, that is the caller's and stays; its
steps of that name are cancelled. A request may still be on its way when its sender
dies: the watcher looks again until nothing was there twice.
"""

from __future__ import annotations

import subprocess
import sys
import time

PATIENCE = 10.0  # seconds


def left(name: str, job: str) -> list[str]:
    """Return the ids of what is to be cancelled."""
    what = ["--steps", f"--jobs={job}"] if job else ["--name", name]
    command = ["squeue", "--noheader", "--format=%i|%j", *what]
    said = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    rows = [line.partition("|") for line in said.stdout.splitlines()]
    return [number for number, _, called in rows if called == name]


def main() -> None:
    """Wait, then cancel."""
    name, job = sys.argv[1:3]
    sys.stdin.read()
    limit, clear = time.monotonic() + PATIENCE, 0
    while clear < 2 and time.monotonic() < limit:
        found = left(name, job)
        clear = 0 if found else clear + 1
        if found:
            cancel = ["scancel", "--quiet", *found]
            subprocess.run(cancel, timeout=PATIENCE, check=False)
        time.sleep(0.3)


if __name__ == "__main__":
    main()
