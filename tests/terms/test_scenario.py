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
SCENARIOS["burst"] = Scenario(
    *("burst", "Burst", "rate", "burst_", "burst_target_qps"),
    bounded=True,
    keeps_count=True,
)
"""
_SUITE = """
extends = "fake.toml"

[benchmarks.bert]
scenarios = ["offline", "burst"]

[query_counts]
burst = 1
"""


@pytest.fixture
def newer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A plugin to which nothing but that entry was added."""
    package = Path(pytest_mighetero.__file__).parent
    copy = lab.folder / "newer" / "pytest_mighetero"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("cpu", "__pycache__"))
    file = copy / "terms" / "scenario.py"
    before, function, after = file.read_text().partition("\n\ndef scenario_of")
    file.write_text(f"{before}{_NEW}{function}{after}")
    monkeypatch.setenv("PYTHONPATH", str(copy.parent))
    shutil.copy(FAKE / "fake.toml", lab.folder)
    suite = lab.folder / "site.toml"
    suite.write_text(_SUITE)
    lab.suite = str(suite)
    return lab


def _run(lab: Lab, *options: str, p99: float) -> Report:
    target = {"requested_burst_target_qps": 100, "effective_target_qps": 100}
    rate = {"result_completed_samples_per_sec": 95.5}
    lab.fake(bert={"p99": p99, "ran_with": target, "logged": rate})
    told = "--main-benchmark-runargs=--burst_target_qps=100"
    words = lab.arguments("--main-scenario=all", "-k", "burst", told, *options)
    words.append("test_run.py")  # the copy has the run tests of the package, too
    return Report(lab.folder, lab.pytester.run(sys.executable, "-mpytest", *words))


def test_a_new_one_runs_and_is_judged_by_its_latency(newer: Lab) -> None:
    first = _run(newer, p99=14)
    assert first.result.ret == 0, first.text
    said = first.case.properties
    assert said["scenario"] == "burst"
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


def test_mlperfs_spelling_is_known() -> None:
    spelled = {each.name: scenario_of(each.spelled).name for each in SCENARIOS.values()}
    assert spelled == {name: name for name in SCENARIOS}
    assert scenario_of("AnotherOne").target_flag is None


def test_interactive_is_server_for_loadgen() -> None:
    interactive, server = scenario_of("Interactive"), scenario_of("Server")
    assert interactive.logged == server.logged == "Server"
    assert (interactive.target_flag, interactive.bounded) == ("server_target_qps", True)
    assert not is_of_another("server_target_qps", "interactive")
    assert is_of_another("offline_expected_qps", "interactive")
