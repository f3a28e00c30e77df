"""Nodes with different GPUs: a test goes to a worker that can run it, or fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_mighetero.devices.lease import Lease, myself, take
from tests.devices.machines import header, machine
from tests.lab.driver import Lab
from tests.lab.slurm.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
RUNS = """
import pytest

@pytest.mark.mig_needs(gpu="A100")
def test_a100(main):
    main.run()

@pytest.mark.mig_needs(profile="1g.20gb")
def test_h100(main):
    main.run()

def test_any(main):
    main.run()

@pytest.mark.mig_needs(gpu="B200")
def test_b200(main):
    main.run()
"""
A100 = "GPU 0: NVIDIA A100-SXM4-80GB (7 x 1g.10gb)"
H100 = "GPU 0: NVIDIA H100 80GB HBM3 (4 x 1g.20gb)"


@pytest.fixture
def mixed(lab: Lab, slurm: Cluster, library_of: Callable[[str], Path]) -> Iterator[Lab]:
    """The lab, with an A100 on node n1 and an H100 on n2."""
    h100 = machine("h100")
    devices = h100["gpus"][0]["devices"]
    h100["gpus"][0]["devices"] = {
        slot: {**devices[slot], "profile": "1g.20gb"} for slot in list(devices)[:4]
    }
    for node, described in {"n1": machine("a100-80gb"), "n2": h100}.items():
        folder = slurm.layout.libraries(node)
        folder.mkdir(parents=True)
        shutil.copy(library_of(header(described)), folder)
    lab.pytester.makepyfile(test_run=RUNS)
    yield lab
    shutil.rmtree(slurm.layout.libraries("n1").parent)


def run(lab: Lab, *options: str, k: str) -> tuple[dict[str, str], dict[str, str], str]:
    """Return the node and the problem of each test, and the first that was reported."""
    arguments = ["-n2", "--mig-slurm=--gres=gpu:2", "-k", k, *options]
    report = lab.apart(*lab.arguments(*arguments, devices=0))
    assert report.result.ret != 4, report.text
    cases = report.junit
    assert len({case.name for case in cases}) == len(cases), report.text
    problems = {c.name: "".join(c.problems.values()) for c in cases if c.problems}
    nodes = {c.name: c.properties["node"] for c in cases if c.name not in problems}
    return nodes, problems, cases[0].name


def test_a_test_runs_where_there_is_what_it_needs(mixed: Lab) -> None:
    nodes, problems, _ = run(mixed, k="not b200 and (dlrm or bert_offline)")
    assert problems == {}
    assert len(nodes) == 9
    assert {node for name, node in nodes.items() if "a100" in name} == {"n1"}
    assert {node for name, node in nodes.items() if "h100" in name} == {"n2"}


def test_who_did_not_come_through_slurm_has_its_gpu_to_itself(mixed: Lab) -> None:
    (gpu,) = machine("a100-80gb")["gpus"]
    held = take(mixed.folder / "leases", [gpu["uuid"]], myself("test_by_hand"))
    assert isinstance(held, Lease)
    wait = "--mig-lease-timeout=1s"
    nodes, problems, _ = run(mixed, wait, k="(a100 or h100) and dlrm_server")
    held.close()
    assert nodes == {"test_h100[dlrm_server]": "n2"}
    assert list(problems) == ["test_a100[dlrm_server]"]
    assert "test_by_hand" in problems["test_a100[dlrm_server]"]


def test_what_no_worker_can_run_fails_at_once(mixed: Lab) -> None:
    nodes, problems, first = run(mixed, k="dlrm_server")
    name = "test_b200[dlrm_server]"
    assert first == name
    assert list(problems) == [name]
    assert "No worker can run it: a GPU called B200 is needed: GPU 0" in problems[name]
    assert f" offers {A100}" in problems[name]
    assert f" offers {H100}" in problems[name]
    assert nodes["test_a100[dlrm_server]"] == "n1"
    assert nodes["test_h100[dlrm_server]"] == "n2"


@pytest.mark.parametrize("option", ["-x", "--maxfail=1"])
def test_it_is_a_failure_that_ends_the_session(mixed: Lab, option: str) -> None:
    nodes, problems, _ = run(mixed, option, k="dlrm_server")
    assert nodes == {}
    assert list(problems) == ["test_b200[dlrm_server]"]


def test_it_is_one_of_several_failures(mixed: Lab) -> None:
    nodes, problems, _ = run(mixed, "--maxfail=2", k="dlrm_server")
    assert len(nodes) == 3
    assert list(problems) == ["test_b200[dlrm_server]"]


def test_what_nobody_named_is_skipped_where_no_worker_fits(
    mixed: Lab,
) -> None:
    suite = mixed.folder / "site.toml"
    dlrm, bert = 'dlrm = ["server"]', 'bert = ["offline"]'
    profiles = f'"1g.10gb" = {{ {dlrm} }}\n"1g.20gb" = {{ {bert} }}\n'
    suite.write_text(f'extends = "{mixed.suite}"\n[profiles]\n{profiles}')
    mixed.suite = str(suite)
    k = "any and (dlrm_server or bert_offline or resnet50)"
    nodes, problems, first = run(mixed, k=k)
    assert nodes == {"test_any[dlrm_server]": "n1", "test_any[bert_offline]": "n2"}
    assert list(problems) == [first] == ["test_any[resnet50_offline]"]
    assert "No worker can run it: suite site does not run" in problems[first]
