"""What a run test comes to: main's verdict, whatever the test makes of it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Failed as PytestFailed

if TYPE_CHECKING:
    from pytest_mighetero.fixtures import Main

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
    try:
        returned = yield
    except BaseException as raised:
        failure = _owed(item, raised)
        if failure is None:
            raise
        raise failure from None
    if (failure := _owed(item, None)) is not None:
        raise failure from None
    return returned


def _owed(item: pytest.Item, raised: BaseException | None) -> BaseException | None:
    """End the use of main; return how it failed where that is not said by *raised*."""
    main = item.stash.get(MAIN, None)
    if main is None:
        return None
    main.over = True
    if raised is None and main.failure is None and not main.ran:
        return Failed(
            "The test passed without main.run(): nothing was measured. Call it in the "
            "test, or leave main out."
        )
    expected = isinstance(raised, pytest.xfail.Exception) and main.failed_by_verdict
    said = raised is not None and not isinstance(raised, _excuses())
    return None if expected or said else main.failure


def _excuses() -> tuple[type[BaseException], ...]:
    """Return what ends a test that pytest does not count as failed."""
    unittest = sys.modules.get("unittest")
    skips = () if unittest is None else (unittest.SkipTest,)
    return (pytest.skip.Exception, pytest.xfail.Exception, *skips)


def unexcuse(report: pytest.TestReport, error: BaseException | None) -> None:
    """Have a *report* fail that xfail excuses, though *error* is no verdict."""
    excused = getattr(report, "wasxfail", None) is not None
    if excused and isinstance(error, Failed) and not error.verdict:
        report.outcome = "failed"
        del report.wasxfail
