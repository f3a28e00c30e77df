"""What is run and reported after a worker in a Slurm step is lost, and what is not."""

from __future__ import annotations

import re

import pytest

from tests.lab.processes import until
from tests.lab.slurm.cluster import Cluster
from tests.lab.slurm.eight import Eight

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
RERUN = """
import os
import signal
from pathlib import Path

def test_it(pytestconfig):
    host, port = pytestconfig.failures_db.sock.getpeername()
    assert port != int(Path("port").read_text())
    if not Path("once").exists():
        Path("once").touch()
        pytestconfig.failures_db.get_suite_reruns()  # so that what it sent has come
        os.kill(os.getpid(), signal.SIGKILL)
    if not Path("twice").exists():
        Path("twice").touch()
        assert False
"""
PORT = """
from pathlib import Path

import pytest

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        Path("port").write_text(str(config.failures_db.sock_port))
"""
OTHERS = """
import os
import signal

def pytest_collection_modifyitems(items):
    if os.environ.get("PYTEST_XDIST_WORKER") != "gw0":
        items.reverse()

def pytest_runtest_call():
    os.kill(os.getpid(), signal.SIGKILL)
"""
NONE = """
import os
import signal

def pytest_collection():
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (("-k0",), pytest.ExitCode.TESTS_FAILED, "no test is left for one"),
        (("-x",), pytest.ExitCode.INTERRUPTED, "stopping after 1 failures"),
    ],
)
def test_no_job_is_asked_for_that_nothing_needs(
    eight: Eight, slurm: Cluster, options: tuple[str, ...], code: int, why: str
) -> None:
    running = eight.start("-n1", "--mig-slurm=--gres=gpu:1", *options)
    until(lambda: len(eight.under_way) == 1)
    slurm.ask("scancel", *slurm.jobs())
    assert running.wait(60) == code
    (lost,) = eight.files.junit
    assert "Lost with its worker in " in lost.problems["error"]
    assert f"no worker instead of gw0: {why}" in eight.out.read_text()


def test_a_lost_test_is_not_run_again_with_the_rest_of_its_file(
    eight: Eight, slurm: Cluster
) -> None:
    running = eight.start("-n1", "--mig-slurm=--gres=gpu:1", "--dist=loadfile")
    until(lambda: len(eight.under_way) == 1)
    slurm.ask("scancel", *slurm.jobs())
    until(lambda: "is lost: " in eight.out.read_text())
    eight.go()
    assert running.wait(60) == 1, eight.out.read_text()
    cases = eight.files.junit
    assert sorted(case.name for case in cases) == [f"test_it[{i}]" for i in range(8)]
    assert [case.name for case in cases if case.problems] == ["test_it[0]"]


def test_reruns_are_counted_through_srun_and_no_port(eight: Eight) -> None:
    eight.lab.pytester.makepyfile(test_eight=RERUN)
    eight.lab.pytester.makeconftest(PORT)
    options = ("-n1", "--mig-slurm=--gres=gpu:1", "-prerunfailures", "--reruns=2")
    report = eight.lab.apart(*eight.arguments(*options))
    assert report.result.ret == 0, report.text
    assert " 1 passed, 2 rerun in " in report.text
    lost, *_, passed = report.junit
    assert passed.problems == {}
    assert "executed again" in lost.problems["skipped"]
    assert "Lost with its worker in " in lost.problems["skipped"]


def test_a_worker_that_finds_other_tests_runs_none(eight: Eight) -> None:
    eight.lab.pytester.makeconftest(OTHERS)
    report = eight.lab.apart(*eight.arguments("-n1", "--mig-slurm=--gres=gpu:1"))
    assert report.result.ret == 1, report.text
    said = [(case.name, case.problems["error"]) for case in report.junit]
    assert [name for name, _ in said] == [f"test_it[{i}]" for i in range(8)]
    assert "Lost with its worker in " in said[0][1]
    for _, why in said[1:]:
        assert "worker gw1 found other tests than those before it" in why


def test_a_worker_that_is_lost_before_there_are_tests_is_an_error(eight: Eight) -> None:
    eight.lab.pytester.makeconftest(NONE)
    options = ("-n1", "--mig-slurm=--gres=gpu:1", "--max-worker-restart=0")
    report = eight.lab.apart(*eight.arguments(*options))
    assert report.result.ret == 1, report.text
    why = "Lost before it had told which tests there are: in job [0-9]+ on n[12]: its "
    assert re.search(why, report.case.problems["error"])
    assert "asks for main" not in report.text
