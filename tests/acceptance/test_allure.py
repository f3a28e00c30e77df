"""Allure's results have what a run is of, readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import UUIDS, Lab


def results(folder: Path) -> dict[str, dict[str, Any]]:
    found = (json.loads(each.read_text()) for each in folder.glob("*-result.json"))
    return {each["name"].partition("[")[2].rstrip("]"): each for each in found}


def pairs(listed: list[dict[str, Any]]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in listed}


@pytest.mark.parametrize("how", [[], ["-n2"]], ids=["alone", "workers"])
def test_benchmark_scenario_and_device(lab: Lab, how: list[str]) -> None:
    lab.fake(bert={"validity": "INVALID"})
    where = lab.folder / "allure"
    report = lab.run_with("allure_pytest", f"--alluredir={where}", *how, k="server")
    report.result.assert_outcomes(passed=1, failed=1)
    found = results(where)
    assert {name: each["status"] for name, each in found.items()} == {
        "dlrm_server": "passed",
        "bert_server": "failed",
    }
    assert "INVALID" in found["bert_server"]["statusDetails"]["message"]
    for name, each in found.items():
        benchmark, scenario = name.split("_")
        labels, parameters = pairs(each["labels"]), pairs(each["parameters"])
        known = {"benchmark": benchmark, "scenario": scenario}
        assert known.items() <= labels.items()
        assert {k: f"'{v}'" for k, v in known.items()}.items() <= parameters.items()
        assert labels["device"].startswith(UUIDS[0])
        assert parameters["device"].startswith(f"'{UUIDS[0]}")
        assert parameters["main"] == f"'{name}'"
        assert "Pair(" not in json.dumps(each)
        (drawn,) = (x for x in each["attachments"] if x["name"] == "timeline")
        assert "<svg" in (where / drawn["source"]).read_text()


def test_a_tests_history_goes_on_though_its_device_changes(lab: Lab) -> None:
    histories = []
    for rotate in "01":
        where = lab.folder / f"allure-{rotate}"
        lab.run_with("allure_pytest", f"--alluredir={where}", f"--mig-rotate={rotate}")
        (result,) = results(where).values()
        histories.append((result["historyId"], pairs(result["labels"])["device"]))
    (first, device), (second, other) = histories
    assert first == second
    assert device != other
