"""A session beside records that are none: its history is of those that are."""

from __future__ import annotations

import json

import pytest

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.plan.durations import Recorded
from pytest_mighetero.run import recorded
from pytest_mighetero.run.recorded import recorded_run
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from tests.cli.strange import ODD, STRANGE, make_strange
from tests.lab.driver import Lab

pytestmark = pytest.mark.timeout(120)
PLANNED = ("--background-benchmark-duration=planned", "--start-time-buffer=2s")


def test_a_session_beside_strange_records(lab: Lab) -> None:
    lab.run(*PLANNED).result.assert_outcomes(passed=1)
    results = lab.folder / "results"
    (good,) = results.glob("*/record.json")
    for which in STRANGE:
        make_strange(results, which, "dlrm_server")
    record = json.loads(good.read_text())
    for number, odd in enumerate(ODD.values()):
        folder = results / f"21000101-{number:06d}-dlrm_server"
        folder.mkdir()
        (folder / "record.json").write_text(json.dumps({**record, **odd}))
    report = lab.run(*PLANNED, "--mig-compare=last")
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["background_duration_by"] == "history"
    assert "equal, single runs" in facts["compared"]
    assert facts["background_history"].startswith("bert=518.39 samples/s (")


@pytest.mark.parametrize("which", ["a fifo", "deep", "version 2"])
def test_one_to_compare_with_is_said(lab: Lab, which: str) -> None:
    path = make_strange(lab.folder / "old", which, "dlrm_server") / "record.json"
    report = lab.run(f"--mig-compare={path}")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--mig-compare: {path} {STRANGE[which][1]}" in report.text
    assert not report.launches()


def test_a_run_that_ended_badly_is_no_history(lab: Lab) -> None:
    lab.fake(bert={"exit": 1, "outlasts": 2})
    lab.run(*PLANNED).result.assert_outcomes(passed=1, errors=1)
    lab.fake()
    facts = lab.run(*PLANNED).case.properties
    assert facts["background_duration_by"] == "reference"
    facts = lab.run(*PLANNED).case.properties
    assert facts["background_duration_by"] == "history"


def test_history_is_looked_up_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.run(*PLANNED).result.assert_outcomes(passed=1)
    looked: list[str] = []

    def look(config: RunSpec, pair: Pair, gpu: Gpu) -> Recorded | None:
        looked.append(str(pair))
        return recorded_run(config, pair, gpu)

    monkeypatch.setattr(recorded, "recorded_run", look)
    report = lab.run(*PLANNED)
    report.result.assert_outcomes(passed=1)
    properties = report.case.properties
    assert properties["background_duration_by"] == "history"
    assert looked == ["dlrm_server"]
