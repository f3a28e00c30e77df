"""What starting and reading harnesses costs: the plugin's way against others.

    python benchmarks/harness_control.py [--json FILE] [--quick]

The other ways: ``readline``, as the script does that the plugin replaces (a thread per
child, half a second of sleep per line); the same without that sleep; and ``expect``,
pexpect as its manual shows it. The children are a C program; nothing is simulated in
the reading. Every scenario runs in a process of its own. Timings are no assertions:
the exit code says only whether every byte arrived and every child did its work.

Takes 5 minutes on a machine with two idle cores; on one that others use it measures
them too, so the load average is among what it writes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from children import build
from figures import Figure, Goal, table
from measurements import (
    LINES,
    OURS,
    Bench,
    lag_steps,
    measure_idle,
    measure_lag,
    measure_memory,
    measure_run,
    measure_startup,
    measure_throughput,
)


def goals(figures: Sequence[Figure]) -> list[Goal]:
    """Hold our own figures against what is promised."""

    def _ahead(lags: Sequence[Figure]) -> float:
        """Return the greatest ratio of a lag of ours to the least of another way."""
        ratios = []
        for lag in lags:
            others = [each for each in figures if each.measurement == "lag"]
            others = [each for each in others if each.case == lag.case]
            least = min(each.value for each in others if each.way != OURS)
            ratios.append(lag.value / least)
        return max(ratios)

    def ours(measurement: str, case: str = "", way: str = OURS) -> list[Figure]:
        asked = (measurement, way)
        found = [each for each in figures if (each.measurement, each.way) == asked]
        return [each for each in found if each.case.startswith(case)]

    found = []
    for lines in LINES:
        lags = ours("lag", f"{lines} ")
        execs = [ms for each in lags for ms in each.raw["exec_ms"]]
        median, worst = statistics.median(execs), max(execs)
        name = f"first query to main's exec, {lines} lines"
        found.append(Goal(f"{name}, median", median, 3, "ms"))
        found.append(Goal(f"{name}, worst", worst, 50, "ms"))
        found.append(Goal(f"lag, {lines} lines, to the next best", _ahead(lags), 1, ""))
    (exec_ms,) = ours("run", way="-> main's exec")
    found.append(Goal("the same in a run of pytest, median", exec_ms.value, 3, "ms"))
    least, *_, most = [each.value for each in ours("memory")]
    found.append(Goal("memory, most printed less least", most - least, 2, "MB"))
    quiet, ticking = [each.value for each in ours("cpu")]
    (added,) = [each.value for each in ours("startup", way="added to a forked run")]
    (alone,) = ours("startup", way="its import alone")
    return [
        *found,
        Goal("CPU beside 7 quiet children", quiet, 0.2, "%"),
        Goal("CPU beside 7 children with 1 line/s", ticking, 0.3, "%"),
        Goal("plugin load, its import alone", alone.value, 10, "ms"),
        Goal("plugin load, added to a pytest run", added, 10, "ms"),
        Goal("heavy modules it imports", len(alone.raw["imported"]), 1, ""),
    ]


def measure(bench: Bench) -> list[Figure]:
    """Measure everything and print each table as soon as it is known."""
    lags = measure_lag(bench)
    processors, slow_lags = measure_idle(bench)
    lags = sorted(lags + slow_lags, key=lambda each: int(each.case.split()[0]))
    figures: list[Figure] = []

    def show(title: str, found: Sequence[Figure]) -> None:
        print(table(title, found), flush=True)
        figures.extend(found)

    show("1. Lag: the last background's first query to main's first act", lags)
    show("1b. Where it goes", lag_steps(lags))
    show("1c. In a run of pytest: from the last first query", measure_run(bench))
    show("2. Throughput: children that print without pause", measure_throughput(bench))
    show("3. CPU of the reader while main runs, of one core", processors)
    show("4. Memory: growth of the peak up to the marker", measure_memory(bench))
    show("5. Start-up", measure_startup(bench))
    return figures


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load before": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "pexpect": version("pexpect"),
        "pytest": version("pytest"),
        "pytest-mighetero": version("pytest-mighetero"),
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--quick", action="store_true", help="measure little, in 30 s")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and write what was asked for."""
    asked = arguments()
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Bench(build(Path(folder)), quick=asked.quick))
    reached = goals(figures)
    print("\nGoals", *reached, sep="\n")
    if asked.json:
        everything = {
            **about,
            "quick": asked.quick,
            "figures": [asdict(each) for each in figures],
            "goals": [{**asdict(each), "met": each.met} for each in reached],
        }
        asked.json.write_text(json.dumps(everything, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
