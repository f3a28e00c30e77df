"""The variables of a harness's environment that decide what its exit code means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Every process that a launch starts inherits this variable: the launch's own folder.
MARK = "MIGHETERO_FOLDER"

# An outer make's flags and job server would reach the harness's make. It sets them for
# whatever it starts, so that nobody need hear of it.
OUTER_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKE_TERMOUT", "MAKE_TERMERR")

# With these a harness that failed exits 0, or one that did not fails, or its clock is
# not the machine's. What else a user sets (PATH, LD_*, TZ, CUDA_*, a makefile's own
# variables, exported functions) chooses programs and settings, and is measured as it
# is; pytest reads local time stamps in the zone that the harness inherits.
MISLEADING = (
    "GNUMAKEFLAGS",  # make: -i, -n, -t, -e
    "MAKEFILES",  # make: read before the Makefile; .IGNORE may stand there
    "MAKE",  # make: what $(MAKE) calls; these three win over make's own values
    "MAKE_COMMAND",
    "MAKECMDGOALS",
    "BASH_ENV",  # bash: read before each recipe; a trap on EXIT may stand there
    "SHELLOPTS",  # bash: noexec, onecmd
    "BASHOPTS",
    "PYTHONINSPECT",  # Python: exit code 1 after sys.exit(0)
    "PYTHONOPTIMIZE",  # Python: no asserts
    "FAKETIME",  # libfaketime: the tool's clock, and so its figures
    "FAKETIME_TIMESTAMP_FILE",
)


def is_scrubbed(name: str) -> bool:
    """Tell whether harnesses do not get *name* from the caller's environment."""
    # Only make knows names with a dot; .SHELLFLAGS wins over its own, too.
    return name in OUTER_MAKE or name in MISLEADING or name.startswith(".")


def withheld(environment: Mapping[str, str], given: Iterable[str]) -> tuple[str, ...]:
    """Return what the caller's *environment* has that harnesses do not get, by name.

    Of which a suite may have *given* them its own.
    """
    return tuple(
        name
        for name in sorted(environment)
        if environment[name] and is_scrubbed(name) and name not in given
        if name not in OUTER_MAKE or "MAKELEVEL" not in environment
    )


def slurm_place(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the node and the job of the Slurm step that has *environment*.

    What salloc itself starts has a job and no node: it runs where salloc does.
    """
    node, job = environment.get("SLURMD_NODENAME"), environment.get("SLURM_JOB_ID")
    return {"node": node, "slurm_job": job} if node and job else {}
