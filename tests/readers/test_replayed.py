"""Clients' real files in a run: who is ready, and what proves that devices were loaded.

Real clients need servers, and are too large to be installed for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.driver import Lab, Report
from tests.readers.clients import DATA

SUITE = """
devices = "nvml"

[harness]
folder = "."
config_ver = "default"
actions = ["run_harness"]
start_markers = ["Starting phase: performance"]
finish_markers = ["Phase performance complete"]
audit_folder = "{{log_dir}}"
reader = "{tool}"
make_variables = {{ LOG_DIR = "{{log_dir}}", PYTHON = "{{python}}" }}

[defaults]
main-benchmark-duration = "700ms"
background-benchmark-duration = "4s"
settle-time = "0"
end-time-buffer-min = "100ms"

[groups]
datacenter = ["bert", "dlrm"]

# Some requests of both runs failed on purpose.
[benchmarks]
bert = {{ scenarios = ["server"], limits = {{ server = {{ failed = 6 }} }} }}
dlrm = {{ scenarios = ["server"], limits = {{ server = {{ failed = 6 }} }} }}
"""
# Of RUN_ARGS it takes the one: the benchmarks differ in how long they are to last.
MAKEFILE = """
ms = $(patsubst --min_duration=%,%,$(filter --min_duration=%,$(RUN_ARGS)))
run_harness:
	@$(PYTHON) {replay} {tool} {run} $(LOG_DIR) $$(({ms} / 1000)).$$(({ms} % 1000))
"""


def run(lab: Lab, folder: Path, tool: str) -> Report:
    replay = Path(__file__).with_name("replay.py")
    lab.harness = folder / "harness"
    lab.harness.mkdir()
    said = MAKEFILE.format(
        replay=replay, tool=tool, run=DATA / tool / "server", ms="$(ms)"
    )
    (lab.harness / "Makefile").write_text(said)
    lab.suite = str(folder / f"{tool}-clients.toml")
    Path(lab.suite).write_text(SUITE.format(tool=tool))
    return lab.run("--background-benchmarks=bert", "--background-scenario=server")


@pytest.mark.parametrize(
    ("tool", "value"), [("endpoints", 71.3973), ("aiperf", 88.0482)]
)
def test_its_stamps_prove_the_overlap(
    lab: Lab, tmp_path: Path, tool: str, value: float
) -> None:
    report = run(lab, tmp_path, tool)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert (facts["overlap_ok"], facts["overlap_source"]) == ("true", tool)
    assert (facts["validity"], facts["validity_by"]) == ("VALID", "limits")
    assert facts["unit"] == "tokens/s"
    assert float(facts["value"]) == pytest.approx(value, rel=1e-4)
    assert float(facts["target_qps"]) in (10, 20)
