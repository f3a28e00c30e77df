"""A scenario is one object: a new one is one entry in one file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import pytest_mighetero
from pytest_mighetero.terms.scenario import SCENARIOS, is_of_another, scenario_of
from tests.lab.driver import FAKE, Lab, Report

_NEW = """\
SCENARIOS["interactive"] = Scenario(
    *("interactive", "Interactive", "rate", "interactive_", "interactive_target_qps"),
    bounded=True,
    keeps_count=True,
)
"""
_SUITE = """
extends = "fake.toml"

[benchmarks.bert]
scenarios = ["offline", "interactive"]

[query_counts]
interactive = 1
"""


@pytest.fixture
def newer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A plugin to which nothing but that entry was added."""
    package = Path(pytest_mighetero.__file__).parent
    copy = lab.folder / "newer" / "pytest_mighetero"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("cpu", "__pycache__"))
    file = copy / "terms" / "scenario.py"
    before, logged, after = file.read_text().partition("_LOGGED = ")
    file.write_text(f"{before}{_NEW}{logged}{after}")
    monkeypatch.setenv("PYTHONPATH", str(copy.parent))
    shutil.copy(FAKE / "fake.toml", lab.folder)
    suite = lab.folder / "site.toml"
    suite.write_text(_SUITE)
    lab.suite = str(suite)
    return lab


def _run(lab: Lab, *options: str, p99: float) -> Report:
    target = {"requested_interactive_target_qps": 100, "effective_target_qps": 100}
    rate = {"result_completed_samples_per_sec": 95.5}
    lab.fake(bert={"p99": p99, "ran_with": target, "logged": rate})
    told = "--main-benchmark-runargs=--interactive_target_qps=100"
    words = lab.arguments("--main-scenario=all", "-k", "interactive", told, *options)
    return Report(lab.folder, lab.pytester.run(sys.executable, "-mpytest", *words))


def test_a_new_one_runs_and_is_judged_by_its_latency(newer: Lab) -> None:
    first = _run(newer, p99=14)
    assert first.result.ret == 0, first.text
    said = first.case.properties
    assert said["scenario"] == "interactive"
    assert said["metric"] == "completed samples per second"
    assert said["p99_ms"] == "14"

    second = _run(newer, "--mig-compare=last", p99=28 * 14)
    assert second.result.ret == 1
    assert "p99" in second.case.problems["failure"]
    assert "2700.0% worse than the 14 of" in second.case.problems["failure"]


def test_flags_are_of_the_scenario_that_they_begin_with() -> None:
    assert not is_of_another("server_target_qps", "server")
    assert is_of_another("server_target_qps", "offline")
    assert not is_of_another("min_query_count", "offline")


def test_loadgens_spelling_is_known() -> None:
    assert {scenario_of(each.logged).name for each in SCENARIOS.values()} == {
        *SCENARIOS
    }
    assert scenario_of("AnotherOne").target_flag is None
