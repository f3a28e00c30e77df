"""The interference matrix of three benchmarks, against cells with sets of their own.

Ours: one set of each aggressor serves all victims. Naive: every cell starts a set of
its own, which runs out as planned, or is stopped with main (automatic). Real make,
LoadGen and NumPy models on simulated instances; 15 minutes:

    python benchmarks/interference.py [--quick]

``--quick``: one benchmark for 2 s, beside itself, in 30 s.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import Goal

NAMES = ("dlrm_offline", "rnnt_offline", "ssd-mobilenet_offline")
QUICK = ("ssd-mobilenet_offline",)
TEST = """\
import pytest


@pytest.mark.isolated
def test_isolated(main):
    main.run()


def test_heterogeneous(background, main):
    main.run()
"""
GOAL_S = 360.0


def run(names: tuple[str, ...], *options: str) -> tuple[float, dict[str, Any]]:
    """Run the matrix; return its seconds, and what it wrote.

    Raises:
        SystemExit: a run failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_run.py").write_text(TEST)
        (folder / "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, "-m", "pytest", "--quiet", "--mig-suite=cpu"]
        command += ["--mig-lease-dir=leases", f"--mig-interference={','.join(names)}"]
        # A rate that others on the machine held down while it was tried is too low.
        command += ["--target-qps-backoff=50%"]
        begin = time.monotonic()
        done = subprocess.run(
            [*command, *options],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
        )
        seconds = time.monotonic() - begin
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        text = (folder / "results" / "interference.json").read_text()
        document: dict[str, Any] = json.loads(text)
        return seconds, document


def cells(document: dict[str, Any]) -> list[str]:
    """Return a line for each cell."""
    return [
        f"  {each['victim']} beside {each['count']} x {each['aggressor']}: "
        f"{each['slowdown']:.2f}"
        for each in document["cells"]
    ]


def main() -> None:
    """Measure the ways, print the ratios, and hold ours against the goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure little, in 30 s")
    quick = parser.parse_args().quick
    names = QUICK if quick else NAMES
    how = ["--main-benchmark-duration=2s"] if quick else []
    shared, document = run(names, *how)
    runs = len(names) + len(names) ** 2
    print(
        f"one set for all victims: {shared:.1f} s, {runs} runs",
        *cells(document),
        sep="\n",
    )
    for duration in ("automatic",) if quick else ("planned", "automatic"):
        option = f"--background-benchmark-duration={duration}"
        own, document = run(names, "--background-scope=test", option, *how)
        title = f"a set for each cell, {duration}: {own:.1f} s"
        print(title, *cells(document), sep="\n")
        print(f"shared / {duration}: {shared / own:.2f}", flush=True)
    if quick:
        return
    goal = Goal("three benchmarks, alone and beside each", shared, GOAL_S, "s")
    print(goal)
    if not goal.met:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
