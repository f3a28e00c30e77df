"""Leases as a run has them: who waits, for whom, and when a GPU is free again."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from pytest_mighetero.devices.lease import holder_of
from tests.devices.leases import ME, NAMES, taken
from tests.lab import needs
from tests.lab.driver import Lab
from tests.lab.processes import until


def test_a_run_waits_for_the_gpu_and_says_for_whom(lab: Lab) -> None:
    lab.fake(dlrm={"test": 6})
    first = start(lab, "--results-dir=first", "--background-benchmark-duration=15s")
    until(lambda: any(lab.folder.glob("first/*/main/logs/fake_system")))
    second = lab.run("--results-dir=second", "--background-benchmark-duration=15s")
    second.result.assert_outcomes(passed=1)
    assert first.wait(60) == 0
    listed = "listed by --mig-devices (3 MIG devices)"
    said = f"waits for a GPU: {listed} is used by pid {first.pid} of "
    assert said in second.text
    (one,) = lab.folder.glob("first/*/record.json")
    (other,) = lab.folder.glob("second/*/record.json")
    ends = [each["exited"] for each in json.loads(one.read_text())["harnesses"]]
    begins = [each["launched"] for each in json.loads(other.read_text())["harnesses"]]
    assert max(ends) <= min(begins)


def test_waiting_ends(lab: Lab) -> None:
    lease = taken(lab.folder / "leases")
    report = lab.run("--mig-lease-timeout=300ms")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert "No GPU became free within 0.3s (--mig-lease-timeout): listed by" in error
    assert f"is used by pid {os.getpid()} of {ME.user}" in error
    assert not report.launches()
    lease.close()


def test_a_killed_pytest_gives_its_lease_back(lab: Lab) -> None:
    lab.fake(**{"*": {"test": 300, "ignore": True, "daemon": True}})
    first = start(lab)
    until(lambda: any(lab.folder.glob("results/*/main/logs/fake_system")))
    assert holder_of(lab.folder / "leases", NAMES)
    first.kill()
    first.wait(60)
    until(lambda: holder_of(lab.folder / "leases", NAMES) is None, 3)


def test_workers_measure_one_after_another(lab: Lab) -> None:
    needs.module("xdist")
    report = lab.run("-p", "xdist", "-n2", k="server")
    report.result.assert_outcomes(passed=2)
    records = [
        json.loads(p.read_text()) for p in lab.folder.glob("results/*/rec*.json")
    ]
    spans = sorted(
        (
            min(each["launched"] for each in record["harnesses"]),
            max(each["exited"] for each in record["harnesses"]),
        )
        for record in records
    )
    assert spans[0][1] <= spans[1][0]


def test_a_dry_run_needs_no_lease(lab: Lab) -> None:
    lease = taken(lab.folder / "leases")
    lab.run("--dryrun").result.assert_outcomes(skipped=1)
    lease.close()


def test_a_lease_folder_that_cannot_be_used(lab: Lab) -> None:
    report = lab.run("--mig-lease-dir=/proc/leases")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert "The lease /proc/leases/MIG-00000000" in error
    assert "name a folder that all users of the GPU may write to" in error


def start(lab: Lab, *options: str) -> subprocess.Popen[bytes]:
    arguments = lab.arguments("-k", "dlrm_server", *options)
    command = [sys.executable, "-mpytest", *arguments]
    return subprocess.Popen(command, cwd=lab.folder, stdout=subprocess.DEVNULL)
