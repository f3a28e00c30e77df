"""Runs that Slurm spreads go on at the same time, each on a GPU of its own."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Compiled
from tests.lab.driver import Files, Lab
from tests.lab.processes import until
from tests.lab.slurm.cluster import Cluster
from tests.lab.slurm.gpus import library

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
WORKERS, RUNS = 4, 8
OWN_LEASES = """
import os

import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if node := os.environ.get("SLURMD_NODENAME"):
        config.option.mig_lease_dir = f"{config.option.mig_lease_dir}-{node}"
"""
NIGHTLY = Path(__file__).parents[2] / "docs/examples/nightly.sbatch"


@pytest.fixture
def gpus(
    lab: Lab,
    slurm: Cluster,
    compiled: Compiled,
    monkeypatch: pytest.MonkeyPatch,
) -> Lab:
    """A lab on nodes whose GPUs NVML tells of."""
    built = library(compiled, lab.folder / "driver", slurm.layout.nodes)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(built.parent))
    return lab


def window(record: dict[str, Any]) -> tuple[float, float]:
    """Return when LoadGen of a run's main began and ended."""
    (window,) = record["harnesses"][0]["windows"]
    return window["begin"], window["end"]


def test_eight_runs_on_four_workers(gpus: Lab, slurm: Cluster) -> None:
    met = str(gpus.folder / "met")
    gpus.fake(dlrm={"meets": [met, WORKERS]})  # none ends before four are under way
    options = (f"-n{WORKERS}", "--mig-slurm=--gres=gpu:1", f"--mig-repeat={RUNS}")
    beside = (
        "--background-benchmarks=bert",
        "--background-benchmark-duration=automatic",
    )
    whole = gpus.arguments("-k", "dlrm_server", *options, *beside, devices=0)
    report = gpus.apart(*whole)
    report.result.assert_outcomes(passed=RUNS)
    assert slurm.jobs() == []

    cases, records = report.junit, report.records
    assert len({case.name for case in cases}) == RUNS
    assert len(records) == RUNS
    for case in cases:
        assert case.problems == {}
        assert case.properties["validity"] == "VALID"
        assert case.properties["node"] in {"n1", "n2"}
        assert case.properties["slurm_job"].isdigit()
    places = {(c.properties["node"], c.properties["device_uuid"]) for c in cases}
    assert len(places) == WORKERS
    assert len({case.properties["slurm_job"] for case in cases}) == WORKERS

    first = sorted(records, key=window)[:WORKERS]
    ends = [window(record)[1] for record in first]
    begins = [window(record)[0] for record in first]
    assert max(begins) < min(ends)
    assert len({record["facts"]["device_uuid"] for record in first}) == WORKERS


def test_the_nightly_matrix_of_the_documentation(
    gpus: Lab, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = [str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(here))
    monkeypatch.chdir(gpus.folder)
    use = (f"--mig-suite={gpus.suite}", f"--mig-harness-dir={gpus.harness}")
    options = ("--mig-lease-dir=leases", "-pno:cacheprovider", "-kdlrm_")
    job = slurm.ask("sbatch", str(NIGHTLY), *use, *options).split()[-1]
    until(lambda: not slurm.jobs(), 120)

    log = (gpus.folder / f"nightly-{job}.log").read_text()
    (gpus.folder / f"nightly-{job}.xml").rename(gpus.folder / "report.xml")
    files = Files(gpus.folder)
    assert "4 workers [2 items]" in log
    scenarios = {case.properties["scenario"] for case in files.junit}
    assert scenarios == {"offline", "server"}
    assert {case.properties["slurm_job"] for case in files.junit} == {job}
    assert [case.problems for case in files.junit] == [{}, {}]
    assert len(files.records) == 2


def test_launches_on_two_nodes_in_one_harness_folder(gpus: Lab) -> None:
    gpus.fake(dlrm={"load": 0.7})
    gpus.pytester.makeconftest(OWN_LEASES)
    options = ("-n2", "--mig-slurm=--gres=gpu:2", "--mig-repeat=4")
    report = gpus.apart(*gpus.arguments("-k", "dlrm_server", *options, devices=0))
    report.result.assert_outcomes(passed=4)
    assert {case.properties["node"] for case in report.junit} == {"n1", "n2"}
    assert len(list(gpus.folder.glob("leases-n?"))) == 2
    mains = (record["harnesses"][0] for record in report.records)
    spans = sorted((main["launched"], main["windows"][0]["begin"]) for main in mains)
    for (_, queries), (launched, _) in itertools.pairwise(spans):
        assert queries <= launched
