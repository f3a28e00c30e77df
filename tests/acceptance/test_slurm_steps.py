"""Workers' steps that Slurm has no place for: nothing waits for them without limit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.processes import until
from tests.lab.slurm.cluster import Cluster
from tests.lab.slurm.eight import Eight

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
BUSY = "Requested nodes are busy"
# Between the first steps and the workers', with nothing but Slurm's own commands.
BETWEEN = """
import subprocess
from pathlib import Path

import pytest

from pytest_mighetero.plugin.slurm import gateways, request

request.WAIT_S = 2

@pytest.hookimpl(trylast=True)
def pytest_xdist_setupnodes():
{action}
"""
TWO = ("--exact", "--ntasks=1", "--gres=gpu:2")
TAKE = """
    subprocess.Popen(["srun", "--jobid={}", *{}, "sh", "-c", "touch it; sleep 600"])
    while not Path("it").exists():
        pass
"""
CRASH = """
    import os, signal
    request.WAIT_S = gateways.START_S = 3
    os.kill({}, signal.SIGKILL)
"""
CANCEL = """
    ask = ["squeue", "--noheader", "--format=%i"]
    job = subprocess.run(ask, stdout=-1, text=True).stdout.split()[0]
    subprocess.run(["scancel", job])
"""
GREET = """
    Path({!r}).write_text("#!/bin/sh\\necho print Welcome\\n")
"""


@pytest.fixture
def job(eight: Eight, slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job with two GPUs that a session runs in."""
    assert eight.under_way == []
    slurm.ask("salloc", "--no-shell", "-N1", "--ntasks=4", "--gres=gpu:2", "-pa100")
    (number,) = slurm.jobs()
    monkeypatch.setenv("SLURM_JOB_ID", number)
    return number


def test_more_workers_than_a_job_seats(
    eight: Eight, slurm: Cluster, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    eight.go()
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "800")
    report = eight.lab.apart(*eight.arguments("-n4", "--mig-slurm=--gres=gpu:1"))
    report.result.assert_outcomes(passed=8)
    assert {case.properties["place"] for case in report.junit} == {"n1:0", "n1:1"}
    said = f"places for 2 of 4 workers, and goes on with them; no more in job {job} on"
    (line,) = [line for line in report.text.splitlines() if said in line]
    assert BUSY in line
    assert line.endswith("(SLURM_MEM_PER_NODE=800) unless --mig-slurm says --mem")
    slurm.cancel_all()


def test_a_task_of_an_array_is_a_job_of_its_own(
    eight: Eight, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--array=0-1", "--gres=gpu:1", "--output=/dev/null")
    slurm.ask("sbatch", *options, "--wrap=sleep 600")
    rows = slurm.ask("squeue", "--noheader", "--array", "--format=%i %F").split()
    array = rows[1]
    until(lambda: len(slurm.ask("squeue", "-h", "--states=R").splitlines()) == 2)
    slurm.ask("scancel", f"{array}_0")
    until(lambda: len(slurm.jobs()) == 1)
    eight.go()
    with monkeypatch.context() as patch:
        patch.setenv("SLURM_JOB_ID", array)  # of the last of them
        patch.setenv("SLURM_LABELIO", "1")
        patch.setenv("SLURM_STDOUTMODE", "out")
        patch.setenv("SLURM_DEBUG", "1")
        patch.setenv("SLURM_CLUSTERS", "elsewhere")
        report = eight.lab.apart(*eight.arguments("-n1", "--mig-slurm=--gres=gpu:1"))
    report.result.assert_outcomes(passed=8)
    assert {case.properties["job"] for case in report.junit} == {array}
    assert f"workers gw0 in job {array} on n" in report.text
    slurm.cancel_all()


def test_a_job_whose_seats_are_taken(eight: Eight, slurm: Cluster, job: str) -> None:
    slurm.start_step(job, *TWO)
    report = eight.lab.apart(*eight.arguments("-n2", "--mig-slurm=--gres=gpu:1"))
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"no place for a worker in job {job} on n1: {BUSY}" in report.text
    slurm.cancel_all()


def test_a_seat_that_is_taken_before_its_worker_has_it(
    eight: Eight, slurm: Cluster, job: str
) -> None:
    eight.lab.pytester.makeconftest(BETWEEN.format(action=TAKE.format(job, TWO)))
    report = eight.lab.apart(*eight.arguments("-n1", "--mig-slurm=--gres=gpu:1"))
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"worker gw0 does not start in job {job} on n1: {BUSY}" in report.text
    slurm.cancel_all()


def test_a_node_that_greets_its_worker(
    eight: Eight, slurm: Cluster, job: str, prolog: Path
) -> None:
    eight.lab.pytester.makeconftest(BETWEEN.format(action=GREET.format(str(prolog))))
    report = eight.lab.apart(*eight.arguments("-n1", "--mig-slurm=--gres=gpu:1"))
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    said = (
        f"worker gw0 does not start in job {job} on n1: n1 writes 'Welcome' to stdout"
    )
    assert said in report.text
    slurm.cancel_all()


CANNOT = {
    "--gres=gpu:3": "job {} on n1: Invalid generic resource (gres) specification;",
    "--mem=x": "srun starts no step in job {} on n1: srun: error: Invalid --mem spec",
}


def test_a_step_that_the_job_cannot_have(
    eight: Eight, slurm: Cluster, job: str
) -> None:
    for what, said in CANNOT.items():
        report = eight.lab.apart(*eight.arguments("-n1", f"--mig-slurm={what}"))
        assert report.result.ret == pytest.ExitCode.USAGE_ERROR
        (error,) = [line for line in report.text.splitlines() if "ERROR: " in line]
        assert said.format(job) in error
    assert job in slurm.jobs()
    slurm.cancel_all()


@pytest.mark.parametrize("packed", [1, 2])
def test_a_job_that_ends_before_its_worker_starts(eight: Eight, packed: int) -> None:
    eight.go()
    eight.lab.pytester.makeconftest(BETWEEN.format(action=CANCEL))
    options = ("-n2", f"--mig-slurm-packed={packed}", "--mig-slurm=--gres=gpu:2")
    report = eight.lab.apart(*eight.arguments(*options))
    report.result.assert_outcomes(passed=8)
    said = r"worker gw. did not start in job \d+ on n.: the job was cancelled \(Slurm: "
    assert re.search(said, report.text)


def test_a_node_that_no_longer_starts_a_worker(eight: Eight, slurm: Cluster) -> None:
    eight.go()
    slurmd = slurm.children["n1"]
    eight.lab.pytester.makeconftest(BETWEEN.format(action=CRASH.format(slurmd.pid)))
    options = ("-n2", "--mig-slurm=--gres=gpu:2", "--mig-slurm-timeout=2s")
    report = eight.lab.apart(*eight.arguments(*options))
    slurmd.wait()
    slurm.bring_back("n1")
    report.result.assert_outcomes(passed=8)
    assert re.search(r"worker gw. did not start in job \d+ on n1: ", report.text)
    assert "its worker joins another's" in report.text
    assert {case.properties["place"] for case in report.junit} == {"n2:0,1"}
