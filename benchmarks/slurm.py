"""What spreading runs by Slurm gives and costs: serial, local workers, Slurm's.

On the tests' own Slurm, of two virtual nodes with four GPUs each on this host. Prints
the seconds of eight runs whose harnesses mostly wait, by workers; what an allocation
and the start of a worker take; what a test and its messages cost; and the memory, open
files and srun processes of a controller with up to 16 workers.

    python benchmarks/slurm.py [--quick]

Takes 25 minutes; needs gcc and Debian's slurmctld, slurmd and slurm-client. Timings
are no assertions: the exit code says whether every run was green.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import Figure, Goal, table

from tests.lab.driver import FAKE
from tests.lab.slurm.cluster import Cluster, layout_of, missing, outside
from tests.lab.slurm.configuration import Node
from tests.lab.slurm.gpus import library

NODES = (Node("n1", "a100", 4), Node("n2", "h100", 4))
RUNS, EMPTY = 8, 1000
RUN = "def test_heterogeneous(background, main):\n    main.run()\n"
NOTHING = """\
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_nothing(number):
    pass
"""
BACKGROUND, DURATION = "bert", "automatic"


@dataclass(frozen=True)
class Session:
    """One pytest, from outside and as its probe saw it.

    Attributes:
        seconds: it took.
        probe: what slurm_probe.py wrote.
        files: the most that were open at once.
        sruns_mb: the most memory that its sruns had, shared pages parted.
        junit_bytes: of its report.
    """

    seconds: float
    probe: dict[str, Any]
    files: int
    sruns_mb: float
    junit_bytes: int

    @property
    def places_s(self) -> float:
        """Until every worker had an allocation, and the nodes were checked."""
        return float(self.probe["starts"] - self.probe["places"])

    @property
    def start_s(self) -> float:
        """From there until the last worker was up."""
        return float(max(self.probe["ready"]) - self.probe["starts"])

    @property
    def per_test(self) -> tuple[float, float, float]:
        """Milliseconds, messages and bytes of a test."""
        first, last = self.probe["ended"][0], self.probe["ended"][-1]
        tests = len(self.probe["ended"]) - 1
        ms, messages, size = (b - a for a, b in zip(first, last, strict=True))
        return 1e3 * ms / tests, messages / tests, size / tests


class Bench:
    """Runs pytests in folders of their own, some with workers of Slurm's."""

    def __init__(self, folder: Path, cluster: Cluster, main_s: float):
        self._folder, self._main_s, self._count = folder, main_s, 0
        path = library(_compiled, folder / "driver", NODES).parent
        self._environment = outside(os.environ) | cluster.environment
        self._environment |= {"LD_LIBRARY_PATH": str(path)}

    def runs(self, *options: str) -> Session:
        """Measure RUNS heterogeneous runs."""
        words = [f"--mig-suite={FAKE / 'fake.toml'}", f"--mig-harness-dir={FAKE}"]
        words += [f"--background-benchmarks={BACKGROUND}", "-k", "dlrm_server"]
        words += [f"--background-benchmark-duration={DURATION}"]
        words += [f"--main-benchmark-duration={self._main_s}s", f"--mig-repeat={RUNS}"]
        return self._session(RUN, [*words, *options])

    def nothing(self, count: int, *options: str) -> Session:
        """Measure *count* tests that do nothing."""
        return self._session(NOTHING.format(count=count), options)

    def _session(self, test: str, options: Sequence[str]) -> Session:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        (folder / "test_it.py").write_text(test)
        (folder / "pytest.ini").write_text("[pytest]\njunit_family = xunit1\n")
        shutil.copy(Path(__file__).with_name("slurm_probe.py"), folder / "conftest.py")
        words = ["-p", "no:cacheprovider", "--junitxml=report.xml", *options]
        command = [sys.executable, "-m", "pytest", "-q", "--mig-lease-dir=leases"]
        with (folder / "out").open("w") as out:
            begin = time.monotonic()
            process = subprocess.Popen(
                [*command, *words],
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            files, sruns_mb = _watch(process)
            seconds = time.monotonic() - begin
        if process.returncode:
            raise SystemExit((folder / "out").read_text())
        probe = json.loads((folder / "probe.json").read_text())
        size = (folder / "report.xml").stat().st_size
        return Session(seconds, probe, files, sruns_mb, size)


def _compiled(source: str, name: str, *flags: str) -> Path:
    (include,) = (flag[2:] for flag in flags if flag.startswith("-I"))
    target = Path(include, name)
    program = FAKE.parent / source
    command = ["gcc", *flags, "-o", str(target), str(program)]
    subprocess.run(command, check=True)
    return target


def _watch(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Return the most files a process has open at once, and its sruns' memory in MB."""
    files, memory = 0, 0.0
    while process.poll() is None:
        with suppress(OSError):
            files = max(files, len(os.listdir(f"/proc/{process.pid}/fd")))  # noqa: PTH208
            memory = max(memory, sum(_srun_mb(process.pid)))
        time.sleep(0.05)
    return files, memory


def _srun_mb(pid: int) -> Iterable[float]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            with suppress(OSError):  # it has ended meanwhile
                if Path(f"/proc/{child}/comm").read_text() == "srun\n":
                    rollup = Path(f"/proc/{child}/smaps_rollup").read_text()
                    words = rollup.split()
                    yield int(words[words.index("Pss:") + 1]) / 1024


def slurm(workers: int) -> list[str]:
    """Return the options for so many workers of Slurm's, a GPU each."""
    if workers > sum(node.count for node in NODES):
        return [f"-n{workers}", "--mig-slurm=--gres=gpu:1", "--mig-slurm-packed=2"]
    return [f"-n{workers}", "--mig-slurm=--gres=gpu:1"]


def scaling(bench: Bench, workers: Sequence[int], rounds: int) -> list[Goal]:
    """Print what so many workers make of the same runs, by turns."""
    ways = {"one after another": ("", ["-n0"])}
    for count in workers:
        case = f"{count} worker{'s' * (count > 1)}"
        ways |= {f"{case}, local": (case, [f"-n{count}"])}
        ways |= {f"{case}, Slurm": (case, slurm(count))}
    seen: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (_, options) in ways.items():
            seen[way].append(bench.runs(*options).seconds)
    serial = seen["one after another"]
    figures = []
    for way, seconds in seen.items():
        share = statistics.median(s / a for s, a in zip(seconds, serial, strict=True))
        note = f"{share:.2f} of it" if seconds is not serial else ""
        middle = statistics.median(seconds)
        figures.append(Figure("scaling", "", way, middle, "s", note))
    print(table(f"{RUNS} runs", figures))
    four = seen["4 workers, Slurm"]
    share = statistics.median(s / a for s, a in zip(four, serial, strict=True))
    return [Goal("4 workers, of the serial time", 100 * share, 100 / 3, "%")]


def overhead(bench: Bench, workers: Sequence[int], rounds: int) -> None:
    """Print what workers cost, with tests that cost nothing."""
    figures, memory = [], []
    for count in workers:
        for way, options in (("local", [f"-n{count}"]), ("Slurm", slurm(count))):
            all_of_it = [bench.nothing(RUNS, *options) for _ in range(rounds)]
            case = f"{count} worker{'s' * (count > 1)}"
            middle = statistics.median(each.seconds for each in all_of_it)
            places = statistics.median(each.places_s for each in all_of_it)
            starts = statistics.median(each.start_s for each in all_of_it)
            note = f"places {places:.2f} s, start {starts:.2f} s"
            figures.append(Figure("worker", case, way, middle, "s", note))
            last = all_of_it[-1]
            note = f"{last.files} open files, sruns {last.sruns_mb:.1f} MB"
            peak = statistics.median(each.probe["peak_kb"] for each in all_of_it)
            memory.append(Figure("memory", case, way, peak / 1024, "MB", note))
    print(table(f"{RUNS} tests of nothing", figures))
    print(table("Memory of the controller", memory))


def per_test(bench: Bench, tests: int, rounds: int) -> None:
    """Print what a test costs, one that does nothing and a run."""
    figures = []
    ways = {"no xdist": ["-n0"], "local": ["-n2"], "Slurm": slurm(2)}
    for way, options in ways.items():
        seen = [bench.nothing(tests, *options) for _ in range(rounds)]
        ms = statistics.median(each.per_test[0] for each in seen)
        _, messages, size = seen[0].per_test
        note = f"{messages:.1f} messages, {size:.0f} bytes"
        figures.append(Figure("test", "a test of nothing", way, ms, "ms", note))
    run = bench.runs(*slurm(1))
    ms, messages, size = run.per_test
    note = f"{messages:.1f} messages, {size:.0f} bytes, junit {run.junit_bytes // RUNS}"
    figures.append(Figure("test", "a run", "Slurm", ms, "ms", note))
    print(table("Each test", figures))


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure little, in 40 s")
    quick = parser.parse_args().quick
    if programs := missing():
        print(
            f"No Slurm here: {', '.join(programs)} are not on PATH. Nothing measured."
        )
        return 0
    rounds, main_s = (1, 1.0) if quick else (3, 10.0)
    with tempfile.TemporaryDirectory() as name:
        cluster = Cluster(layout_of(Path(name, "slurm"), NODES))
        try:
            cluster.start(tethered=True)
            bench = Bench(Path(name), cluster, main_s)
            goals = scaling(bench, (4,) if quick else (1, 2, 4, 8), rounds)
            overhead(bench, (2,) if quick else (1, 2, 4, 8, 16), rounds)
            per_test(bench, EMPTY // 10 if quick else EMPTY, rounds)
        finally:
            cluster.stop()
    if not quick:  # whose runs are shorter than the start of a session
        print("\nGoals", *goals, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
