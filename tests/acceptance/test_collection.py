"""pytest looks for tests beside the results, and not through all of them."""

from __future__ import annotations

import pytest

from tests.lab.driver import Lab

TEST = "def test_kept():\n    pass\n"


@pytest.mark.parametrize("options", [(), ("--results-dir=kept",)], ids=" ".join)
def test_runs_are_not_searched(lab: Lab, options: tuple[str, ...]) -> None:
    folder = "kept" if options else "results"
    run = lab.folder / folder / "20260722-101500-dlrm_server" / "main"
    run.mkdir(parents=True)
    (run / "test_kept.py").write_text(TEST)
    (lab.folder / folder / ".history-index").touch()
    arguments = ["-k", "test_kept", "-p", "no:cacheprovider", *options]
    done = lab.pytester.runpytest_inprocess(*arguments)
    assert done.parseoutcomes().get("passed", 0) == 0
    named = lab.pytester.runpytest_inprocess(*arguments, str(run))
    named.assert_outcomes(passed=1)
    (lab.folder / folder / "test_more.py").write_text(TEST)
    beside = lab.pytester.runpytest_inprocess(*arguments, "--import-mode=importlib")
    beside.assert_outcomes(passed=2)
