"""What Slurm answers, as values. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

FORMAT = "%A|%T|%r|%N"  # squeue's, of a Job; %A: as SLURM_JOB_ID has it
ALIVE = frozenset({"RUNNING", "CONFIGURING", "SUSPENDED"})
UNKNOWN = "UNKNOWN"  # our own word: Slurm does not answer
NO_JOB = "Invalid job id"  # which it has forgotten
_GRANTED = re.compile(r"Granted job allocation (\d+)")
_MIG = re.compile(r"\bGRES=\S*\d+g\.\d+gb", re.IGNORECASE)
_NO_STEP = re.compile(r"Unable to create step for job [^:]*: (.+)")
_MEANINGS = {
    "CANCELLED": "was cancelled",
    "PREEMPTED": "was preempted",
    "TIMEOUT": "is out of time",
    "NODE_FAIL": "lost its node",
}


@dataclass(frozen=True)
class Job:
    """A job as ``squeue`` shows it."""

    number: str
    state: str
    reason: str
    node: str

    @property
    def lives(self) -> bool:
        """Whether steps may be started in it, as far as is known."""
        return self.state in ALIVE or self.state == UNKNOWN

    def __str__(self) -> str:
        """Return it for a sentence."""
        return f"job {self.number}" + (f" on {self.node}" if self.node else "")

    @property
    def fate(self) -> str:
        """What has become of it, in words, with Slurm's own."""
        if self.state == UNKNOWN:
            return "what became of the job Slurm does not answer"
        if self.lives:
            return "the job goes on"
        said = [self.state, *({self.reason} - {"None", ""})]
        end = _MEANINGS.get(self.state, "ended")
        return f"the job {end} (Slurm: {', '.join(said)})"


def gone(number: str) -> Job:
    """Return a job that Slurm no longer knows."""
    return Job(number, "GONE", "", "")


def jobs(text: str) -> list[Job]:
    """Return the jobs of ``squeue --noheader --format=FORMAT``."""
    rows = (line.split("|") for line in text.splitlines())
    return [Job(*row) for row in rows if len(row) == 4]


def granted(text: str) -> str | None:
    """Return the number of the job that ``salloc`` was granted, if it was."""
    found = _GRANTED.search(text)
    return found[1] if found else None


def refusal(text: str) -> str:
    """Return in one line why ``salloc`` was refused."""
    lines = [line.partition(": ")[2] for line in text.splitlines() if ": " in line]
    said = dict.fromkeys(line.removeprefix("error: ") for line in lines)
    return "; ".join(filter(None, said)) or "salloc does not say why"


def no_step(text: str) -> str:
    """Return why ``srun`` was given no step, if that is what it says."""
    found = _NO_STEP.search(text)
    return found[1].strip() if found else ""


def has_mig(text: str, number: str) -> bool:
    """Tell of ``scontrol show job --details`` whether a job has MIG devices.

    The text may be of others, too: of all of an array, or of a heterogeneous job.
    """
    records = text.split("\n\n")
    own = [each for each in records if each.lstrip().startswith(f"JobId={number} ")]
    return any(_MIG.search(each) for each in own)


def waiting(pending: Iterable[Job]) -> str:
    """Say for what jobs wait: ``3 wait for Resources, 1 waits for Priority``."""
    reasons = Counter(job.reason for job in pending)
    return ", ".join(
        f"{count} wait{'s' * (count == 1)} for {reason}"
        for reason, count in reasons.most_common()
    )
