"""Clients' real files in a run: who is ready, and what proves that devices were loaded.

Real clients need servers, and are too large to be installed for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero import readers
from tests.lab.driver import Lab, Report
from tests.readers.clients import DATA

# They have no verdict, without which no main is measured to its end.
READER = """
from dataclasses import replace

from pytest_mighetero.readers.{tool} import READER as ITS_OWN


class Judged(type(ITS_OWN)):
    def read(self, folder):
        result = super().read(folder)
        return replace(result, valid=not result.damage)


READER = Judged()
"""
SUITE = """
devices = "nvml"

[harness]
folder = "."
config_ver = "default"
actions = ["run_harness"]
start_markers = ["Starting phase: performance"]
finish_markers = ["Phase performance complete"]
audit_folder = "{{log_dir}}"
reader = "judged_{tool}"
make_variables = {{ LOG_DIR = "{{log_dir}}", PYTHON = "{{python}}" }}

[defaults]
main-benchmark-duration = "700ms"
background-benchmark-duration = "4s"
settle-time = "0"
end-time-buffer-min = "100ms"

[groups]
datacenter = ["bert", "dlrm"]

[benchmarks]
bert = {{ scenarios = ["server"] }}
dlrm = {{ scenarios = ["server"] }}
"""
# Of RUN_ARGS it takes the one: the benchmarks differ in how long they are to last.
MAKEFILE = """
ms = $(patsubst --min_duration=%,%,$(filter --min_duration=%,$(RUN_ARGS)))
run_harness:
	@$(PYTHON) {replay} {tool} {run} $(LOG_DIR) $$(({ms} / 1000)).$$(({ms} % 1000))
"""


@pytest.fixture
def more_readers(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab that takes readers of the test's, too."""
    more = tmp_path / "more"
    more.mkdir()
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(more)])
    return lab


def run(lab: Lab, folder: Path, tool: str) -> Report:
    replay = Path(__file__).with_name("replay.py")
    lab.harness = folder / "harness"
    lab.harness.mkdir()
    said = MAKEFILE.format(
        replay=replay, tool=tool, run=DATA / tool / "server", ms="$(ms)"
    )
    (lab.harness / "Makefile").write_text(said)
    (folder / "more" / f"judged_{tool}.py").write_text(READER.format(tool=tool))
    lab.suite = str(folder / f"{tool}-clients.toml")
    Path(lab.suite).write_text(SUITE.format(tool=tool))
    return lab.run("--background-benchmarks=bert", "--background-scenario=server")


@pytest.mark.parametrize(
    ("tool", "value"), [("endpoints", 71.3973), ("aiperf", 88.0482)]
)
def test_its_stamps_prove_the_overlap(
    more_readers: Lab, tmp_path: Path, tool: str, value: float
) -> None:
    report = run(more_readers, tmp_path, tool)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert (facts["overlap_ok"], facts["overlap_source"]) == ("true", tool)
    assert facts["unit"] == "tokens/s"
    assert float(facts["value"]) == pytest.approx(value, rel=1e-4)
    assert float(facts["target_qps"]) in (10, 20)
