"""What the one-host Slurm is: nodes, their GPUs, and the files that say so. Pure.

Debian's build lets several slurmd run on one host, each with a port of its own. The
files ask for neither munge, cgroups nor systemd; any user may run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Node:
    """A virtual node with *count* GPUs of the type *gpu*, as gres has it."""

    name: str
    gpu: str
    count: int = 2

    @property
    def gres(self) -> str:
        return f"gpu:{self.gpu}:{self.count}"


NODES = (Node("n1", "a100"), Node("n2", "h100"))


@dataclass(frozen=True)
class Layout:
    """Where everything of one Slurm lies.

    Attributes:
        folder: its own; short, for there is a socket in it.
        port: the first of those that it takes: the controller's, then the nodes'.
    """

    folder: Path
    port: int
    nodes: tuple[Node, ...] = NODES

    @property
    def conf(self) -> Path:
        return self.folder / "slurm.conf"

    @property
    def prolog(self) -> Path:
        """What a node says, in lines, that its tasks are to have in the environment."""
        return self.folder / "prolog"

    def libraries(self, node: str) -> Path:
        """The folder in which a node's tasks look for libraries first."""
        return self.folder / "lib" / node

    def log(self, daemon: str) -> Path:
        return self.folder / "log" / f"{daemon}.log"

    def pid_file(self, daemon: str) -> Path:
        return self.folder / "run" / f"{daemon}.pid"

    @property
    def daemons(self) -> list[str]:
        return ["slurmctld", *(node.name for node in self.nodes)]

    def device(self, number: int) -> Path:
        return self.folder / "dev" / f"gpu{number}"


_PROLOG = """\
#!/bin/sh
test ! -d "{0}" || echo export "LD_LIBRARY_PATH={0}"
"""


def files_of(layout: Layout, host: str, user: str) -> dict[Path, str]:
    """Return the text of each configuration file."""
    folder = layout.folder
    return {
        layout.conf: "\n".join(
            [*_controller(layout, host, user), *_nodes(layout, host)]
        ),
        folder / "gres.conf": "".join(
            f"NodeName={node.name} Name=gpu Type={node.gpu} File={layout.device(n)}\n"
            for node in layout.nodes
            for n in range(node.count)
        ),
        # slurmd 22.05 loads a cgroup plugin, whatever tracks the processes, and its
        # own choice fails without systemd; this one is loaded and touches nothing.
        layout.prolog: _PROLOG.format(layout.libraries("$SLURMD_NODENAME")),
        folder / "cgroup.conf": "CgroupPlugin=cgroup/v1\n",
    }


def _controller(layout: Layout, host: str, user: str) -> list[str]:
    folder = layout.folder
    values = {
        "ClusterName": "lab",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": layout.port,
        "AuthType": "auth/none",
        "CredType": "cred/none",
        "SlurmUser": user,
        "SlurmdUser": user,
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool/%n",
        "SlurmctldPidFile": layout.pid_file("slurmctld"),
        "SlurmdPidFile": folder / "run/%n.pid",
        "SlurmctldLogFile": layout.log("slurmctld"),
        "SlurmdLogFile": folder / "log/%n.log",
        "MailProg": "/bin/true",
        "ProctrackType": "proctrack/pgid",
        "TaskPlugin": "task/none",
        "TaskProlog": layout.prolog,
        "JobAcctGatherType": "jobacct_gather/none",
        "SwitchType": "switch/none",
        "MpiDefault": "none",
        "ReturnToService": 2,
        "KillWait": 5,
        "SlurmdTimeout": 10,
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_CPU",
        "SchedulerType": "sched/backfill",
        # Else a job starts seconds after what it waits for is free.
        "SchedulerParameters": (
            "sched_min_interval=50000,batch_sched_delay=0,bf_interval=1"
        ),
        "SlurmdParameters": "config_overrides",  # more CPUs than the host has
        "PreemptType": "preempt/partition_prio",
        "PreemptMode": "CANCEL",
        "GresTypes": "gpu",
    }
    return [f"{key}={value}" for key, value in values.items()]


def _nodes(layout: Layout, host: str) -> list[str]:
    lines = [
        f"NodeName={node.name} NodeHostname={host} NodeAddr=127.0.0.1 "
        f"Port={layout.port + number} CPUs=8 RealMemory=1000 Gres={node.gres}"
        for number, node in enumerate(layout.nodes, 1)
    ]
    everywhere = ",".join(node.name for node in layout.nodes)
    lines += [
        _partition("gpu", everywhere, "Default=YES PriorityTier=1"),
        _partition("urgent", everywhere, "PriorityTier=10"),  # it preempts
        *(
            _partition(gpu, _having(layout.nodes, gpu), "PriorityTier=1")
            for gpu in dict.fromkeys(node.gpu for node in layout.nodes)
        ),
    ]
    return [*lines, ""]


def _having(nodes: Sequence[Node], gpu: str) -> str:
    return ",".join(node.name for node in nodes if node.gpu == gpu)


def _partition(name: str, nodes: str, more: str) -> str:
    return f"PartitionName={name} Nodes={nodes} MaxTime=INFINITE State=UP {more}"
