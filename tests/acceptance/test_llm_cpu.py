"""A server and its client for real: our language model on NumPy, loaded by AIPerf."""

from __future__ import annotations

import pytest

from tests.lab import needs
from tests.lab.driver import Lab, Report

pytestmark = [pytest.mark.slow, pytest.mark.loadgen]


@pytest.fixture
def llm(lab: Lab) -> Lab:
    needs.module("numpy")
    needs.programs("aiperf", of=".venv-aiperf/bin, by `make clients`")
    lab.suite = "llm-cpu"
    return lab


def test_a_served_model_beside_another(llm: Lab) -> None:
    arguments = [
        *("--mig-suite=llm-cpu", "--junitxml=report.xml", "--mig-lease-dir=leases"),
        *("--main-benchmark-duration=10s", "--background-benchmark-duration=automatic"),
        *("-k", "tiny-chat_server"),
    ]
    report = Report(llm.folder, llm.pytester.runpytest_inprocess(*arguments))
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["validity"] == "VALID"
    assert facts["unit"] == "tokens/s"
    assert facts["target_qps"] == "10"
    # Ten answers a second, each of 32 tokens.
    assert float(facts["value"]) == pytest.approx(320, rel=0.4)
    assert facts["overlap_ok"] == "true"
    assert facts["overlap_source"] == "aiperf"
    assert float(facts["start_margin_s"]) > 0
    assert float(facts["end_margin_s"]) > 0
