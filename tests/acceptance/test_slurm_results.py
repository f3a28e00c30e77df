"""Runs on nodes that do not share the results folder: all of it is here in the end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import needs
from tests.lab.driver import Files, Lab, Report
from tests.lab.forked import Forked
from tests.lab.processes import in_the_run, until
from tests.lab.slurm.cluster import PROGRAMS, Cluster, layout_of, outside

pytestmark = [pytest.mark.slow, pytest.mark.slurm]


class Apart:
    """A lab whose nodes have file systems of their own where results are."""

    def __init__(self, lab: Lab, cluster: Cluster, results: Path):
        self.lab, self.cluster, self.results = lab, cluster, results
        (lab.folder / "results").symlink_to(results)  # where Files looks

    def options(self, *options: str, workers: int = 2) -> list[str]:
        place = (f"-n{workers}", "--mig-slurm=--gres=gpu:2")
        leases = f"--mig-lease-dir={self.cluster.layout.folder}/leases"
        return [*place, leases, f"--results-dir={self.results}", *options]

    def run(self, *options: str, k: str, workers: int = 2) -> Report:
        return self.lab.run_apart(*self.options(*options, workers=workers), k=k)

    def start(self, *options: str, k: str) -> Forked:
        arguments = self.lab.arguments("-k", k, *self.options(*options, workers=1))
        with (self.lab.folder / "out").open("w") as out:
            return self.lab.pytests.start(arguments, self.lab.folder, out)

    def on(self, node: str) -> list[str]:
        """Return what the results folder of a node has."""
        command = ("find", str(self.results.parent), "-path", f"{self.results}/*")
        return self.cluster.ask("srun", "-w", node, "-n1", *command).splitlines()

    def clean(self) -> bool:
        return not self.cluster.jobs() and not in_the_run(self.lab.folder)


@pytest.fixture(scope="session")
def unshared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm whose nodes share all but the folders of results and of leases."""
    needs.programs(*PROGRAMS, of="Slurm")
    needs.mounts()
    cluster = Cluster(layout_of(tmp_path_factory.mktemp("unshared")))
    private = [cluster.layout.folder / name for name in ("own", "leases")]
    for each in private:
        each.mkdir()
    try:
        nodes = {node.name: private for node in cluster.layout.nodes}
        cluster.start(tethered=True, private=nodes)
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
    try:
        until(lambda: not unshared.jobs())
    finally:
        unshared.cancel_all()


def test_what_runs_wrote_comes_here(apart: Apart) -> None:
    apart.lab.pytester.makepyfile(test_tmp="def test_tmp(tmp_path): pass")
    options = ("--mig-report=page.html", f"--basetemp={apart.results}-tmp")
    report = apart.run(*options, k="dlrm_server or bert_offline or tmp")
    report.result.assert_outcomes(passed=3)
    assert "does not see" in report.text
    assert len(report.records) == 2
    page = (apart.lab.folder / "page.html").read_text()
    cases = [case for case in report.junit if case.name != "test_tmp"]
    for case in cases:
        folder = Path(case.properties["log_dir"])
        assert folder.is_relative_to(apart.results)
        assert list(folder.iterdir())
        place = case.properties["node"], case.properties["slurm_job"]
        row = rf"{case.properties['benchmark']} .* {place[0]} +{place[1]} "
        report.result.stdout.re_match_lines([row])
        assert f"<td>{place[0]}</td>" in page
    assert all(record["harnesses"] for record in report.records)
    verb = (sys.executable, "-m", "pytest_mighetero.cli", "junit", str(apart.results))
    joined = subprocess.run(verb, capture_output=True, text=True, check=True).stdout
    for case in cases:
        assert f'name="slurm_job" value="{case.properties["slurm_job"]}"' in joined
    assert list(apart.results.glob("*/timeline.svg"))
    assert apart.on("n1") == apart.on("n2") == []


