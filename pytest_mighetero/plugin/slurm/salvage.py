"""Fetches from a node what a worker that is gone has left there: the process."""

from __future__ import annotations

import shlex
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from pytest_mighetero.plugin.slurm import parcel
from pytest_mighetero.plugin.slurm.intake import Intake

PROGRAM = parcel.__file__


def fetch(words: str, node: str, token: Path, intake: Intake, longest: float) -> None:
    """Have *intake* take what a node still has, by a step in place of a worker.

    What was whole here may have been completed since, and comes once more.

    Args:
        words: of the worker's place.
        node: where that worker was; another may have the same place.
        token: a file that is only here, in the folder they are in, here and there.
        intake: that worker's.
        longest: seconds for all of it.
    """
    *step, python = shlex.split(words)
    told = [str(token.parent), token.name, *intake.there]
    intake.break_off()
    process = subprocess.Popen(
        [*step, f"--nodelist={node}", python, "-I", "-S", PROGRAM, *told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    limit = threading.Timer(longest, process.kill)
    limit.start()
    try:
        with suppress(OSError, ValueError), process.stdin, process.stdout:
            for message in parcel.read(process.stdout):
                for kind, _, _ in intake.answer(message):
                    process.stdin.write(f"{kind}\n".encode())
                    process.stdin.flush()
    finally:
        limit.cancel()
        process.kill()
        process.wait()
