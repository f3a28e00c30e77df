"""Nodes that are not as the machine of the controller: said before any test starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from pytest_mighetero.plugin.slurm.answers import Job
from pytest_mighetero.plugin.slurm.first_step import unstarted
from pytest_mighetero.plugin.slurm.node_facts import facts, greeted, problem, unnamed
from tests.lab import needs
from tests.lab.driver import Lab
from tests.lab.processes import until
from tests.lab.slurm.cluster import PROGRAMS, Cluster, layout_of, outside
from tests.lab.slurm.configuration import Node
from tests.lab.slurm.eight import Eight

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
SOON = "from pytest_mighetero.plugin.slurm import first_step; first_step.STEP_S = 1"
MIG = {"mig": "1g.10gb", "typed": "a100_3g.20gb"}
NODES = (
    *(Node(name, name) for name in ("old", "bare", "like")),
    *(Node(name, gpu) for name, gpu in MIG.items()),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Nodes that lack the plugin's version, Python itself."""
    needs.programs(*PROGRAMS, of="Slurm")
    needs.mounts()
    cluster = Cluster(layout_of(tmp_path_factory.mktemp("slurm"), NODES))
    private = {"old": [plugin()], "bare": [Path(sys.executable).parent]}
    try:
        cluster.start(tethered=True, private=private)
        yield cluster
    finally:
        cluster.stop()


def plugin() -> Path:
    """Return the folder that says the plugin's version."""
    (where,) = {
        Path(str(path.locate())).parent
        for path in metadata.files("pytest-mighetero") or ()
        if path.name == "METADATA"
    }
    return where


@pytest.fixture
def refused(
    lab: Lab, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Refused]:
    for name in os.environ.keys() - outside(os.environ).keys():
        monkeypatch.delenv(name)
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    yield Refused(lab)
    assert cluster.jobs() == []


@pytest.fixture
def prolog(cluster: Cluster) -> Iterator[Path]:
    """What a node runs before a task; it is to be written anew."""
    text = cluster.layout.prolog.read_text()
    yield cluster.layout.prolog
    cluster.layout.prolog.write_text(text)


class Refused:
    """A session that ends with a sentence before any test."""

    def __init__(self, lab: Lab):
        self._lab = lab

    def on(self, node: str, *options: str, devices: int = 3) -> str:
        slurm = f"--mig-slurm=--nodelist={node} --gres=gpu:1"
        arguments = ["-k", "dlrm_server", "-n1", slurm, *options]
        report = self._lab.apart(*self._lab.arguments(*arguments, devices=devices))
        assert report.result.ret == pytest.ExitCode.USAGE_ERROR
        (error,) = [line for line in report.text.splitlines() if "ERROR: " in line]
        return error


def test_a_node_with_another_version_of_the_plugin(refused: Refused) -> None:
    here = metadata.version("pytest-mighetero")
    said = f"--mig-slurm: node old has pytest-mighetero none (here {here}); have one"
    assert said in refused.on("old")


def test_a_node_without_the_virtual_environment(refused: Refused) -> None:
    error = refused.on("bare")
    assert f"--mig-slurm: {sys.executable} does not start on bare (job " in error
    assert "No such file or directory" in error


def test_a_node_that_greets(refused: Refused, prolog: Path) -> None:
    prolog.write_text("#!/bin/sh\necho print Welcome\n")
    said = "--mig-slurm: node like writes 'Welcome' to stdout before a worker does"
    assert said in refused.on("like")


def test_a_node_that_tells_nothing(
    refused: Refused, prolog: Path, pytester: pytest.Pytester
) -> None:
    prolog.write_text("#!/bin/sh\nsleep 600\n")
    pytester.makeconftest(SOON)
    error = refused.on("like")
    assert " on like tells nothing; its start may be slow, or an option or " in error
    assert error.endswith(": no answer in 1 s")