def test_tests_that_a_node_does_not_see_are_not_started(apart: Apart) -> None:
    here = apart.results / "test_here.py"
    here.write_text("def test_it(): pass")
    arguments = apart.lab.arguments(*apart.options(), f"{here}::test_it")
    report = apart.lab.apart(*arguments)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = [line for line in report.text.splitlines() if "ERROR: " in line]
    assert re.search(rf"node n[12] does not see {here}; tests, and what they ", error)


def test_earlier_runs_are_known_there(apart: Apart) -> None:
    lab, here = apart.lab, f"--results-dir={apart.results}"
    lab.fake(dlrm={"rate": 400})
    first = lab.run(here, k="dlrm_offline")
    first.result.assert_outcomes(passed=1)
    lab.fake(dlrm={"rate": 320})
    planned = "--background-benchmark-duration=planned"
    compare = ("--mig-compare=last", "--mig-tolerance=5%", planned)
    report = apart.run(*compare, k="dlrm_offline", workers=1)
    report.result.assert_outcomes(failed=1)
    assert "20.0% worse than the 400 of" in report.case.problems["failure"]
    assert report.case.properties["background_duration_by"] == "history"
    named = apart.run(f"--mig-compare={apart.results}", k="dlrm_offline", workers=1)
    assert "worse than the 400 of" in named.case.problems["failure"]


def test_references_that_a_node_has_not(apart: Apart) -> None:
    (apart.results / "references").mkdir()
    (apart.results / "references" / "none.toml").touch()
    where = f"--mig-references={apart.results}/references"
    report = apart.run(where, k="dlrm_offline", workers=1)
    assert report.result.ret != pytest.ExitCode.OK
    assert f"{apart.results}/references; tests, and what they read" in report.text
    assert not report.launches()


MATRIX = "--mig-interference=dlrm_offline,bert_offline"
GATED = (MATRIX, "--mig-max-slowdown=10%", "--background-benchmark-duration=20s")


def test_every_cell_is_judged_and_stands_in_for_another(apart: Apart) -> None:
    apart.lab.isolated()
    options = (*GATED, "--mig-lease-timeout=60s")
    report = apart.run(*options, k="offline")
    report.result.assert_outcomes(passed=6)
    cells = [case for case in report.junit if "beside" in case.name]
    assert [case.properties["slowdown"] for case in cells] == ["1.0000"] * 4
    assert len(report.records) == 6
    table = json.loads((apart.results / "interference.json").read_text())
    assert len(table["cells"]) == 4
    again = apart.run(*options, "--mig-resume", k="offline")
    again.result.assert_outcomes(skipped=6)
    known = f"--mig-resume: {apart.results}/"
    assert all(known in case.problems["skipped"] for case in again.junit)
    assert len(again.records) == 6


def test_kept_backgrounds_come_when_they_have_ended(apart: Apart) -> None:
    kept = ("--background-scope=session", "--background-benchmarks=bert,resnet50")
    report = apart.run(*kept, "--background-benchmark-duration=25s", k="dlrm")
    report.result.assert_outcomes(passed=2)
    sets = list(apart.results.glob("*-backgrounds*/set-1"))
    assert len(sets) == len({case.properties["node"] for case in report.junit})
    logs = list(apart.results.glob("*-backgrounds*/set-1/**/mlperf_log_detail.txt"))
    assert len(logs) == 2 * len(sets)
    assert apart.on("n1") == apart.on("n2") == []


LOG = re.compile("/main/logs/.*/mlperf_log_detail.txt")
PID = """
import os
from pathlib import Path

def pytest_runtest_setup():
    Path("pid").write_text(str(os.getpid()))
"""


