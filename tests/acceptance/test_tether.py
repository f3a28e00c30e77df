"""An xdist worker whose controller is interrupted alone."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.harness.cell import Run
from tests.harness.ending import CHATTY, XDIST, Ending, Fault
from tests.lab.forked import Pytests


@pytest.mark.parametrize(
    "more", [(), ("-p", "repeat", "--count=2")], ids=["once", "repeated"]
)
def test_a_worker_is_interrupted_with_its_controller(
    tmp_path: Path, load: Path, pytests: Pytests, more: tuple[str, ...]
) -> None:
    pytest.importorskip("xdist")
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
