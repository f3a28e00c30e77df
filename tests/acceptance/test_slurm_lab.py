"""The tests' own Slurm is one: it starts whole, and says what keeps it from that."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.lab.processes import until
from tests.lab.slurm.cluster import Cluster, LabError, layout_of

pytestmark = pytest.mark.slurm
IDLE = {"n1": "idle", "n2": "idle"}
SHOW = """
import os
print(*map(os.environ.get, ("SLURMD_NODENAME", "CUDA_VISIBLE_DEVICES")))
"""


def test_each_node_has_the_gpus_of_its_type(slurm: Cluster) -> None:
    until(lambda: slurm.states() == IDLE)
    said = slurm.ask("srun", "-n1", "--gres=gpu:h100:2", "python3", "-c", SHOW)
    assert said.split() == ["n2", "0,1"]


def test_a_fault_names_its_log(slurm: Cluster, tmp_path: Path) -> None:
    assert slurm.jobs() == []
    taken = Cluster(layout_of(tmp_path))
    with socket.create_server(("", taken.layout.port)):
        with pytest.raises(LabError, match="slurmctld ended at once") as caught:
            taken.start(tethered=True)
        taken.stop()
    assert f"--- {tmp_path}/log/slurmctld.log" in str(caught.value)
    assert "Address already in use" in str(caught.value)


def test_it_leaves_nothing(slurm: Cluster, tmp_path: Path) -> None:
    another = Cluster(layout_of(tmp_path))
    another.start(tethered=True)
    pids = [int(another.layout.pid_file(name).read_text()) for name in ("n1", "n2")]
    another.stop()
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    until(lambda: slurm.states() == IDLE)
    assert os.environ["SLURM_CONF"] == str(slurm.layout.conf)
