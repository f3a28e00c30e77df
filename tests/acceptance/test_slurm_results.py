"""Runs on nodes that do not share the results folder: all of it is here in the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.driver import Lab, Report
from tests.lab.forked import Forked
from tests.lab.processes import in_the_run
from tests.lab.slurm.cluster import Cluster, LabError, layout_of, missing, outside

pytestmark = pytest.mark.slow


class Apart:
    """A lab whose nodes have file systems of their own where results are."""

    def __init__(self, lab: Lab, cluster: Cluster, results: Path):
        self.lab, self.cluster, self.results = lab, cluster, results
        (lab.folder / "results").symlink_to(results)  # where Files looks

    def options(self, *options: str, workers: int = 2) -> list[str]:
        place = (f"-n{workers}", "--mig-slurm=--gres=gpu:2")
        return [*place, f"--results-dir={self.results}", *options]

    def run(self, *options: str, k: str, workers: int = 2) -> Report:
        return self.lab.run_apart(*self.options(*options, workers=workers), k=k)

    def start(self, *options: str, k: str) -> Forked:
        arguments = self.lab.arguments("-k", k, *self.options(*options))
        with (self.lab.folder / "out").open("w") as out:
            return self.lab.pytests.start(arguments, self.lab.folder, out)

    def on(self, node: str) -> list[str]:
        """Return what the results folder of a node has."""
        command = ("find", str(self.results), "-mindepth", "1")
        return self.cluster.ask("srun", "-w", node, "-n1", *command).splitlines()

    def clean(self) -> bool:
        return not self.cluster.jobs() and not in_the_run(self.lab.folder)


@pytest.fixture(scope="session")
def unshared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm whose nodes share all but a folder, ``own`` in its own."""
    if programs := missing():
        pytest.skip(f"no Slurm here: {', '.join(programs)} are not on PATH")
    if os.geteuid() != 0:
        pytest.skip("no mount namespaces without root")
    cluster = Cluster(layout_of(tmp_path_factory.mktemp("unshared")))
    own = cluster.layout.folder / "own"
    own.mkdir()
    try:
        try:
            cluster.start(
                tethered=True, private={n.name: [own] for n in cluster.layout.nodes}
            )
        except LabError as error:
            pytest.skip(f"no mount namespaces: {error}"[:200])
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def apart(
    lab: Lab, unshared: Cluster, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Apart]:
    for name in os.environ.keys() - outside(os.environ).keys():
        monkeypatch.delenv(name)
    for name, value in unshared.environment.items():
        monkeypatch.setenv(name, value)
    results = unshared.layout.folder / "own" / lab.folder.name
    results.mkdir()
    yield Apart(lab, unshared, results)
    left = unshared.jobs()
    unshared.cancel_all()
    assert left == []


def test_what_runs_wrote_comes_here(apart: Apart) -> None:
    report = apart.run("--mig-report=page.html", k="dlrm_server or bert_offline")
    report.result.assert_outcomes(passed=2)
    assert "does not see" in report.text
    assert len(report.records) == 2
    page = (apart.lab.folder / "page.html").read_text()
    for case, record in zip(report.junit, report.records, strict=True):
        folder = Path(case.properties["log_dir"])
        assert folder.is_relative_to(apart.results)
        assert list(folder.iterdir())
        assert case.properties["node"] in page
        assert record["harnesses"]
    assert list(apart.results.glob("*/timeline.svg"))
    assert apart.on("n1") == apart.on("n2") == []