@pytest.mark.parametrize("who", ["controller", "worker", "job"])
def test_of_a_run_that_ends_too_early_all_is_fetched(apart: Apart, who: str) -> None:
    lab = apart.lab
    lab.fake(**{"*": {"test": 300}})
    lab.pytester.makeconftest(PID)
    options = ("--mig-heartbeat=1s", "--mig-stop-grace=500ms")
    running = apart.start(*options, k="dlrm_server")
    out = lab.folder / "out"
    until(lambda: "main runs since" in out.read_text())
    until(lambda: any(map(LOG.search, [*apart.on("n1"), *apart.on("n2")])))
    until(lambda: len(apart.cluster.jobs()) == 1)
    if who == "controller":
        running.send_signal(signal.SIGINT)
    elif who == "job":
        apart.cluster.ask("scancel", *apart.cluster.jobs())
    else:
        os.kill(int((lab.folder / "pid").read_text()), signal.SIGKILL)
    assert running.wait(60) == (2 if who == "controller" else 1)
    until(apart.clean)
    record = Files(lab.folder).record
    assert record["phases"]["setup"]["outcome"] == "passed"
    assert list(Path(record["facts"]["log_dir"]).glob("**/mlperf_log_detail.txt"))
    if who != "worker":
        by = "SIGTERM" if who == "job" else "the xdist controller"
        said = record["phases"]["teardown"]["text"]
        assert said.startswith(f"Interrupted by {by} while ")
    assert "did not come here" not in out.read_text()
    assert apart.on("n1") == apart.on("n2") == []


def test_of_a_step_all_is_fetched_from_the_node_it_was_on(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, cluster = apart.lab, apart.cluster
    lab.fake(**{"*": {"test": 300}})
    lab.pytester.makeconftest(PID)
    cluster.ask("salloc", "--no-shell", "-N2", "--ntasks-per-node=1", "--gres=gpu:2")
    (job,) = cluster.jobs()
    cluster.start_step(job, "--exact", "-n1", "--gres=gpu:2", "--nodelist=n1")
    (taken,) = cluster.steps()
    with monkeypatch.context() as patch:
        patch.setenv("SLURM_JOB_ID", job)
        options = ("--max-worker-restart=0", "--mig-stop-grace=500ms")
        running = apart.start(*options, k="dlrm_server")
    until(lambda: any(map(LOG.search, apart.on("n2"))))
    cluster.ask("scancel", taken)  # where a step goes that may be on any node
    until(lambda: taken not in cluster.steps())
    os.kill(int((lab.folder / "pid").read_text()), signal.SIGKILL)
    assert running.wait(60) == 1
    record = Files(lab.folder).record
    assert record["facts"]["node"] == "n2"
    assert list(Path(record["facts"]["log_dir"]).glob("**/mlperf_log_detail.txt"))
    assert "did not come here" not in (lab.folder / "out").read_text()
    assert apart.on("n1") == apart.on("n2") == []
    cluster.cancel_all()


KILLED = """
import os, signal
from pathlib import Path

def pytest_runtest_logreport(report):
    if report.when == "teardown" and "PYTEST_XDIST_WORKER" in os.environ:
        if "offline" in report.nodeid and not Path("killed").exists():
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_that_is_killed_has_sent_what_was_over(apart: Apart) -> None:
    apart.lab.pytester.makeconftest(KILLED)
    report = apart.run(k="dlrm", workers=1)
    report.result.assert_outcomes(passed=2, failed=1)
    assert len(report.records) == 2
    for record in report.records:
        assert record["phases"]["teardown"]["outcome"] == "passed"


FULL = """
import os
from pathlib import Path

def pytest_runtest_logreport(report):
    if report.when == "setup" and "PYTEST_XDIST_WORKER" not in os.environ:
        if Path("full").exists():
            return
        Path("full").touch()
        for folder in Path("results").glob("2*"):
            folder.rmdir()
"""


def test_a_run_that_cannot_be_kept_here_is_no_green_test(apart: Apart) -> None:
    apart.lab.pytester.makeconftest(FULL)
    report = apart.run(k="dlrm", workers=1)
    report.result.assert_outcomes(passed=2, errors=1)
    why = "The controller could not write into"
    (case,) = [case for case in report.junit if case.problems]
    assert why in case.problems["error"]
    folder = Path(case.properties["log_dir"]).parents[1]
    assert f"it is there: {folder}" in report.text
    node = case.properties["node"]
    assert f"{folder}/record.json" in apart.on(node)
