"""Starts and stops the one-host Slurm, and looks at it."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.processes import alive, mentions, parent, until
from tests.lab.slurm.configuration import NODES, Layout, Node, files_of

PROGRAMS = ("slurmctld", "slurmd", "srun", "salloc", "squeue", "scancel", "sinfo")
START_S = 20.0  # until all nodes are idle; a second is usual
END_S = 20.0  # until all jobs, then all daemons, have ended


class LabError(Exception):
    """The Slurm of the tests does not do what it should; the message ends with logs."""


def missing() -> list[str]:
    """Return which of Slurm's programs are not on PATH (/usr/sbin has some)."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True)
class Cluster:
    """One Slurm; whoever has ``environment`` speaks to it.

    Attributes:
        children: its daemons, by name, as far as this process has started them.
        guests: the steps that this process has started in it.
    """

    layout: Layout
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    guests: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.layout.conf)}

    def ask(self, *command: str, timeout: float = 20) -> str:
        """Return what one of Slurm's programs says.

        Raises:
            LabError: it fails.
        """
        done = subprocess.run(
            command,
            env=outside(os.environ) | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise self._fault(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def start_step(self, job: str, *words: str) -> None:
        """Start one in *job* that holds its place until it is cancelled."""
        before = len(self.steps())
        self.guests.append(
            subprocess.Popen(
                ["srun", "--quiet", f"--jobid={job}", *words, "sleep", "600"],
                env=outside(os.environ) | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        until(lambda: len(self.steps()) > before)

    def jobs(self) -> list[str]:
        """Return the ids of the jobs that wait, run, or are being cleaned up after."""
        return self.ask("squeue", "--noheader", "--format=%i").split()

    def steps(self) -> list[str]:
        """Return the ids of the steps of workers: ``JOB.STEP``."""
        steps = self.ask("squeue", "--noheader", "--steps", "--format=%i").split()
        return [step for step in steps if step.rpartition(".")[2].isdigit()]

    def states(self) -> dict[str, str]:
        """Return the state of each node by its name."""
        said = self.ask("sinfo", "--noheader", "--Node", "--format=%N %T").split()
        return dict(zip(said[::2], said[1::2], strict=True))

    def start(
        self, *, tethered: bool, private: Mapping[str, Sequence[Path]] | None = None
    ) -> None:
        """Start it, and wait until every node is idle.

        Args:
            tethered: whether its daemons are to die with this process.
            private: by node, the folders of which it is to have empty ones of its own.

        Raises:
            LabError: a daemon ends, or a node does not become idle.
        """
        layout = self.layout
        for name in ("state", "log", "run", "dev"):
            (layout.folder / name).mkdir(parents=True, exist_ok=True)
        for node in layout.nodes:
            (layout.folder / "spool" / node.name).mkdir(parents=True, exist_ok=True)
            for number in range(node.count):
                # It has to be a device, or Slurm sets no CUDA_VISIBLE_DEVICES.
                with suppress(FileExistsError):
                    layout.device(number).symlink_to("/dev/null")
        host = socket.gethostname().partition(".")[0]
        for path, text in files_of(layout, host, getpass.getuser()).items():
            path.write_text(text)
        layout.prolog.chmod(0o755)
        tie = ["setpriv", "--pdeathsig", "TERM"] if tethered else []
        self._daemon("slurmctld", [*tie, "slurmctld", "-D", "-c"])
        for node in layout.nodes:
            folders = (private or {}).get(node.name, ())
            own = [*_PRIVATE, *map(str, folders), "--"] if folders else []
            command = [*own, *tie, "slurmd", "-D", "-N", node.name]
            self._daemon(node.name, command)
        self._wait_for_nodes()

    def crash(self, node: str) -> None:
        """Kill all that runs on a node at once, its daemons first."""
        needles = [f"SLURMD_NODENAME={node}", f"SLURM_CONF={self.layout.conf}"]
        tasks = [
            int(folder.name)
            for folder in Path("/proc").glob("[0-9]*")
            if all(mentions(folder.name, each.encode()) for each in needles)
        ]
        parents = {parent(pid) for pid in tasks} - {*tasks, 0, 1}
        slurmd = self.children[node]
        _send(signal.SIGKILL, [slurmd.pid, *parents, *tasks])
        slurmd.wait()

    def bring_back(self, node: str) -> None:
        """Start a node again that has crashed."""
        tie = ["setpriv", "--pdeathsig", "TERM"]
        self._daemon(node, [*tie, "slurmd", "-D", "-N", node])
        until(lambda: not self.states()[node].startswith("down"))

    def _daemon(self, name: str, command: list[str]) -> None:
        with (self.layout.folder / "log" / f"{name}.out").open("w") as out:
            self.children[name] = subprocess.Popen(
                command,
                env=outside(os.environ) | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.layout.folder,
                start_new_session=True,
            )

    def _wait_for_nodes(self) -> None:
        limit = time.monotonic() + START_S
        while True:
            if ended := [k for k, each in self.children.items() if each.poll()]:
                raise self._fault(f"{', '.join(ended)} ended at once")
            with suppress(LabError):  # slurmctld does not listen yet
                if set(self.states().values()) == {"idle"}:
                    return
            if time.monotonic() > limit:
                raise self._fault(f"not every node was idle after {START_S:g} s")
            time.sleep(0.05)

    def resume(self, node: str) -> None:
        """Have a node that is down take jobs again, unless it does so by itself."""
        with suppress(LabError):
            self.ask("scontrol", "update", f"nodename={node}", "state=resume")
        until(lambda: "down" not in self.states()[node])

    def cancel_all(self) -> None:
        """Cancel every job, and wait until each is gone."""
        limit = time.monotonic() + END_S
        while jobs := self.jobs():
            self.ask("scancel", "--full", f"--user={getpass.getuser()}")
            if time.monotonic() > limit:
                raise self._fault(f"jobs {', '.join(jobs)} do not end")
            time.sleep(0.1)
        while self.guests:
            self.guests.pop().wait(END_S)

    def stop(self) -> None:
        """Stop it: jobs first, then the daemons.

        Raises:
            LabError: one does not end; it is killed.
        """
        try:
            if "slurmctld" in self._pids():
                self.cancel_all()
        finally:
            self._end_daemons()

    def _end_daemons(self) -> None:
        """End the nodes first: their last steps report to the controller."""
        pids = self._pids()
        controller = {k: pids.pop(k) for k in ("slurmctld",) if k in pids}
        left = [*self._end(pids), *self._end(controller)]
        if left:
            raise self._fault(f"{', '.join(left)} did not end within {END_S:g} s")

    def _end(self, pids: Mapping[str, int]) -> list[str]:
        """End daemons; return those that had to be killed."""
        _send(signal.SIGTERM, pids.values())
        limit = time.monotonic() + END_S
        while left := [name for name, pid in pids.items() if self._runs(name, pid)]:
            if time.monotonic() > limit:
                _send(signal.SIGKILL, (pids[name] for name in left))
                until(lambda: not any(self._runs(name, pids[name]) for name in left))
                return left
            time.sleep(0.05)
        return []

    def _runs(self, name: str, pid: int) -> bool:
        if name in self.children:
            return self.children[name].poll() is None
        return alive(pid)

    def _pids(self) -> dict[str, int]:
        pids = {k: each.pid for k, each in self.children.items() if each.poll() is None}
        for name in self.layout.daemons:
            with suppress(FileNotFoundError, ValueError):
                pid = int(self.layout.pid_file(name).read_text())
                if alive(pid):
                    pids[name] = pid
        return pids

    def _fault(self, what: str) -> LabError:
        logs = [
            path
            for name in self.layout.daemons
            for path in (
                self.layout.log(name),
                self.layout.log(name).with_suffix(".out"),
            )
            if path.exists() and path.stat().st_size
        ]
        tails = [f"--- {path}\n{_tail(path)}" for path in logs]
        return LabError("\n".join([f"the Slurm of the tests: {what}", *tails]))


_PRIVATE = [
    "unshare",
    "--mount",
    sys.executable,
    str(Path(__file__).with_name("private.py")),
]


def outside(environment: Mapping[str, str]) -> dict[str, str]:
    """Return *environment* as it is outside every job."""
    ours = ("SLURM", "SALLOC", "SBATCH", "SQUEUE", "SINFO", "SCANCEL")
    return {k: v for k, v in environment.items() if not k.startswith(ours)}


def free_ports(count: int) -> int:
    """Return the first of *count* ports in a row that nobody listens on."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        if port + count < 65536 and all(map(_is_free, range(port, port + count))):
            return port
    raise LabError(f"no {count} ports in a row are free")


def layout_of(folder: Path, nodes: tuple[Node, ...] = NODES) -> Layout:
    """Return a layout in *folder*, on ports that are free now."""
    return Layout(folder, free_ports(len(nodes) + 1), nodes)


def _is_free(port: int) -> bool:
    with socket.socket() as one, suppress(OSError):
        one.bind(("0.0.0.0", port))
        return True
    return False


def _send(number: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
