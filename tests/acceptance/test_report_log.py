"""pytest-reportlog's lines have the facts of a run as numbers and flags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.driver import Lab


@pytest.mark.parametrize("how", [[], ["-n1"]], ids=["alone", "workers"])
def test_facts_are_typed(lab: Lab, how: list[str]) -> None:
    lab.run_with("pytest_reportlog", "--report-log=log.jsonl", *how)
    lines = (lab.folder / "log.jsonl").read_text().splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    (facts,) = (x["mighetero_facts"] for x in found if x.get("when") == "teardown")
    assert (facts["benchmark"], facts["validity"]) == ("dlrm", "VALID")
    assert (facts["value"], facts["p99_ms"]) == (393.025, 14.243)
    assert facts["overlap_ok"] is True
    assert facts["exit_code"] == 0
    assert facts["backgrounds"] == ["bert", "resnet50"]
    assert isinstance(facts["end_margin_s"], float)
