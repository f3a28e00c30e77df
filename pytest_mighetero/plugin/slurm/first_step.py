"""A first step on every node: can workers be there? The processes."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.slurm import node_facts
from pytest_mighetero.plugin.slurm.answers import Job

STEP_S = 60.0  # longest for Python to start on a node
PROGRAM = node_facts.__file__


def check_nodes(jobs: Sequence[Job], folder: Path, name: str) -> None:
    """Have a step on each node of *jobs* tell what it is and whether it sees *folder*.

    Raises:
        ConfigError: one has other versions, no such Python, or another folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / f".{name}"
    token.write_text(uuid.uuid4().hex, "ascii")
    try:
        steps = [(job, _start(job, token, name)) for job in jobs]
        here = node_facts.facts(token)
        answers = [(job, *_answer(step)) for job, step in steps]
    finally:
        token.unlink(missing_ok=True)
    for job, text, complaint in answers:
        if complaint:
            raise ConfigError(
                f"--mig-slurm: {sys.executable} does not start on {job.node} (job "
                f"{job.number}); its virtual environment has to be on a file system "
                f"that all nodes share: {complaint}"
            )
        for line in text.splitlines():
            there = json.loads(line)
            found = node_facts.problem(there["node"], here, there, folder)
            if found:
                raise ConfigError(f"--mig-slurm: node {found} (job {job.number})")


def _start(job: Job, token: Path, name: str) -> subprocess.Popen[str]:
    step = [f"--jobid={job.number}", f"--job-name={name}", "--ntasks-per-node=1"]
    program = [sys.executable, PROGRAM, str(token)]
    command = ["srun", "--quiet", *step, "--overlap", *program]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(step: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        out, error = step.communicate(timeout=STEP_S)
    except subprocess.TimeoutExpired:
        step.kill()
        step.communicate()
        return "", f"no answer in {STEP_S:g} s"
    lines = error.strip().splitlines() or [f"exit code {step.returncode}"]
    return out, "; ".join(lines) if step.returncode else ""
