"""A Slurm that does not answer for a while: what it would have said is not made up."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.lab.forked import Forked
from tests.lab.processes import until
from tests.lab.slurm.cluster import Cluster
from tests.lab.slurm.eight import Eight

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
SQUEUE = """#!/bin/sh
if [ -e {down} ]; then
    touch {down}-asked
    {fault}
    exit 1
fi
exec {real} "$@"
"""
FAULTS = {
    "fails": "echo 'Unable to contact slurm controller' >&2",
    "hangs": "while [ -e {down} ]; do sleep 0.1; done",
}


class Outage:
    """A session that ``squeue`` does not answer while there is a file."""

    def __init__(self, eight: Eight, fault: str):
        self._eight, self._down = eight, eight.folder / "down"
        self._squeue = eight.folder / "bin/squeue"
        self._squeue.parent.mkdir()
        names = {"down": self._down, "real": shutil.which("squeue")}
        self._squeue.write_text(SQUEUE.format(fault=fault.format(**names), **names))
        self._squeue.chmod(0o755)

    def start(self, monkeypatch: pytest.MonkeyPatch) -> Forked:
        """Start the session, and the outage once each worker has a test."""
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(self._squeue.parent), prepend=os.pathsep)
            running = self._eight.start("-n2", "--mig-slurm=--gres=gpu:2")
        until(lambda: len(self._eight.under_way) == 2)
        self._down.touch()
        return running

    def end(self) -> None:
        """End the outage when somebody has asked in vain."""
        until(self._down.with_name("down-asked").exists)
        self._down.unlink()


@pytest.fixture(params=FAULTS)
def outage(request: pytest.FixtureRequest, eight: Eight) -> Outage:
    return Outage(eight, FAULTS[request.param])


def test_of_a_killed_session_nothing_is_left_after_it(
    outage: Outage, eight: Eight, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = outage.start(monkeypatch)
    running.kill()
    outage.end()
    until(lambda: not slurm.jobs() and not eight.workers())


def test_a_worker_that_is_lost_meanwhile_is_told_as_slurm_tells_it(
    outage: Outage, eight: Eight, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = outage.start(monkeypatch)
    job = slurm.jobs()[0]
    slurm.ask("scancel", job)
    outage.end()
    until(lambda: "is lost: " in eight.out.read_text())
    eight.go()
    assert running.wait(60) == 1, eight.out.read_text()
    (lost,) = [case for case in eight.files.junit if case.problems]
    assert f"Lost with its worker in job {job} on n" in lost.problems["error"]
    assert "was cancelled (Slurm: CANCELLED)" in lost.problems["error"]
