"""A run warns of nothing, and a pytest run that is none of ours pays for nothing."""

from __future__ import annotations

import sys

import pytest

from tests.lab import needs
from tests.lab.driver import Lab

UNUSED = {"pexpect", "pynvml", "numpy", "mlperf_loadgen"}


@pytest.mark.parametrize("xdist", [[], ["-p", "xdist", "-n1"]], ids=["alone", "xdist"])
@pytest.mark.parametrize(("validity", "outcome"), [("VALID", "passed"), ("", "failed")])
def test_no_warning_even_as_an_error(
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    xdist: list[str],
    validity: str,
    outcome: str,
) -> None:
    if xdist:
        needs.module("xdist")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    lab.fake(dlrm={"validity": validity})
    report = lab.run_apart("-W", "error", *xdist)
    report.result.assert_outcomes(**{outcome: 1})
    assert "Warning" not in report.text


def test_an_unrelated_run_imports_nothing_for_us(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        import sys

        def test_nothing():
            print(*sys.modules)
        """
    )
    result = lab.pytester.run(sys.executable, "-mpytest", "-s", "-p", "no:xdist")
    result.assert_outcomes(passed=1)
    (modules,) = (
        line for line in result.outlines if "pytest_mighetero.plugin.fixtures" in line
    )
    assert not UNUSED & set(modules.split())
    ours = {name for name in modules.split() if name.startswith("pytest_mighetero.")}
    always = {"plugin", "plugin.fixtures", "plugin.presence", "terms", "terms.scenario"}
    always |= {"spec", "spec.declaration", "spec.markers", "spec.options"}
    groups = ("background", "kinds", "length", "main", "output", "place", "target")
    always |= {f"spec.options.{name}" for name in (*groups, "verdict")}
    assert ours == {f"pytest_mighetero.{name}" for name in always}
