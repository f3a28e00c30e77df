"""A first step in every worker's place: can workers be there? The processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.slurm import answers, node_facts, request
from pytest_mighetero.plugin.slurm.answers import Job

STEP_S = 60.0  # longest for Python to start on a node
PATIENCE_S = 5  # for a place that another step may hold
PROGRAM = node_facts.__file__
Place = tuple[Job, str]  # and the words of the worker in it


def check_places(
    places: Sequence[Place], folder: Path, name: str, mig: Collection[str] = ()
) -> list[tuple[Place, str]]:
    """Have a step in each of *places* tell what it is and whether it sees *folder*.

    All of them are there at once, as the workers are going to be. Of the jobs with
    numbers in *mig* it is known that they have MIG devices.

    Returns:
        The places that Slurm did not give then, and why.

    Raises:
        ConfigError: a node has other versions, no such Python, or another folder; it
            does not say which MIG devices it has given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / f".{name}"
    token.write_text(uuid.uuid4().hex, "ascii")
    try:
        with ExitStack() as stack:
            steps = [_started(words, token, stack) for _, words in places]
            here = node_facts.facts(token)
            _wait(steps)
            told = [(step.facts, step.complaint) for step in steps]
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
            raise ConfigError(
                f"--mig-slurm: {sys.executable} does not start on {job.node} (job "
                f"{job.number}); its virtual environment has to be on a file system "
                f"that all nodes share: {complaint}"
            )
    return refused


def complaint_of(words: str) -> str:
    """Say why a worker does not start in a place, or nothing if one would now."""
    with ExitStack() as stack:
        step = _started(words, Path(os.devnull), stack)
        _wait([step])
        complaint = "" if step.facts is not None else step.complaint
    return answers.no_step(complaint) or complaint


def _started(words: str, token: Path, stack: ExitStack) -> _Step:
    step = _Step(words, token)
    stack.callback(step.end)
    return step


def _wait(steps: Sequence[_Step]) -> None:
    limit = time.monotonic() + STEP_S
    while not all(step.answered for step in steps) and time.monotonic() < limit:
        time.sleep(0.02)


class _Step:
    """One step, which holds its place until its end."""

    def __init__(self, words: str, token: Path):
        command = request.probe(words, PROGRAM, str(token), patience=PATIENCE_S)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._error = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self._said, stderr=self._error
        )

    def end(self) -> None:
        """Give the place back."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()  # it ends by itself, and frees its place
        for end in (self._process.terminate, self._process.kill):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE_S)
                break
            end()
        self._process.wait()
        self._said.close()
        self._error.close()

    @property
    def answered(self) -> bool:
        return self._process.poll() is not None or self.facts is not None

    @property
    def facts(self) -> dict[str, str] | None:
        """What it has told, once it has."""
        lines = _text(self._said).splitlines(keepends=True)
        lines = [line for line in lines if line.startswith(node_facts.BEGIN)]
        if not lines or not lines[0].endswith("\n"):
            return None
        told: dict[str, str] = json.loads(lines[0].removeprefix(node_facts.BEGIN))
        return told

    @property
    def complaint(self) -> str:
        if self._process.poll() is None:
            return f"no answer in {STEP_S:g} s"
        lines = _text(self._error).strip().splitlines()
        return "; ".join(lines) or f"exit code {self._process.returncode}"


def _text(file: IO[bytes]) -> str:
    # Its writer goes on at the offset that both have.
    return os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace")
