"""A first step in every worker's place: can workers be there? The processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.slurm import answers, node_facts, request
from pytest_mighetero.plugin.slurm.answers import Job

STEP_S = 60.0  # longest for Python to start on a node
PATIENCE_S = 5  # for a place that another step may hold
PROGRAM = node_facts.__file__
Place = tuple[Job, str]  # and the words of the worker in it
_Process = subprocess.Popen[bytes]
_SILENT = "no answer"
_RAN = re.compile(r"\bexecve\b|: task \d+: ")  # so says srun of what it has started


def check_places(
    places: Sequence[Place],
    folder: Path,
    name: str,
    mig: Collection[str] = (),
    paths: Sequence[str] = (),
) -> list[tuple[Place, str]]:
    """Have a step in each of *places* tell what it is and whether it sees *folder*.

    All of them are there at once, as the workers are going to be. Of the jobs with
    numbers in *mig* it is known that they have MIG devices; *paths* are what tests are
    in, read and run.

    Returns:
        The places that Slurm did not give then, and why.

    Raises:
        ConfigError: a node has other versions, no such Python, or another folder; it
            does not see one of the paths, or say which MIG devices it has given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / f".{name}"
    token.write_text(uuid.uuid4().hex, "ascii")
    arguments = [str(token), *filter(node_facts.sees, paths)]
    try:
        with _under_way([words for _, words in places], arguments) as steps:
            here = node_facts.facts(token)
            told = [(step.told, step.complaint) for step in steps]
    finally:
        token.unlink(missing_ok=True)
    refused = []
    for place, (there, complaint) in zip(places, told, strict=True):
        job = place[0]
        if there is not None:
            node = there["node"]
            problem = node_facts.problem(node, here, there, folder)
            if not problem and job.number in mig:
                problem = node_facts.unnamed(node, there["visible"])
            if problem:
                raise ConfigError(f"--mig-slurm: node {problem} (job {job.number})")
        elif why := answers.no_step(complaint):
            refused.append((place, why))
        else:
            raise ConfigError(f"--mig-slurm: {unstarted(job, complaint)}")
    return refused


def complaint_of(words: str) -> str:
    """Say why a worker does not start in a place, or nothing if one would now."""
    with _under_way([words], [os.devnull]) as (step,):
        there, complaint = step.told, step.complaint
    if there is not None:
        return node_facts.greeted(there) or ""
    return answers.no_step(complaint) or complaint


def unstarted(job: Job, complaint: str) -> str:
    """Say why a step has told nothing, and what is to be done. Pure."""
    if complaint.startswith(_SILENT):
        return (
            f"a step in {job} tells nothing; its start may be slow, or an option or "
            f"variable of Slurm's takes its output away (--output, SLURM_STDOUTMODE): "
            f"{complaint}"
        )
    if _RAN.search(complaint):
        return (
            f"{sys.executable} does not start on {job.node} (job {job.number}); its "
            f"virtual environment has to be on a file system that all nodes share: "
            f"{complaint}"
        )
    return f"srun starts no step in {job}: {complaint}"


@contextmanager
def _under_way(
    places: Sequence[str], arguments: Sequence[str]
) -> Iterator[Sequence[_Step]]:
    """Have a step in each place until the end; each has told all that it has to."""
    steps: list[_Step] = []
    patience = 0.0  # of who interrupts
    try:
        for words in places:
            steps.append(_Step(words, arguments))  # noqa: PERF401 - one may not start
        limit = time.monotonic() + STEP_S
        while not all(each.answered for each in steps) and time.monotonic() < limit:
            time.sleep(0.02)
        yield steps
        patience = PATIENCE_S
    finally:
        _end(steps, patience)


def _end(steps: Sequence[_Step], patience: float) -> None:
    """Give all places back together, after *patience* seconds by force."""
    processes = [each.process for each in steps]
    for end in (_hang_up, _Process.terminate, _Process.kill):
        for each in processes:
            end(each)
        limit = time.monotonic() + patience
        for each in processes:
            with suppress(subprocess.TimeoutExpired):
                each.wait(max(0.0, limit - time.monotonic()))
    for step in steps:
        step.process.wait()
        step.close()


def _hang_up(process: _Process) -> None:
    """Have a step end by itself, which frees its place at once."""
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()


class _Step:
    """One step, which holds its place until it hangs up."""

    def __init__(self, words: str, arguments: Sequence[str]):
        command = request.probe(words, PROGRAM, *arguments, patience=PATIENCE_S)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._error = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = _Process(
            command, stdin=subprocess.PIPE, stdout=self._said, stderr=self._error
        )

    def close(self) -> None:
        """Forget what it has said."""
        self._said.close()
        self._error.close()

    @property
    def answered(self) -> bool:
        return self.process.poll() is not None or self.told is not None

    @property
    def told(self) -> dict[str, str] | None:
        """What it has told, once it has, and what its node had said before."""
        greeting, _, text = _text(self._said).partition(node_facts.BEGIN)
        line, end, _ = text.partition("\n")
        if not end:
            return None
        told: dict[str, str] = json.loads(line)
        return {**told, "greeting": greeting}

    @property
    def complaint(self) -> str:
        """What is said instead."""
        lines = [*filter(str.strip, _text(self._error).splitlines())]
        code = self.process.poll()
        if not code:
            lines.insert(0, f"{_SILENT} in {STEP_S:g} s" if code is None else _SILENT)
        return "; ".join(line.strip(": ") for line in lines) or f"exit code {code}"


def _text(file: IO[bytes]) -> str:
    # Its writer goes on at the offset that both have.
    return os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace")
