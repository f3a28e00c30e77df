"""Whatever harnesses do and however a run ends: what is seen, and what is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.cell import Outcome, log_gaps, run_cell
from tests.harness.ending import Ending, Fault
from tests.harness.matrix import CELLS, TREES, id_of
from tests.lab.forked import Pytests

AT_ONCE = 3  # cells mostly wait
FRESH = TREES[:1]  # every ending is seen in a pytest that nothing forked, too

pytestmark = pytest.mark.slow
Cell = tuple[Fault, Ending]


@pytest.fixture(scope="session")
def outcome_of(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    load: Path,
    pytests: Pytests,
) -> Iterator[Callable[[Cell], Outcome]]:
    """Run the session's cells, several at a time, ahead of their tests."""
    pool = ThreadPoolExecutor(AT_ONCE)
    futures: dict[str, Future[Outcome]] = {}

    def start(cell: Cell) -> Future[Outcome]:
        name = id_of(*cell)
        if name not in futures:
            folder = tmp_path_factory.mktemp(name)
            by = None if cell[0] in FRESH else pytests
            futures[name] = pool.submit(run_cell, folder, load, *cell, by)
        return futures[name]

    if "PYTEST_XDIST_WORKER" not in os.environ:  # which runs only some of its items
        for item in request.session.items:
            callspec = getattr(item, "callspec", None)
            cell = callspec and callspec.params.get("cell")
            if cell in CELLS:
                start(cell)
    yield lambda cell: start(cell).result()
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("cell", CELLS, ids=[id_of(*cell) for cell in CELLS])
def test_cell(
    cell: Cell,
    outcome_of: Callable[[Cell], Outcome],
    request: pytest.FixtureRequest,
) -> None:
    ending, outcome = cell[1], outcome_of(cell)
    request.node.user_properties.append(("gone_s", f"{outcome.gone_s or 9:.2f}"))
    assert outcome.left == ()
    assert outcome.leased == ()
    assert "ignored in" not in outcome.terminal  # by Python, in its last moments
    assert outcome.code == ending.code, outcome.terminal
    if ending.phase is None:
        assert ending.says in outcome.terminal
        assert not (outcome.folder / "report.xml").exists()
    elif ending.code == 0:
        assert outcome.case.problems == {}
    else:
        (problem,) = outcome.case.problems.items()
        assert (problem[0], ending.says in problem[1]) == (tag(ending.phase), True), (
            problem
        )
        if ending.phase != "call":
            assert f"failed on {ending.phase} with" in problem[1]
    if (outcome.folder / "results").exists():
        assert tuple(outcome.record["phases"]) == ending.recorded
        assert log_gaps(outcome, complete=ending.whole_log) == []


def tag(phase: str) -> str:
    return "failure" if phase == "call" else "error"
