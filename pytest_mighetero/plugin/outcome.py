"""What a run test comes to: main's verdict, whatever the test makes of it."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Failed as PytestFailed

if TYPE_CHECKING:
    from pytest_mighetero.plugin.fixtures import Main

MAIN: pytest.StashKey[Main] = pytest.StashKey()


class Failed(PytestFailed):
    """What ``pytest.fail`` raises, in one sentence; no traceback says more.

    Attributes:
        verdict: whether it is one on a run that was measured. ``xfail`` excuses no
            other: a test that could not measure has not failed as expected.
    """

    __module__ = "builtins"  # pytest prints where a name is from, but for its own

    def __init__(self, text: str, *, verdict: bool = False):
        super().__init__(text, pytrace=False)
        self.verdict = verdict


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that swallows what main came to, or passes without measuring."""
    main = item.stash.get(MAIN, None)
    if main is None:
        return (yield)
    with told(item):
        try:
            returned = yield
        finally:
            main.over = True
        if main.failure is not None:
            raise main.failure from None
        if not main.ran:
            raise Failed(
                "The test passed without main.run(): nothing was measured. Call it in "
                "the test, or leave main out."
            )
        return returned


@contextmanager
def told(item: pytest.Item) -> Iterator[None]:
    """Raise what main.run() raised where a test says instead that it is excused."""
    __tracebackhide__ = True
    try:
        yield
    except BaseException as raised:
        main = item.stash.get(MAIN, None)
        failure = None if main is None else main.failure
        if failure is None or not isinstance(raised, _excuses()):
            raise
        if isinstance(raised, pytest.xfail.Exception) and _is_verdict(failure):
            raise
        raise failure from None


def _excuses() -> tuple[type[BaseException], ...]:
    """Return what ends a test that pytest does not count as failed."""
    unittest = sys.modules.get("unittest")
    skips = () if unittest is None else (unittest.SkipTest,)
    return (pytest.skip.Exception, pytest.xfail.Exception, *skips)


def unexcuse(report: pytest.TestReport, error: BaseException | None) -> None:
    """Have a *report* fail that xfail excuses, though *error* is no verdict."""
    excused = getattr(report, "wasxfail", None) is not None
    if excused and isinstance(error, Failed) and not _is_verdict(error):
        report.outcome = "failed"
        del report.wasxfail


def _is_verdict(error: BaseException) -> bool:
    return isinstance(error, Failed) and error.verdict
