"""An xdist worker whose controller is interrupted alone."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.harness.cell import Run
from tests.harness.ending import CHATTY, XDIST, Ending, Fault
from tests.lab import needs
from tests.lab.driver import Files, Lab
from tests.lab.forked import Pytests
from tests.lab.processes import in_the_run, until


@pytest.mark.parametrize(
    "more", [(), ("-p", "repeat", "--count=2")], ids=["once", "repeated"]
)
def test_a_worker_is_interrupted_with_its_controller(
    tmp_path: Path, load: Path, pytests: Pytests, more: tuple[str, ...]
) -> None:
    needs.module("xdist")
    ending = Ending("", 2, "teardown", "", (), options=(*XDIST, *more))
    run = Run(tmp_path, load, Fault("", CHATTY), ending, pytests)
    try:
        run.wait("call")
        run.send(signal.SIGTERM)
        outcome = run.finish()
    finally:
        run.process.kill()
    (problem,) = outcome.case.problems.values()
    assert "Interrupted by SIGTERM in an xdist worker" in problem
    said = "Interrupted by the xdist controller while main runs"
    assert said in outcome.record["phases"]["teardown"]["text"]
    assert (outcome.left, outcome.leased) == ((), ())


def test_a_controller_that_nobody_told_of_runs_is_interrupted(
    lab: Lab, pytests: Pytests
) -> None:
    needs.module("xdist")
    lab.fake(**{"*": {"test": 300}})
    arguments = lab.unsaid("-n1", "-k", "dlrm_server", mig_stop_grace="300ms")
    with (lab.folder / "terminal.txt").open("w") as terminal:
        process = pytests.start(arguments, lab.folder, terminal, environment=os.environ)
        until(lambda: any(lab.folder.glob("results/*/main/logs/fake_system")))
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == pytest.ExitCode.INTERRUPTED
    (problem,) = Files(lab.folder).case.problems.values()
    assert "Interrupted by SIGTERM in an xdist worker" in problem
    until(lambda: not in_the_run(lab.folder), 6)
