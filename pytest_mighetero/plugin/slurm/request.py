"""What is asked of Slurm: argument lists, and with which environment. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

# What is set here of every job, and of every step in one of the caller's.
_SET = ("--nodes", "-N", "--job-name", "-J")
_SET_OF_JOBS = (*_SET, "--no-shell")
_SET_OF_STEPS = (
    *(*_SET, "--ntasks", "-n", "--immediate", "-I", "--unbuffered", "-u"),
    *("--jobid", "--exact", "--overlap"),
)
# What has nothing granted or started, or has nobody here learn of it.
_DEAF = ("--help", "-h", "--usage", "--version", "-V")
_DEAF_JOBS = (*_DEAF, "--quiet", "-Q")
_DEAF_STEPS = (
    *(*_DEAF, "--input", "-i", "--output", "-o", "--error", "-e", "--label", "-l"),
    *("--verbose", "-v", "--pty", "--multi-prog", "--bcast", "--test-only"),
    *("--no-allocate", "-Z"),
)
_ELSEWHERE = ("--clusters", "-M")
_FLAGS = frozenset("EHOQVXZhlsuv")  # the short options that take no value
# The same as a user's defaults; besides, those of which jobs and states squeue, scancel
# and scontrol are about, and whether they ask first.
_CLUSTERS = ("SLURM_CLUSTERS", "SALLOC_CLUSTERS")
_UNSET = (
    *(*_CLUSTERS, "SLURM_DEBUG", "SALLOC_DEBUG", "SLURM_OVERLAP", "SLURM_BCAST"),
    *("SLURM_STDINMODE", "SLURM_STDOUTMODE", "SLURM_STDERRMODE", "SLURM_LABELIO"),
    *("SRUN_INPUT", "SRUN_OUTPUT", "SRUN_ERROR"),  # of newer ones, the same
)
_UNSET_BEGIN = ("SQUEUE_", "SCANCEL_", "SCONTROL_")
WAIT_S = 30  # longest for a worker's step to have its place, which others may hold


def problem(
    options: Sequence[str], outer: str, environment: Mapping[str, str]
) -> str | None:
    """Say why workers cannot be asked for with *options*, if so."""
    if word := _said(options, _SET_OF_STEPS if outer else _SET_OF_JOBS):
        return (
            f"{word} is set for each worker, which has one "
            f"{'step' if outer else 'node'} of its own; leave it out, and say with "
            f"-n N how many there are"
        )
    if word := _said(options, _DEAF_STEPS if outer else _DEAF_JOBS):
        return (
            f"{word} would keep from this session what Slurm, or a worker, says to it; "
            f"leave it out"
        )
    here = _CLUSTERS if not outer else ()  # a job is of its own cluster
    defaults = (name for name in here if environment.get(name))
    if word := _said(options, _ELSEWHERE) or next(defaults, ""):
        return (
            f"{word} asks for jobs of another cluster, which this session would not "
            f"see again; do without it, and run pytest on that cluster"
        )
    return None


def taken(options: Sequence[str], environment: Mapping[str, str]) -> str:
    """Say what each step takes all of, because *options* say nothing of it, if so."""
    memory = environment.get("SLURM_MEM_PER_NODE")
    if not memory or _said(options, ("--mem", "--mem-per-cpu", "--mem-per-gpu")):
        return ""
    return (
        f"; each step takes all of the job's memory (SLURM_MEM_PER_NODE={memory}) "
        f"unless --mig-slurm says --mem"
    )


def environment(of: Mapping[str, str]) -> dict[str, str]:
    """Return the environment *of* this session, as Slurm's programs are to have it."""
    return {
        name: value
        for name, value in of.items()
        if name not in _UNSET and not name.startswith(_UNSET_BEGIN)
    }


def _said(options: Sequence[str], names: Sequence[str]) -> str:
    """Return the first word of *options* that says one of *names*, or nothing."""
    for word in options:
        if word.startswith("--"):  # which getopt_long(3) knows by its beginning, too
            begin = word.partition("=")[0]
            found = any(name.startswith(begin) for name in names)
        else:
            found = any(short in names for short in _shorts(word))
        if found:
            return word
    return ""


def _shorts(word: str) -> Iterator[str]:
    """Yield the short options in *word*: ``-vN2`` has two."""
    for letter in word[1:] if word.startswith("-") else "":
        yield f"-{letter}"
        if letter not in _FLAGS:
            return


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
    # execnet starts it with this session's own environment.
    srun = ["env", *(f"--unset={each}" for each in _UNSET), "srun"]
    # --unbuffered: slurmstepd hands on whole lines only, and the first that execnet
    # waits for is a byte without an end.
    own = [f"--jobid={job}", f"--job-name={name}", "--nodes=1", "--ntasks=1"]
    return [*srun, "--quiet", "--unbuffered", f"--immediate={WAIT_S}", *own]
