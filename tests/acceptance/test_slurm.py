"""xdist's workers in Slurm's allocations: where they are, how they are lost and end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.driver import OUTER, Files, Lab
from tests.lab.forked import Forked
from tests.lab.processes import in_the_run, until
from tests.lab.slurm.cluster import Cluster
from tests.lab.slurm.eight import Eight

pytestmark = [pytest.mark.slow, pytest.mark.slurm]


def test_each_worker_has_a_gpu_of_its_own(eight: Eight) -> None:
    eight.go()
    report = eight.lab.apart(*eight.arguments("-n4", "--mig-slurm=--gres=gpu:1"))
    report.result.assert_outcomes(passed=8)
    places = {case.properties["place"] for case in report.junit}
    assert len(report.junit) == 8
    assert places <= {"n1:0", "n1:1", "n2:0", "n2:1"}
    assert len(places) > 2


def test_workers_share_an_allocation(eight: Eight) -> None:
    eight.go()
    options = ("-n4", "--mig-slurm=--gres=gpu:2", "--mig-slurm-packed=2")
    report = eight.lab.apart(*eight.arguments(*options))
    report.result.assert_outcomes(passed=8)
    assert {case.properties["place"] for case in report.junit} == {"n1:0,1", "n2:0,1"}
    assert len({case.properties["job"] for case in report.junit}) == 2


def test_workers_are_steps_of_the_job_around(
    eight: Eight, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = ("--nodes=2", "--ntasks-per-node=2", "--gres=gpu:2", "--job-name=outer")
    slurm.ask("salloc", "--no-shell", *shape)
    (job,) = slurm.jobs()
    monkeypatch.setenv("SLURM_JOB_ID", job)
    eight.go()
    report = eight.lab.apart(*eight.arguments("-n4", "--mig-slurm=--gres=gpu:1"))
    report.result.assert_outcomes(passed=8)
    assert {case.properties["job"] for case in report.junit} == {job}
    assert slurm.jobs() == [job]
    assert slurm.steps() == []
    slurm.cancel_all()


def test_a_run_says_where_it_was(lab: Lab, slurm: Cluster) -> None:
    report = lab.run_apart("-n1", "--mig-slurm=--partition=h100 --gres=gpu:1")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["node"] == "n2"
    assert report.case.properties["slurm_job"].isdigit()
    assert report.record["facts"]["node"] == "n2"
    assert slurm.jobs() == []


def test_a_users_defaults_are_for_people(
    lab: Lab, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("SQUEUE_STATES", "PENDING")
        patch.setenv("SQUEUE_PARTITION", "urgent")
        patch.setenv("SCANCEL_INTERACTIVE", "true")
        patch.setenv("SLURM_LABELIO", "1")
        report = lab.run_apart("-n1", "--mig-slurm=--partition=h100 --gres=gpu:1")
    report.result.assert_outcomes(passed=1)
    until(lambda: not slurm.jobs())


def test_it_goes_on_with_what_slurm_gives_in_time(eight: Eight) -> None:
    eight.go()
    options = ("-n4", "--mig-slurm=-p a100 --gres=gpu:1", "--mig-slurm-timeout=3s")
    report = eight.lab.apart(*eight.arguments(*options))
    report.result.assert_outcomes(passed=8)
    assert "slurm: 2 of 4 allocations, and goes on with them:" in report.text
    assert "for Resources" in report.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-n2", "--mig-slurm=--partition=nope"), "Invalid partition name specified"),
        (("-n2", "--mig-slurm=--gres=foo:1"), "Invalid generic resource (gres)"),
        (("-n2", "--mig-slurm=--gres=gpu:9"), "configuration is not available"),
        (("-n2", "--mig-slurm=-N2 --gres=gpu:1"), "-N2 is set for each worker"),
        (("--mig-slurm=--gres=gpu:1",), "say how many workers there are to be, -n N"),
        (("-nauto", "--mig-slurm=--gres=gpu:1"), "no GPU of this machine; say -n N"),
        (("--tx=popen", "-n2", "--mig-slurm=-N1"), "leave out --tx"),
        (("-n2", "--dist=each", "--mig-slurm=-N1"), "leave out --dist=each"),
        (("-pno:xdist", "--mig-slurm=-N1"), "install that, and say -n N"),
    ],
)
def test_what_cannot_be_is_said_before_any_test(
    eight: Eight, options: tuple[str, ...], said: str
) -> None:
    report = eight.lab.apart(*eight.arguments(*options))
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = [line for line in report.text.splitlines() if "ERROR" in line]
    assert said in error
    assert eight.under_way == []


def limited(eight: Eight, soft: int, hard: int) -> tuple[int, str]:
    """Run with four workers under limits of open files; return the end."""
    limit = ["prlimit", f"--nofile={soft}:{hard}", sys.executable, "-m", "pytest"]
    done = subprocess.run(
        [*limit, *eight.arguments("-n4", "--mig-slurm=--gres=gpu:1")],
        cwd=eight.folder,
        env={k: v for k, v in os.environ.items() if k not in OUTER[1:]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def test_open_files_are_enough_or_no_job_is_asked_for(
    eight: Eight, slurm: Cluster
) -> None:
    eight.go()
    code, text = limited(eight, 24, 24)
    assert code == pytest.ExitCode.USAGE_ERROR, text
    (error,) = [line for line in text.splitlines() if "ERROR" in line]
    found = re.search("4 workers need ([0-9]+) open files here, 3 each, and the", error)
    assert found, error
    assert "hard limit is 24; raise it" in error
    assert "allocations" not in text
    assert eight.under_way == []
    code, text = limited(eight, 24, int(found[1]))
    assert code == 0, text
    assert len(eight.under_way) == 8
    assert slurm.jobs() == []


def test_slurms_programs_have_to_be_there(
    eight: Eight, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(eight.folder))
        report = eight.lab.apart(*eight.arguments("-n2", "--mig-slurm=--gres=gpu:1"))
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "--mig-slurm: srun, squeue, scancel, scontrol, salloc, setpriv not"
        in report.text
    )


ENDS = {
    "step": "its step ended, the job goes on",
    "job": "the job was cancelled (Slurm: CANCELLED)",
    "preempted": "the job was preempted (Slurm: PREEMPTED)",
    "time": "the job is out of time (Slurm: TIMEOUT, TimeLimit)",
    "node": "the job lost its node (Slurm: NODE_FAIL, NodeDown)",
    "crash": "the job lost its node (Slurm: NODE_FAIL, NodeDown)",
}


@pytest.mark.parametrize("how", ENDS)
def test_a_lost_test_is_an_error_and_the_rest_goes_on(
    eight: Eight, slurm: Cluster, how: str
) -> None:
    running = eight.start("-n2", "--mig-slurm=--gres=gpu:2", "--mig-slurm-timeout=30s")
    until(lambda: len(eight.under_way) == 2)
    ended = slurm.ask("squeue", "-h", "-w", "n1", "--format=%i").strip()
    if how == "step":
        (step,) = [each for each in slurm.steps() if each.startswith(f"{ended}.")]
        slurm.ask("scancel", step)
    elif how == "job":
        slurm.ask("scancel", ended)
    elif how == "preempted":
        urgent = ("--partition=urgent", "--nodelist=n1", "--gres=gpu:2")
        slurm.ask("salloc", "--no-shell", "--job-name=urgent", *urgent)
        slurm.ask("scancel", "--name=urgent")
    elif how == "time":  # which Slurm looks at twice a minute
        slurm.ask("scontrol", "update", f"jobid={ended}", "endtime=now")
    elif how == "node":
        slurm.ask("scontrol", "update", "nodename=n1", "state=down", "reason=broken")
        slurm.resume("n1")
    else:
        slurm.crash("n1")  # which it learns when the node does not answer
    until(lambda: "is lost: " in eight.out.read_text(), 120)
    if how == "crash":
        slurm.bring_back("n1")
    eight.go()
    assert running.wait(60) == 1, eight.out.read_text()
    cases = eight.files.junit
    (lost,) = [case for case in cases if case.problems]
    assert len(cases) == len(eight.under_way) == 8  # none twice
    assert (
        f"Lost with its worker in job {ended} on n1: {ENDS[how]}"
        in (lost.problems["error"])
    )
    assert lost.properties["slurm_job"] == ended
    assert lost.properties["node"] == "n1"


def test_all_jobs_are_asked_for_at_once_after_one_is_lost(
    eight: Eight, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, squeue = eight.folder / "asked", eight.folder / "bin/squeue"
    squeue.parent.mkdir()
    real = shutil.which("squeue")
    squeue.write_text(f'#!/bin/sh\necho "$*" >> {asked}\nexec {real} "$@"\n')
    squeue.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(squeue.parent), prepend=os.pathsep)
        running = eight.start("-n4", "--mig-slurm=--gres=gpu:1")
    until(lambda: len(eight.under_way) == 4)
    lost, *others = slurm.jobs()
    slurm.ask("scancel", lost)
    until(lambda: "is lost: " in eight.out.read_text())
    eight.go()
    assert running.wait(60) == 1, eight.out.read_text()
    asked_for = re.findall(r"--jobs=(\S+)", asked.read_text())
    numbers = [number for each in asked_for for number in each.split(",")]
    assert [numbers.count(each) for each in others] == [1, 1, 1]


def test_without_another_worker_every_test_left_is_an_error(
    eight: Eight, slurm: Cluster
) -> None:
    options = ("-n2", "--mig-slurm=--gres=gpu:2", "--max-worker-restart=0")
    running = eight.start(*options)
    until(lambda: len(eight.under_way) == 2)
    slurm.ask("scancel", slurm.steps()[0])
    until(lambda: "is lost: " in eight.out.read_text())
    eight.go()
    assert running.wait(60) == 1
    cases = eight.files.junit
    left = [case for case in cases if "no worker" in case.problems.get("error", "")]
    assert sorted(case.name for case in cases) == [f"test_it[{i}]" for i in range(8)]
    assert len(left) == 8 - len(eight.under_way) > 0


def test_without_any_place_every_test_left_is_an_error(
    eight: Eight, slurm: Cluster
) -> None:
    running = eight.start("-n1", "--mig-slurm=-p a100", "--mig-slurm-timeout=2s")
    until(lambda: len(eight.under_way) == 1)
    (job,) = slurm.jobs()
    slurm.ask("scontrol", "update", "partitionname=a100", "state=down")
    slurm.ask("scancel", job)
    code = running.wait(60)
    slurm.ask("scontrol", "update", "partitionname=a100", "state=up")
    assert code == 1
    cases = eight.files.junit
    assert sorted(case.name for case in cases) == [f"test_it[{i}]" for i in range(8)]
    for case in cases:
        assert f"job {job} on n1: the job was cancelled" in case.problems["error"]
    assert "Lost with its worker in " in cases[0].problems["error"]
    for case in cases[1:]:
        assert "1 waits for PartitionDown" in case.problems["error"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_an_ended_session(
    eight: Eight, slurm: Cluster, number: signal.Signals
) -> None:
    running = eight.start("-n2", "--mig-slurm=--gres=gpu:1")
    until(lambda: len(eight.under_way) == 2)
    assert len(eight.workers()) == 2
    running.send_signal(number)
    running.wait(30)
    until(lambda: not slurm.jobs() and not eight.workers())


def test_nothing_is_left_of_first_steps_that_hang(
    eight: Eight, slurm: Cluster, prolog: Path
) -> None:
    hung = eight.folder / "hung"
    prolog.write_text(f"#!/bin/sh\ntouch {hung}-$SLURM_JOB_ID\nexec sleep 600\n")
    running = eight.start("-n4", "--mig-slurm=--gres=gpu:1")
    until(lambda: len(list(eight.folder.glob("hung-*"))) == 4)
    running.send_signal(signal.SIGINT)
    until(lambda: not slurm.jobs(), 10)
    assert running.wait(30) == pytest.ExitCode.INTERRUPTED


def test_a_job_outlives_the_session_in_it(
    eight: Eight, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm.ask("salloc", "--no-shell", "-N1", "--ntasks=2", "--gres=gpu:2")
    (job,) = slurm.jobs()
    monkeypatch.setenv("SLURM_JOB_ID", job)
    running = eight.start("-n2", "--mig-slurm=--gres=gpu:1")
    until(lambda: len(eight.under_way) == 2)
    running.kill()
    running.wait(30)
    until(lambda: not slurm.steps() and not eight.workers())
    assert slurm.jobs() == [job]
    slurm.cancel_all()


def test_the_wait_ends_with_slurms_reason(eight: Eight, slurm: Cluster) -> None:
    slurm.ask("salloc", "--no-shell", "-N2", "--gres=gpu:2", "--job-name=others")
    options = ("-n2", "--mig-slurm=--gres=gpu:1", "--mig-slurm-timeout=3s")
    report = eight.lab.apart(*eight.arguments(*options))
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "slurm: 0 of 2 allocations; " in report.text  # while it waited
    (error,) = [line for line in report.text.splitlines() if "ERROR" in line]
    assert "no allocation for '--gres=gpu:1' (--mig-slurm-timeout=3s): " in error
    assert re.search("waits? for (Resources|Priority)", error)
    assert eight.under_way == []
    assert len(slurm.jobs()) == 1
    slurm.cancel_all()


def test_nothing_is_left_of_what_still_waits(eight: Eight, slurm: Cluster) -> None:
    running = eight.start("-n6", "--mig-slurm=--gres=gpu:1")
    until(lambda: re.search("4 of 6 allocations; ", eight.out.read_text()))
    running.kill()
    running.wait(30)
    until(lambda: not slurm.jobs())
    assert eight.under_way == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_harness_is_left_of_an_ended_controller(
    lab: Lab, slurm: Cluster, number: signal.Signals
) -> None:
    running = start_run(lab)
    running.send_signal(number)
    until(lambda: not slurm.jobs() and not in_the_run(lab.folder))
    running.wait(30)


def test_a_run_whose_job_is_cancelled_has_its_record(lab: Lab, slurm: Cluster) -> None:
    running = start_run(lab, "--mig-slurm-timeout=5s", "--mig-stop-grace=500ms")
    (job,) = slurm.jobs()
    slurm.ask("scancel", job)
    assert running.wait(60) == 1
    files = Files(lab.folder)
    said = f"job {job} on n2: the job was cancelled (Slurm: CANCELLED)"
    assert said in files.case.problems["error"]
    assert files.case.properties["slurm_job"] == job
    assert files.case.properties["benchmark"] == "dlrm"
    assert files.record["facts"]["slurm_job"] == job
    assert "SIGTERM" in files.record["phases"]["teardown"]["text"]
    assert in_the_run(lab.folder) == []


def start_run(lab: Lab, *options: str) -> Forked:
    lab.fake(**{"*": {"test": 300, "ignore": True, "daemon": True}})
    slurm = "--mig-slurm=--partition=h100 --gres=gpu:1"
    arguments = lab.arguments("-k", "dlrm_server", "-n1", slurm, *options)
    with (lab.folder / "out").open("w") as out:
        running = lab.pytests.start(arguments, lab.folder, out)
    until(lambda: any(lab.folder.glob("results/*/main/logs/fake_system")))
    return running
