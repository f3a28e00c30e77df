"""The fixtures ``main``, ``background`` and ``mig_gpu``: thin, they call the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_mighetero.devices.gpu import Gpu
    from pytest_mighetero.plugin.handle import Main
    from pytest_mighetero.run.backgrounds.set import BackgroundSet

DRY_RUN = "mighetero dry run"


class MigheteroWarning(pytest.PytestWarning):
    """Something about a run that is worth knowing and did not fail it."""


@pytest.fixture
def mig_gpu(request: pytest.FixtureRequest) -> Iterator[Gpu]:
    """The GPU whose MIG devices the run uses, its own until the test is over."""
    from pytest_mighetero.plugin.handle import run_of

    run = run_of(request)
    run.placement = placement = run.take()
    try:
        if placement.left_out:
            run.warn(f"not every background runs: {'; '.join(placement.left_out)}")
        yield placement.gpu
    finally:
        run.case.give_back(placement)


@pytest.fixture
def main(request: pytest.FixtureRequest, mig_gpu: Gpu) -> Iterator[Main]:  # noqa: ARG001 - taken, and seated, by then
    """The measured benchmark of this test; ``main.run()`` runs and judges it.

    A test that asks for it is parametrized over the suite's benchmark/scenario pairs.
    """
    from pytest_mighetero.plugin.handle import run_of

    run = run_of(request)
    # Now: pytest may leave an interrupted fixture for Python's own end, which can
    # import nothing any more.
    wanted = run.shares_backgrounds()
    try:
        if run.spec.dryrun:
            run.item.add_report_section("setup", DRY_RUN, run.script())
            pytest.skip("dry run: nothing was started")
        yield run.prepare()
    finally:
        run.close(wanted=wanted)


@pytest.fixture
def background(request: pytest.FixtureRequest, main: Main) -> Iterator[BackgroundSet]:  # noqa: ARG001 - what overrides ours may be anything
    """The backgrounds of this test: ready before it, judged after it."""
    from pytest_mighetero.plugin.handle import run_of

    measured = run_of(request).main
    yield measured.start_backgrounds()
    measured.outlast()