@pytest.mark.usefixtures("refused")
def test_a_node_in_place_of_a_lost_one_is_looked_at(lab: Lab, cluster: Cluster) -> None:
    node = ("scontrol", "update", "reason=test")
    cluster.ask(*node, "nodename=old", "state=drain")
    eight = Eight(lab)
    running = eight.start("-n1", "--mig-slurm=--exclude=bare,mig,typed --gres=gpu:1")
    until(lambda: len(eight.under_way) == 1)
    cluster.ask(*node, "nodename=old", "state=resume")
    cluster.ask(*node, "nodename=like", "state=drain")
    cluster.ask("scancel", *cluster.jobs())
    code = running.wait(60)
    cluster.ask(*node, "nodename=like", "state=resume")
    assert code == 1, eight.out.read_text()
    said = [case.problems["error"] for case in eight.files.junit]
    why = "no other place: node old has pytest-mighet"
    assert [why in each for each in said].count(True) == 7, said
    assert ["Lost with its worker" in each for each in said].count(True) == 1, said
    assert len(said) == 8
    until(lambda: not cluster.jobs())


@pytest.mark.parametrize("node", MIG)
def test_mig_devices_that_slurm_gave_by_number(refused: Refused, node: str) -> None:
    error = refused.on(node, devices=0)
    assert f"--mig-slurm: node {node} has MIG devices from Slurm by number" in error
    assert "(CUDA_VISIBLE_DEVICES=0)" in error


def test_mig_devices_are_told_by_their_uuids() -> None:
    assert unnamed("n1", "MIG-00000001-0000-5000-8000-000000000000") is None
    assert unnamed("n1", "MIG-GPU-00000007-d268-c3f3-1b07-005d5ae1dc3f/7/0") is None
    assert unnamed("n1", "0,1") is not None


SEEN = {"node": "n1", "seen": "x", "refused": "", "unseen": "", "greeting": ""}


def test_other_versions_are_named() -> None:
    here = {"Python": "3.11.7", "pytest": "9.2.0", **SEEN}
    found = problem("n1", here, here | {"Python": "3.12.1"}, Path("results"))
    assert found is not None
    assert found.startswith("n1 has Python 3.12.1 (here 3.11.7)")
    assert problem("n1", here, here, Path("results")) is None


def test_a_node_has_the_results_folder_or_can_have_one() -> None:
    own = SEEN | {"seen": ""}
    assert problem("n1", SEEN, own, Path("results")) is None
    none = own | {"refused": "Read-only file system"}
    found = problem("n1", SEEN, none, Path("results"))
    assert found is not None
    assert "nor can it have such a folder of its own (Read-only file system)" in found


def test_a_mount_point_without_its_mount_is_not_seen(tmp_path: Path) -> None:
    file = tmp_path / "full" / "test_it.py"
    for folder in ("full", "empty"):
        (tmp_path / folder).mkdir()
    file.touch()
    missing = (file.parent / "more", tmp_path / "empty", file / "below")
    for path in missing:
        assert facts(tmp_path, [str(file), str(path)])["unseen"] == str(path)
    assert facts(tmp_path, [str(file), str(file.parent)])["unseen"] == ""
    found = problem("n1", SEEN, SEEN | {"unseen": "/x"}, Path("results"))
    assert found is not None
    assert found.startswith(
        "n1 does not see /x; tests, and what they read and run, have"
    )


BEFORE = {
    "Welcome\x1b\nto n1\n": r"'Welcome\x1b'",
    "0: ": "'0:'",
    "\n": repr("\n"),
}


@pytest.mark.parametrize("greeting", BEFORE)
def test_whatever_stands_before_a_worker_is_shown(greeting: str) -> None:
    found = greeted(SEEN | {"greeting": greeting})
    assert found is not None
    assert f"n1 writes {BEFORE[greeting]} to stdout" in found
    assert greeted(SEEN) is None


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("slurmstepd-n1: error: execve(): /x: No such file", "virtual environment"),
        ("srun: error: n1: task 0: Exited with exit code 1", "virtual environment"),
        ("no answer in 60 s", "--output"),
        ("srun: error: Invalid --mem specification", "srun starts no step in job 7 on"),
    ],
)
def test_only_what_has_run_is_told_of_its_environment(
    complaint: str, said: str
) -> None:
    words = unstarted(Job("7", "RUNNING", "", "n1"), complaint)
    assert said in words
    assert words.endswith(f": {complaint}")
    assert words.count("virtual environment") == (said == "virtual environment")
