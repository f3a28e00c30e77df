"""Asks Slurm for allocations, and gives all of them back: the processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.slurm import answers, request
from pytest_mighetero.plugin.slurm.answers import Job

ASK_S = 1.0  # between two questions why a job waits
ANSWER_S = 30.0  # longest for an answer of Slurm's, which may be restarted meanwhile
ONE_ANSWER_S = 10.0  # of that, for one question


class NoAnswerError(ConfigError):
    """Slurm does not answer; what it would say is not known."""


class Slurm:
    """Slurm, as this session uses it: all it is given has one name.

    Attributes:
        name: of every job and step of this session.
        outer: the job that the session runs in, or nothing.
    """

    def __init__(self, options: Sequence[str], outer: str):
        self._options, self.outer = options, outer
        self.name = f"mighetero-{uuid.uuid4().hex[:12]}"
        if unknown := [each for each in _programs(outer) if shutil.which(each) is None]:
            raise ConfigError(
                f"--mig-slurm: {', '.join(unknown)} not on PATH; run pytest where "
                f"Slurm's commands are"
            )
        watcher = str(Path(__file__).with_name("watcher.py"))
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", watcher, self.name, outer],
            env=request.environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def jobs(self, patience: float = ANSWER_S) -> list[Job]:
        """Return the jobs of this session, those that have ended, too.

        Raises:
            NoAnswerError: Slurm does not answer within *patience* seconds.
        """
        return self._squeue("--name", self.name, patience=patience)

    def job(self, number: str) -> Job:
        """Return a job as it is now, once it is no longer ending."""
        limit = time.monotonic() + ANSWER_S
        while True:
            try:
                found = self._numbered([number])
            except NoAnswerError:
                return Job(number, answers.UNKNOWN, "", "")
            job = found[0] if found else answers.gone(number)
            if job.state != "COMPLETING" or time.monotonic() > limit:
                return job
            time.sleep(0.2)

    def living(self, numbers: Iterable[str]) -> set[str]:
        """Return in which of the jobs steps may be started now; one question.

        Raises:
            NoAnswerError: Slurm does not answer.
        """
        return {job.number for job in self._numbered(numbers) if job.lives}

    def _numbered(self, numbers: Iterable[str]) -> list[Job]:
        """Return the jobs; squeue tells of a whole array where one has its number."""
        which = set(numbers)
        found = self._squeue(f"--jobs={','.join(sorted(which))}")
        return [job for job in found if job.number in which]

    def has_mig(self, number: str) -> bool:
        """Tell whether Slurm calls what it gave a job MIG devices.

        Raises:
            NoAnswerError: Slurm does not answer.
        """
        return answers.has_mig(
            _ask("scontrol", "show", "job", "--details", number), number
        )

    def _squeue(self, *which: str, patience: float = ANSWER_S) -> list[Job]:
        command = ["squeue", "--noheader", "--states=all", *which]
        said = _ask(*command, f"--format={answers.FORMAT}", patience=patience)
        return answers.jobs(said)

    def allocate(
        self, count: int, timeout: float, tell: Callable[[str], None]
    ) -> tuple[list[Job], str]:
        """Ask for *count* allocations at once.

        Returns:
            Those granted within *timeout* seconds; why the others were not, if so.

        Raises:
            NoAnswerError: Slurm does not say which it has granted.
        """
        command = request.salloc(self._options, self.name)
        asked = [_Asked(command) for _ in range(count)]
        limit, why, next_ask = time.monotonic() + timeout, "", 0.0
        try:
            while any(each.waits for each in asked) and time.monotonic() < limit:
                if time.monotonic() >= next_ask:
                    next_ask = time.monotonic() + ASK_S
                    jobs: list[Job] = []
                    with suppress(NoAnswerError):
                        jobs = self.jobs(patience=0)
                    pending = [job for job in jobs if job.state == "PENDING"]
                    if why := answers.waiting(pending):
                        granted = sum(not each.waits for each in asked)
                        tell(f"{granted} of {count} allocations; {why}")
                time.sleep(0.05)
        finally:
            for each in asked:
                each.withdraw()
            limit = time.monotonic() + ONE_ANSWER_S
            texts = [each.end(limit) for each in asked]
        known = {job.number: job for job in self.jobs()}
        got, refused = [], []
        for text in texts:
            if (number := answers.granted(text)) is None:
                refused.append(answers.refusal(text))
            elif (job := known.get(number, answers.gone(number))).lives:
                got.append(job)
            else:
                refused.append(job.fate)
        return got, why or "; ".join(dict.fromkeys(refused))

    def give_back(self, job: Job) -> None:
        """Have a job end that nobody needs, as far as Slurm answers at once."""
        with suppress(NoAnswerError):
            _ask("scancel", "--quiet", job.number, patience=0)

    def close(self) -> None:
        """Give everything back."""
        assert self._watcher.stdin is not None
        with suppress(OSError):
            self._watcher.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._watcher.wait(ANSWER_S)


class _Asked:
    """One ``salloc`` under way."""

    def __init__(self, command: list[str]):
        self._said: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            env=request.environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )

    @property
    def waits(self) -> bool:
        return self._process.poll() is None

    def withdraw(self) -> None:
        """Have it end, if it still waits."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def end(self, limit: float) -> str:
        """Return what it said, once it has ended: at ``time.monotonic()`` *limit*."""
        try:
            self._process.wait(max(0.0, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._said as said:
            said.seek(0)
            return said.read()


def _ask(*command: str, patience: float = ANSWER_S) -> str:
    """Return what Slurm answers; asked once more until it does, or *patience* ends."""
    limit = time.monotonic() + patience
    while True:
        try:
            done = subprocess.run(
                command,
                env=request.environment(os.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=ONE_ANSWER_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            why = f"no answer in {ONE_ANSWER_S:g} s"
        else:
            if not done.returncode:
                return done.stdout
            if answers.NO_JOB in done.stderr:
                return ""
            said = "; ".join(done.stderr.split("\n")).strip("; ")
            why = said or f"exit code {done.returncode}"
        if time.monotonic() > limit:
            raise NoAnswerError(f"--mig-slurm: {command[0]} does not answer: {why}")
        time.sleep(min(ASK_S, patience))


def _programs(outer: str) -> list[str]:
    return [
        "srun",
        "squeue",
        "scancel",
        "scontrol",
        *([] if outer else ["salloc", "setpriv"]),
    ]
