"""The fixtures ``main``, ``background`` and ``mig_gpu``: thin, they call the case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_mighetero.devices.gpu import Gpu
    from pytest_mighetero.plugin.handle import Main, Run
    from pytest_mighetero.run.backgrounds.set import BackgroundSet

DRY_RUN = "mighetero dry run"


class MigheteroWarning(pytest.PytestWarning):
    """Something about a run that is worth knowing and did not fail it."""


@pytest.fixture
def mig_gpu(request: pytest.FixtureRequest) -> Iterator[Gpu]:
    """The GPU whose MIG devices the run uses, its own until the test is over."""
    from pytest_mighetero.terms.printable import printable

    run = _run(request)
    case = run.case
    with run.in_one_sentence():
        found = case.candidates()
    if found.problem and case.pair.benchmark in run.spec.asked:
        pytest.fail(printable(f"{found.problem}."), pytrace=False)
    elif found.problem:
        pytest.skip(printable(found.problem))
    with run.in_one_sentence():
        run.placement = placement = case.take(found.gpus)
    try:
        if placement.left_out:
            run.warn(f"not every background runs: {'; '.join(placement.left_out)}")
        yield placement.gpu
    finally:
        case.give_back(placement)


@pytest.fixture
def main(request: pytest.FixtureRequest, mig_gpu: Gpu) -> Iterator[Main]:  # noqa: ARG001 - taken, and seated, by then
    """The measured benchmark of this test; ``main.run()`` runs and judges it.

    A test that asks for it is parametrized over the suite's benchmark/scenario pairs.
    """
    from pytest_mighetero.plan.asked import unknown_flags
    from pytest_mighetero.plugin.execution import execution_of
    from pytest_mighetero.plugin.handle import Main
    from pytest_mighetero.plugin.ownership import stranger

    run, item = _run(request), request.node
    # Now: pytest may leave an interrupted fixture for Python's own end, which can
    # import nothing any more.
    wanted = run.shares_with(execution_of(item).following)
    try:
        if run.spec.dryrun:
            from pytest_mighetero.plan.script import script
            from pytest_mighetero.terms.printable import printable

            with run.in_one_sentence():
                plan = run.case.plan(run.placement)
            text = printable(script(run.spec, plan))
            item.add_report_section("setup", DRY_RUN, text)
            pytest.skip("dry run: nothing was started")
        with run.in_one_sentence():
            run.main = handle = Main(run, *run.case.prepare(run.placement))
            run.case.write_record()
        for flag, nearest in unknown_flags(run.spec.main_runargs).items():
            near = f" (nearest: --{nearest})" if nearest else ""
            run.warn(
                f"--{flag} is no known flag of a harness's RUN_ARGS{near}; v1.1 and "
                f"later drop what they do not know without a word"
            )
        if found := stranger(item, "background"):
            run.warn(f"main runs alone: background is {found} here")
        yield handle
    finally:
        if run.main is not None:
            run.main.over = True
        with run.in_one_sentence():
            try:
                run.case.close()
            finally:
                run.let_go(wanted=wanted)
        item.add_report_section("teardown", "stdout", run.block)


@pytest.fixture
def background(request: pytest.FixtureRequest, main: Main) -> Iterator[BackgroundSet]:
    """The backgrounds of this test: ready before it, judged after it."""
    from pytest_mighetero.plugin.execution import execution_of

    ours = _run(request).main or main  # a fixture of the test's may have wrapped it
    yield ours.start_backgrounds()
    if execution_of(request.node).passed:
        ours.outlast()


def _run(request: pytest.FixtureRequest) -> Run:
    from pytest_mighetero.plugin.execution import execution_of
    from pytest_mighetero.plugin.handle import Run
    from pytest_mighetero.plugin.outcome import Failed
    from pytest_mighetero.plugin.ownership import refusal

    item = request.node
    if (problem := refusal(item, str(request.fixturename))) is not None:
        raise Failed(problem)
    execution = execution_of(item)
    if execution.run is None:
        execution.run = Run(item)
    return execution.run
