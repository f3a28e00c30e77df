"""The fixtures ``main``, ``background`` and ``mig_gpu``: thin, they call the case."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.errors import MigheteroError, RunError, StoppedError
from pytest_mighetero.plugin.outcome import MAIN, Failed
from pytest_mighetero.plugin.settings import run_spec
from pytest_mighetero.terms.printable import printable

if TYPE_CHECKING:
    from pytest_mighetero.devices.gpu import Gpu
    from pytest_mighetero.plugin.console.stateline import StateLine
    from pytest_mighetero.readers.result import Result
    from pytest_mighetero.run.backgrounds.keeper import Keeper
    from pytest_mighetero.run.backgrounds.set import BackgroundSet
    from pytest_mighetero.run.case import Case

DRY_RUN = "mighetero dry run"
CASE: pytest.StashKey[Case] = pytest.StashKey()
STATE: pytest.StashKey[StateLine] = pytest.StashKey()
CALL_PASSED: pytest.StashKey[bool] = pytest.StashKey()
NEXT: pytest.StashKey[pytest.Item | None] = pytest.StashKey()
KEEPER: pytest.StashKey[Keeper] = pytest.StashKey()


class MigheteroWarning(pytest.PytestWarning):
    """Something about a run that is worth knowing and did not fail it."""


class Main:
    """What the ``main`` fixture gives a test: the measured run, not yet started.

    Attributes:
        benchmark: for example ``dlrm``.
        scenario: for example ``server``.
        ran: whether ``run()`` was called.
        over: whether the test is over: it has nothing to judge any more.
        failure: what ``run()`` raised, for a test that swallows it.
    """

    def __init__(self, item: pytest.Item, case: Case):
        self._item, self._case = item, case
        self.benchmark, self.scenario = case.pair.benchmark, case.pair.scenario
        self.ran = self.over = False
        self.failure: BaseException | None = None
        self._thread = threading.get_ident()

    def run(self) -> Result | None:
        """Measure main once and fail the test unless result and overlap hold.

        Returns:
            LoadGen's result, VALID; None for an audit, whose verdict is in its files.
        """
        __tracebackhide__ = True
        if self.over:
            raise Failed(
                f"main.run() was called after {self._item.nodeid}, whose main it is, "
                f"was over. Call it in the test, and keep what it returns."
            )
        if self.ran:
            raise Failed(
                "main.run() was called twice in one test. Keep what the first returns."
            )
        try:
            self._check_thread()
            self.ran = True
            with _in_one_sentence(self._item):
                return self._case.measure(lambda text: _warn(self._item, text))
        except BaseException as failure:
            self.failure = failure
            raise

    def _check_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise Failed(
                "main.run() was called in another thread, which no signal and no "
                "timeout reaches. Call it in the test's own, and do in threads what "
                "is to happen meanwhile."
            )


@pytest.fixture
def mig_gpu(request: pytest.FixtureRequest) -> Iterator[Gpu]:
    """The GPU whose MIG devices the run uses, its own until the test is over."""
    from pytest_mighetero.plan.seats import misfit_of

    case = _case(request)
    item, config, pair = request.node, case.config, case.pair
    with _in_one_sentence(item):
        found = case.place.find()
    problems = [
        misfit_of(config, pair, each.devices[0]) or case.place.too_long(each)
        for each in found
    ]
    problem = problems[0] if all(problems) else None
    if problem and pair.benchmark in config.asked:
        pytest.fail(printable(f"{problem}."), pytrace=False)
    elif problem:
        pytest.skip(printable(problem))
    gpus = [gpu for gpu, bad in zip(found, problems, strict=True) if not bad]
    try:
        with _in_one_sentence(item):
            announce = item.stash[STATE].announce
            gpu, left_out = case.take_gpu(gpus, item.nodeid, announce)
        if left_out:
            _warn(item, f"not every background runs: {'; '.join(left_out)}")
        yield gpu
    finally:
        case.place.give_back()


@pytest.fixture
def main(request: pytest.FixtureRequest, mig_gpu: Gpu) -> Iterator[Main]:  # noqa: ARG001 - taken, and seated, by then
    """The measured benchmark of this test; ``main.run()`` runs and judges it.

    A test that asks for it is parametrized over the suite's benchmark/scenario pairs.
    """
    from pytest_mighetero.plan.asked import unknown_flags
    from pytest_mighetero.plugin.ownership import stranger

    case, item = _case(request), request.node
    handle = item.stash[MAIN] = Main(item, case)
    # Now: pytest may leave an interrupted fixture for Python's own end, which can
    # import nothing any more.
    wanted = _next_wants_the_same(item, case)
    try:
        with _in_one_sentence(item):
            plan = case.prepare()
            case.write_record(item.nodeid)
        if case.config.dryrun:
            from pytest_mighetero.plan.script import script

            text = printable(script(case.config, plan))
            item.add_report_section("setup", DRY_RUN, text)
            pytest.skip("dry run: nothing was started")
        for flag, nearest in unknown_flags(case.config.main_runargs).items():
            _warn(item, _unknown(flag, nearest))
        if found := stranger(item, "background"):
            _warn(item, f"main runs alone: background is {found} here")
        yield handle
    finally:
        handle.over = True
        with _in_one_sentence(item):
            try:
                case.close()
            finally:
                _let_go(item, case, wanted=wanted)
        item.add_report_section("teardown", "stdout", case.block())


@pytest.fixture
def background(request: pytest.FixtureRequest, main: Main) -> Iterator[BackgroundSet]:  # noqa: ARG001 - prepared by then
    """The backgrounds of this test: ready before it, judged after it."""
    case, item = _case(request), request.node
    handle = item.stash[MAIN]
    with _in_one_sentence(item):
        backgrounds = case.start_backgrounds()
    yield backgrounds
    if handle.ran and item.stash.get(CALL_PASSED, False):
        with _in_one_sentence(item):
            case.finish_backgrounds(lambda text: _warn(item, text))


def _unknown(flag: str, nearest: str | None) -> str:
    near = f" (nearest: --{nearest})" if nearest else ""
    return (
        f"--{flag} is no known flag of a harness's RUN_ARGS{near}; v1.1 and later drop "
        f"what they do not know without a word"
    )


def _case(request: pytest.FixtureRequest) -> Case:
    from pytest_mighetero.plugin.ownership import beside, refusal

    item = request.node
    if (problem := refusal(item, str(request.fixturename))) is not None:
        raise Failed(problem)
    if CASE not in item.stash:
        from pytest_mighetero.plugin.console.stateline import StateLine
        from pytest_mighetero.plugin.selection.order import upcoming
        from pytest_mighetero.run.case import Case

        item.stash[STATE] = StateLine(request.config, item.callspec.id)
        item.stash[CASE] = Case(
            run_spec(request.config),
            item.callspec.params["main"],
            alone=not beside(item),
            publish=lambda name, value: _publish(item, name, value),
            tick=item.stash[STATE],
            keeper=_keeper(request.config),
        )
        item.stash[CASE].upcoming = upcoming(item.stash[CASE].config, item)
    case: Case = item.stash[CASE]
    return case


def _keeper(config: pytest.Config) -> Keeper:
    from pytest_mighetero.run.backgrounds.keeper import Keeper

    if KEEPER not in config.stash:
        worker: dict[str, str] = getattr(config, "workerinput", {})
        session = worker.get("testrunuid") or uuid.uuid4().hex
        config.stash[KEEPER] = Keeper(session)
    return config.stash[KEEPER]


def _next_wants_the_same(item: pytest.Item, case: Case) -> bool:
    """Tell whether the next test asks for the same backgrounds."""
    from pytest_mighetero.plugin.selection.order import set_of

    following = item.stash.get(NEXT, None)
    mine = set_of(case.config, item)
    return following is not None and set_of(case.config, following) == mine


def _let_go(item: pytest.Item, case: Case, *, wanted: bool) -> None:
    """End the backgrounds that are up, unless they are *wanted* and a test follows."""
    keeper = item.config.stash[KEEPER]
    if item.session.shouldfail or item.session.shouldstop:
        wanted = False
    if keeper.kept is not None and not wanted:
        keeper.end()
        if case.attempt is not None:
            case.learn(**case.attempt.exit_facts())


def _publish(item: pytest.Item, name: str, value: str | None) -> None:
    """Set or drop a junit property; readers disagree on a name that is given twice."""
    if not item.config.getini("mig_junit_properties"):
        return
    properties = item.user_properties
    properties[:] = [each for each in properties if each[0] != name]
    if value is not None:
        properties.append((name, value))


@contextmanager
def _in_one_sentence(item: pytest.Item) -> Iterator[None]:
    """Report errors by their message alone: a traceback of ours says nothing more."""
    __tracebackhide__ = True
    try:
        yield
    except MigheteroError as error:
        text = run_spec(item.config).secrets.mask(str(error))
        verdict = isinstance(error, RunError) and not isinstance(error, StoppedError)
        raise Failed(text, verdict=verdict) from None
    except pytest.fail.Exception as timeout:  # pytest-timeout's, by its signal method
        what = str(timeout.msg).rstrip(".")
        text = f"{what} while {item.stash[STATE].doing}; every harness is stopped."
        raise Failed(text) from None


def _warn(item: pytest.Item, text: str) -> None:
    shown = run_spec(item.config).secrets.mask(text)
    item.warn(MigheteroWarning(printable(f"{item.name}: {shown}")))
