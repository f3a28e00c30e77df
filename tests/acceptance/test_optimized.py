"""python -O and -OO drop asserts and docstrings: nothing may depend on either."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.driver import OUTER, Lab

CHECKOUT = Path(__file__).parents[2]
LEVELS = ("1", "2")
SWALLOWED = """
import pytest

def test_it(background, main):
    with pytest.raises(pytest.fail.Exception): main.run()
"""
FAULTS: dict[str, tuple[dict[str, dict[str, object]], str]] = {
    "INVALID": ({"dlrm": {"validity": "INVALID"}}, "the result is INVALID"),
    "broken": ({"bert": {"into": 0.2}, "dlrm": {"test": 60}}, "The overlap broke"),
    "dead": ({"bert": {"die": ["start", 7]}}, "before its start marker"),
}


@pytest.fixture(params=LEVELS)
def optimized(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in OUTER:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONOPTIMIZE", request.param)
    return str(request.param)


@pytest.mark.usefixtures("optimized")
def test_the_checkout_collects_its_runs() -> None:
    words = ["--collect-only", "-q", "-k", "dlrm_server", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=CHECKOUT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "test_heterogeneous[dlrm_server]" in ran.stdout
    assert "Warning" not in ran.stdout + ran.stderr


def test_a_good_run_is_good(lab: Lab, optimized: str) -> None:
    assert optimized == os.environ["PYTHONOPTIMIZE"]
    report = lab.run_apart()
    report.result.assert_outcomes(passed=1, warnings=1)  # pytest's, of the asserts
    assert report.case.properties["validity"] == "VALID"
    assert report.case.properties["overlap_ok"] == "true"
    assert report.case.properties["environment_withheld"] == "PYTHONOPTIMIZE"


@pytest.mark.usefixtures("optimized")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_run_is_bad(lab: Lab, fault: str) -> None:
    behaviour, text = FAULTS[fault]
    lab.fake(**behaviour)
    report = lab.run_apart()
    assert report.result.ret == 1
    assert text in report.text
    assert "AttributeError" not in report.text


@pytest.mark.usefixtures("optimized")
def test_a_swallowed_verdict_counts(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    lab.pytester.makepyfile(test_run=SWALLOWED)
    report = lab.run_apart()
    report.result.assert_outcomes(failed=1)
    assert "the result is INVALID" in report.text
