"""What is asked of Slurm, as argument lists. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

# What is set here of every job, and of every step in one of the caller's.
_BOTH = {"--nodes": "-N", "--job-name": "-J"}
_JOB = {**_BOTH, "--no-shell": ""}
_OF_STEPS = {"--ntasks": "-n", "--immediate": "-I", "--unbuffered": "-u", "--jobid": ""}
_STEP = {**_BOTH, **_OF_STEPS, "--exact": "", "--overlap": ""}
_LEAST = len("--exa")  # of the beginning of a long name that getopt_long(3) may take
WAIT_S = 30  # longest for a worker's step to have its place, which others may hold


def own(options: Sequence[str], outer: str) -> str:
    """Return the first word of *options* that says what is set here, or nothing."""
    names = _STEP if outer else _JOB
    for word in options:
        name = word.partition("=")[0]
        for long, short in names.items():
            is_long = len(name) >= _LEAST and long.startswith(name)
            if is_long or (short and word[:2] == short):
                return word
    return ""


def salloc(options: Sequence[str], name: str) -> list[str]:
    """Return the command for an allocation on one node; it ends with its parent."""
    own = ["--no-shell", "--nodes=1", f"--job-name={name}"]
    return ["setpriv", "--pdeathsig", "TERM", "salloc", *options, *own]


def worker(job: str, python: str, name: str) -> str:
    """Return the words of a worker that has all of an allocation of ours.

    Several of them share it, as local workers share a machine: leases part its GPUs.
    """
    return shlex.join([*_step(job, name), "--overlap", python])


def step(job: str, options: Sequence[str], python: str, name: str) -> str:
    """Return the words of a worker in an allocation of the caller's.

    Slurm parts what the allocation has: each step has what *options* ask for.
    """
    given = ["--exact", *options] if options else ["--overlap"]
    return shlex.join([*_step(job, name), *given, python])


def probe(words: str, program: str, *arguments: str, patience: int) -> list[str]:
    """Return the command of a *program* of Python's in the place of a worker.

    It has the worker's *words*, and waits *patience* seconds for the place.
    """
    *step, python = shlex.split(words)
    return [*step, f"--immediate={patience}", python, program, *arguments]


def _step(job: str, name: str) -> list[str]:
    # --unbuffered: slurmstepd hands on whole lines only, and the first that execnet
    # waits for is a byte without an end.
    own = [f"--jobid={job}", f"--job-name={name}", "--nodes=1", "--ntasks=1"]
    return ["srun", "--quiet", "--unbuffered", f"--immediate={WAIT_S}", *own]
