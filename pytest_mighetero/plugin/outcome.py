"""What a run test comes to: main's verdict, whatever the test makes of it."""

from __future__ import annotations

import pytest
from _pytest.outcomes import Failed as PytestFailed
from _pytest.skipping import xfailed_key


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


def is_excused(raised: BaseException, failure: BaseException) -> bool:
    """Tell whether a test raises what pytest does not count as failed.

    Args:
        raised: what ended the test.
        failure: what ``main.run()`` raised in it; a verdict is for xfail to excuse.
    """
    if isinstance(raised, pytest.xfail.Exception):
        return not _is_verdict(failure)
    from unittest import SkipTest

    return isinstance(raised, (pytest.skip.Exception, SkipTest))


def unexcuse(report: pytest.TestReport, error: BaseException) -> None:
    """Have a *report* fail that xfail excuses, though *error* is no verdict."""
    excused = getattr(report, "wasxfail", None) is not None
    if excused and isinstance(error, Failed) and not _is_verdict(error):
        report.outcome = "failed"
        del report.wasxfail


def excuse_of(item: pytest.Item) -> str | None:
    """Return why xfail excuses a verdict on a test, also a later one; None for not."""
    xfailed = item.stash.get(xfailed_key, None)
    if xfailed is None or item.config.getoption("runxfail"):
        return None
    raises = xfailed.raises  # of pytest 8.4 on, it may match them in another way
    is_kind = isinstance(raises, (type, tuple)) and issubclass(Failed, raises)
    return xfailed.reason if raises is None or is_kind else None


def _is_verdict(error: BaseException) -> bool:
    return isinstance(error, Failed) and error.verdict
