"""What it costs to watch a run: main's own figure, and pytest's CPU time meanwhile.

The same run by turns: with nobody watching (a pipe, ``--mig-heartbeat=0``), with a
heartbeat a second, and on a terminal of 80 columns (a pty) that shows every harness.
Main has a core to itself and counts how often it gets to work there, so whatever takes
that core, or the machine, shows. Seven backgrounds wait beside it, as those of
``harness_control.py`` do.

    python benchmarks/live.py [--quick]

Takes 5 minutes. Timings are no assertions: the exit code says whether main ran.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from children import build
from figures import Figure, Goal, table
from scenarios import _HARNESS, _SUITE, _TEST

_BACKGROUNDS = 7
_SETTLE_S = 1.0
_LIMIT_S = 120
_WAYS = {
    "nobody watches": ["--mig-heartbeat=0"],
    "a heartbeat a second": ["--mig-heartbeat=1s"],
    "a terminal": [],
}
# It hashes in a core of its own, and says so as a harness with LoadGen would.
_MAIN = """\
import hashlib, os, sys, time
folder, seconds = sys.argv[1], float(sys.argv[2])
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
print("Starting running actual test.", flush=True)
line = ':::MLLOG {"key": "generated_query_count", "value": 1, "time_ms": 0.1}'
with open(f"{folder}/mlperf_log_detail.txt", "w") as log:
    print(line, file=log)
open(f"{folder}/begun", "w").close()
data, count, end = bytes(65536), 0, time.monotonic() + seconds
while time.monotonic() < end:
    hashlib.sha256(data).digest()
    count += 1
with open(f"{folder}/note", "w") as note:
    note.write(str(count / seconds))
"""


@dataclass(frozen=True)
class Watched:
    """One run: main's figure per second, and pytest's CPU time in percent of a core."""

    rate: float
    cpu_percent: float


def run_once(program: Path, way: str, seconds: float) -> Watched:
    """Run pytest that way, and look at it from outside."""
    names = ["main", *(f"background-{number}" for number in range(_BACKGROUNDS))]
    devices = [f"MIG-00000000-0000-0000-0000-{n:012}" for n in range(len(names))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        main = f"{sys.executable} {folder}/main.py $(LOG_DIR) {seconds}"
        others = _HARNESS.format(program=program)
        target = "ifneq ($(findstring --benchmarks=main,$(RUN_ARGS)),)\n"
        made = f"run_harness:\n\t@exec {main}\nelse\n{others}endif\n"
        (folder / "Makefile").write_text(target + made)
        (folder / "main.py").write_text(_MAIN)
        lines = [f'{each} = {{ scenarios = ["offline"] }}\n' for each in names]
        (folder / "bench.toml").write_text(_SUITE.format() + "".join(lines))
        (folder / "test_run.py").write_text(_TEST)
        words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
        words += ["--mig-suite=bench.toml", "--mig-lease-dir=leases", "-k"]
        words += ["main_offline", f"--mig-devices={','.join(devices)}", *_WAYS[way]]
        words += [f"--main-benchmark-duration={round(1e3 * seconds)}"]
        return _watched(words, folder, way, seconds)


def _watched(words: list[str], folder: Path, way: str, seconds: float) -> Watched:
    end, near = os.openpty() if way == "a terminal" else os.pipe()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(
        words, cwd=folder, stdout=near, stderr=near, env=environment
    )
    os.close(near)
    printed = bytearray()
    reader = threading.Thread(target=_drain, args=(end, printed))
    reader.start()
    (begun,) = _found(folder, "results/*/main/logs/begun", process)
    time.sleep(_SETTLE_S)
    before, begin = _used_s(process.pid), time.monotonic()
    time.sleep(seconds - 2 * _SETTLE_S)
    percent = 100 * (_used_s(process.pid) - before) / (time.monotonic() - begin)
    (note,) = _found(folder, "results/*/main/logs/note", process)
    process.wait(_LIMIT_S)
    reader.join()
    os.close(end)
    shown = b"background-1_offline" in bytes(printed)
    if shown != (way == "a terminal") and begun.exists():
        raise SystemExit(f"{way}: {printed.decode(errors='replace')}")
    return Watched(float(note.read_text()), percent)


def _drain(end: int, printed: bytearray) -> None:
    with suppress(OSError):
        while data := os.read(end, 65536):
            printed += data


def _found(folder: Path, pattern: str, process: subprocess.Popen[bytes]) -> list[Path]:
    limit = time.monotonic() + _LIMIT_S
    while not (found := [p for p in folder.glob(pattern) if _is_whole(p)]):
        if process.poll() is not None or time.monotonic() > limit:
            raise SystemExit(f"main did not come to {pattern}")
        time.sleep(0.05)
    return found


def _is_whole(path: Path) -> bool:
    return path.name == "begun" or path.stat().st_size > 0


def _used_s(pid: int) -> float:
    """Sum up the nanoseconds of all its threads."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9


def main() -> int:
    """Measure by turns, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure little, in 25 s")
    quick = parser.parse_args().quick
    rounds, seconds = (1, 3.0) if quick else (5, 15.0)
    seen: dict[str, list[Watched]] = {way: [] for way in _WAYS}
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        for _ in range(rounds):
            for way, runs in seen.items():
                runs.append(run_once(program, way, seconds))
    rates = {k: statistics.median(e.rate for e in runs) for k, runs in seen.items()}
    used = {k: statistics.median(e.cpu_percent for e in v) for k, v in seen.items()}
    case = f"main beside {_BACKGROUNDS}"
    alone = seen["nobody watches"]
    spread = max(e.rate for e in alone) / min(e.rate for e in alone) - 1
    differs = {
        way: 100 * (1 - rate / rates["nobody watches"]) for way, rate in rates.items()
    }
    figures = [
        Figure("rate", case, way, rate, "/s", f"{differs[way]:+.2f} % less")
        for way, rate in rates.items()
    ]
    print(table(f"Main's own figure; {100 * spread:.2f} % from run to run", figures))
    cpu = [Figure("cpu", case, way, value, "%") for way, value in used.items()]
    print(table("CPU of pytest while main runs, of one core", cpu))
    goals = [Goal(f"CPU of pytest, {k}", value, 0.2, "%") for k, value in used.items()]
    print("\nGoals", *goals, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
