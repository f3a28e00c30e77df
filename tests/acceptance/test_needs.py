"""A test that lacks what it needs is skipped, but fails in CI, which has it."""

from __future__ import annotations

import pytest

from tests.lab import needs

ASKS = """
from tests.lab import needs

def test_program():
    needs.programs("sh", "no-such-program", of="a package")

def test_module():
    needs.module("no_such_module")

def test_all_there():
    needs.programs("sh", of="dash")
    assert needs.imported("pytest").skip
"""
WHOLE = """
from tests.lab import needs

needs.imported("no_such_module")
"""


@pytest.mark.parametrize("ci", [False, True])
def test_what_lacks_is_a_failure_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *, ci: bool
) -> None:
    monkeypatch.setattr(needs, "IN_CI", ci)
    pytester.makepyfile(test_asks=ASKS, test_whole=WHOLE)
    options = ("-rs", "--continue-on-collection-errors", "-p", "no:cacheprovider")
    result = pytester.runpytest_inprocess(*options)
    if ci:
        result.assert_outcomes(passed=1, failed=2, errors=1)
    else:
        result.assert_outcomes(passed=1, skipped=3)
    said = ["*needs no-such-program on PATH (a package)*", "*needs the module no_such*"]
    result.stdout.fnmatch_lines_random(said)
