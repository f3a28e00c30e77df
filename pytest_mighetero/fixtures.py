"""The fixtures ``main``, ``background`` and ``mig_gpu``: thin, they call the case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.errors import MigheteroError

if TYPE_CHECKING:
    from pytest_mighetero.background import BackgroundSet
    from pytest_mighetero.case import Case
    from pytest_mighetero.devices import Gpu
    from pytest_mighetero.loadgen import LoadGenResult
    from pytest_mighetero.stateline import StateLine

DRY_RUN = "mighetero dry run"
CASE: pytest.StashKey[Case] = pytest.StashKey()
STATE: pytest.StashKey[StateLine] = pytest.StashKey()
CALL_PASSED: pytest.StashKey[bool] = pytest.StashKey()


class MigheteroWarning(pytest.PytestWarning):
    """Something about a run that is worth knowing and did not fail it."""


class Main:
    """What the ``main`` fixture gives a test: the measured run, not yet started.

    Attributes:
        benchmark: for example ``dlrm``.
        scenario: for example ``server``.
    """

    def __init__(self, item: pytest.Item, case: Case):
        self._item, self._case = item, case
        self.benchmark, self.scenario = case.pair.benchmark, case.pair.scenario
        self.ran = False

    def run(self) -> LoadGenResult | None:
        """Measure main once and fail the test unless result and overlap hold.

        Returns:
            LoadGen's result, VALID; None for an audit, whose verdict is in its files.
        """
        __tracebackhide__ = True
        if self.ran:
            pytest.fail("main.run() was called twice in one test.", pytrace=False)
        self.ran = True
        with _in_one_sentence(self._item):
            return self._case.measure(lambda text: _warn(self._item, text))


@pytest.fixture
def mig_gpu(request: pytest.FixtureRequest) -> Iterator[Gpu]:
    """The GPU whose MIG devices the run uses, its own until the test is over."""
    from pytest_mighetero.leasing import lease_gpu
    from pytest_mighetero.seating import misfit_of, seat_backgrounds

    case = _case(request)
    item = request.node
    with _in_one_sentence(item):
        found = case.find_gpus()
    problems = [misfit_of(case.config, case.pair, each.devices[0]) for each in found]
    problem = problems[0] if all(problems) else None
    if problem and case.pair.benchmark in case.config.asked:
        pytest.fail(f"{problem}.", pytrace=False)
    elif problem:
        pytest.skip(problem)
    gpus = [gpu for gpu, bad in zip(found, problems, strict=True) if not bad]
    with _in_one_sentence(item):
        gpu = gpus[0]
        if not case.config.dryrun:
            announce = item.stash[STATE].announce
            gpu, case.lease = lease_gpu(case.config, gpus, item.nodeid, announce)
    try:
        left_out: tuple[str, ...] = ()
        if not case.alone:
            with _in_one_sentence(item):
                left_out = seat_backgrounds(case.config, case.pair, gpu).left_out
        if left_out:
            case.learn(backgrounds_left_out="; ".join(left_out))
            _warn(item, f"not every background runs: {'; '.join(left_out)}")
        yield gpu
    finally:
        if case.lease is not None:
            case.lease.close()


@pytest.fixture
def main(request: pytest.FixtureRequest, mig_gpu: Gpu) -> Iterator[Main]:
    """The measured benchmark of this test; ``main.run()`` runs and judges it.

    A test that asks for it is parametrized over the suite's benchmark/scenario pairs.
    """
    case, item = _case(request), request.node
    handle = Main(item, case)
    try:
        with _in_one_sentence(item):
            plan = case.prepare(mig_gpu)
            case.write_record(item.nodeid)
        if case.config.dryrun:
            item.add_report_section("setup", DRY_RUN, plan.script())
            pytest.skip("dry run: nothing was started")
        yield handle
    finally:
        with _in_one_sentence(item):
            case.close()
        item.add_report_section("teardown", "stdout", case.block())
    if not handle.ran and item.stash.get(CALL_PASSED, False):
        pytest.fail(
            "The test passed without main.run(): nothing was measured.", pytrace=False
        )


@pytest.fixture
def background(request: pytest.FixtureRequest, main: Main) -> Iterator[BackgroundSet]:
    """The backgrounds of this test: ready before it, judged after it."""
    case, item = _case(request), request.node
    with _in_one_sentence(item):
        backgrounds = case.start_backgrounds()
    yield backgrounds
    if main.ran and item.stash.get(CALL_PASSED, False):
        with _in_one_sentence(item):
            case.finish_backgrounds(lambda text: _warn(item, text))


def _case(request: pytest.FixtureRequest) -> Case:
    item = request.node
    if CASE not in item.stash:
        from pytest_mighetero.case import Case
        from pytest_mighetero.settings import run_config
        from pytest_mighetero.stateline import StateLine

        item.stash[STATE] = StateLine(request.config, item.callspec.id)
        item.stash[CASE] = Case(
            run_config(request.config),
            item.callspec.params["main"],
            alone="background" not in request.fixturenames,
            publish=lambda name, value: _publish(item, name, value),
            tick=item.stash[STATE],
        )
    case: Case = item.stash[CASE]
    return case


def _publish(item: pytest.Item, name: str, value: str) -> None:
    """Set a junit property; readers disagree on a name that is given twice."""
    if not item.config.getini("mig_junit_properties"):
        return
    properties = item.user_properties
    properties[:] = [each for each in properties if each[0] != name]
    properties.append((name, value))


@contextmanager
def _in_one_sentence(item: pytest.Item) -> Iterator[None]:
    """Report errors by their message alone: a traceback of ours says nothing more."""
    __tracebackhide__ = True
    try:
        yield
    except MigheteroError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    except pytest.fail.Exception as timeout:  # pytest-timeout's, by its signal method
        what = str(timeout.msg).rstrip(".")
        text = f"{what} while {item.stash[STATE].doing}; every harness is stopped."
        raise pytest.fail.Exception(text, pytrace=False) from None


def _warn(item: pytest.Item, text: str) -> None:
    item.warn(MigheteroWarning(f"{item.name}: {text}"))
