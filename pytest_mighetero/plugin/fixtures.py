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
    from pytest_mighetero.plan.seats import misfit_of
    from pytest_mighetero.terms.printable import printable

    run = _run(request)
    case, pair = run.case, run.case.pair
    with run.in_one_sentence():
        found = case.place.find()
    problems = [
        misfit_of(run.spec, pair, each.devices[0]) or case.place.too_long(each)
        for each in found
    ]
    problem = problems[0] if all(problems) else None
    if problem and pair.benchmark in run.spec.asked:
        pytest.fail(printable(f"{problem}."), pytrace=False)
    elif problem:
        pytest.skip(printable(problem))
    gpus = [gpu for gpu, bad in zip(found, problems, strict=True) if not bad]
    try:
        with run.in_one_sentence():
            gpu, left_out = case.take_gpu(gpus, run.item.nodeid, run.line.announce)
        if left_out:
            run.warn(f"not every background runs: {'; '.join(left_out)}")
        yield gpu
    finally:
        case.place.give_back()


@pytest.fixture
def main(request: pytest.FixtureRequest, mig_gpu: Gpu) -> Iterator[Main]:  # noqa: ARG001 - taken, and seated, by then
    """The measured benchmark of this test; ``main.run()`` runs and judges it.

    A test that asks for it is parametrized over the suite's benchmark/scenario pairs.
    """
    from pytest_mighetero.plan.asked import unknown_flags
    from pytest_mighetero.plugin.execution import execution_of
    from pytest_mighetero.plugin.ownership import stranger

    run, item = _run(request), request.node
    # Now: pytest may leave an interrupted fixture for Python's own end, which can
    # import nothing any more.
    wanted = run.shares_with(execution_of(item).following)
    try:
        with run.in_one_sentence():
            plan = run.case.prepare()
            run.case.write_record(item.nodeid)
        if run.spec.dryrun:
            from pytest_mighetero.plan.script import script
            from pytest_mighetero.terms.printable import printable

            text = printable(script(run.spec, plan))
            item.add_report_section("setup", DRY_RUN, text)
            pytest.skip("dry run: nothing was started")
        for flag, nearest in unknown_flags(run.spec.main_runargs).items():
            near = f" (nearest: --{nearest})" if nearest else ""
            run.warn(
                f"--{flag} is no known flag of a harness's RUN_ARGS{near}; v1.1 and "
                f"later drop what they do not know without a word"
            )
        if found := stranger(item, "background"):
            run.warn(f"main runs alone: background is {found} here")
        yield run.main
    finally:
        run.main.over = True
        with run.in_one_sentence():
            try:
                run.case.close()
            finally:
                run.let_go(wanted=wanted)
        item.add_report_section("teardown", "stdout", run.case.block())


@pytest.fixture
def background(request: pytest.FixtureRequest, main: Main) -> Iterator[BackgroundSet]:  # noqa: ARG001 - prepared by then
    """The backgrounds of this test: ready before it, judged after it."""
    from pytest_mighetero.plugin.execution import execution_of

    run = _run(request)
    with run.in_one_sentence():
        backgrounds = run.case.start_backgrounds()
    yield backgrounds
    if run.main.ran and execution_of(request.node).passed:
        with run.in_one_sentence():
            run.case.finish_backgrounds(run.warn)


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
        execution.run = Run(item, item.callspec.params["main"])
    return execution.run
