"""What a results folder with many records costs, against one with few, or none.

    python benchmarks/records.py [--quick]

Makes 20,000 records as a nightly matrix leaves them (12 pairs, main and six backgrounds
each; ``--quick``: 2,000). Prints seconds and peak memory of ``mighetero show``,
``compare``, ``trend``, ``report`` and ``junit``, of all of them and of a selection (one
pair), beside what 120 records take; and of a dry run that looks in vain for a good run
of its own, beside one without any records: what that takes more is what history costs
a session's start. The first time there is no index. ``same``: all the records are of
the pair that starts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCHMARKS = ("bert", "dlrm", "resnet50", "rnnt", "ssd-mobilenet", "ssd-resnet34")
PAIRS = tuple(f"{b}_{s}" for b in BENCHMARKS for s in ("offline", "server"))
MEASURED = "dlrm_server"
# Looks for its history, and starts nothing.
START = [
    *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
    *("--mig-suite=cpu", "--dryrun", "-k", f"[{MEASURED}]"),
]
TEST = "def test_heterogeneous(background, main):\n    main.run()\n"
ROUNDS = 3


@dataclass(frozen=True)
class Cost:
    """What a process cost: seconds, the best of several, and its peak memory in MB."""

    seconds: float
    peak_mb: float


def harness(folder: Path, pair: str, number: int) -> dict[str, Any]:
    """Return what a record holds of one harness."""
    benchmark, _, scenario = pair.rpartition("_")
    run_args = (
        f"--benchmarks={benchmark} --scenarios={scenario} --config_ver=default "
        f"--min_duration=600000 --server_target_qps={1000 + number % 7}"
    )
    settings = {
        "scenario": scenario.capitalize(),
        "test_mode": "PerformanceOnly",
        "min_duration_ms": 600000,
        "min_query_count": 270336,
        "target_qps": 1000.0 + number % 7,
        "target_latency_ns": 30000000,
        "samples_per_query": 1,
        "qsl_rng_seed": 6655344265603136530,
    }
    names = (50.0, 90.0, 95.0, 97.0, 99.0, 99.9)
    reasons = ["Performance constraints not met: 99th percentile latency is 31.2 ms."]
    return {
        "role": "main",
        "benchmark": benchmark,
        "scenario": scenario,
        "action": "run_harness",
        "device": {
            "uuid": "MIG-00000000-0000-0000-0000-000000000001",
            "profile": "1g.10gb",
            "memory_bytes": 10200547328,
            "slot": 0,
            "gi": 7,
            "ci": 0,
            "multiprocessors": 14,
            "sm_share": 0.14285714285714285,
        },
        "run_args": run_args,
        "command": f"cd /srv/closed/org && CUDA_VISIBLE_DEVICES=MIG-0 make run_harness "
        f"LOG_DIR={folder}/main/logs 'RUN_ARGS={run_args}'",
        "min_duration_s": 600.0,
        "log_dir": f"{folder}/main/logs",
        "output": f"{folder}/main/output.log",
        **dict.fromkeys(("launched", "started", "finished", "exited"), 1795794974.04),
        "stopped": None,
        "exit_code": 0,
        "asked": [
            {"name": name, "value": str(value), "said_by": f"--{name}={value}"}
            for name, value in settings.items()
        ],
        "ran_otherwise": [],
        "loadgen": {
            "folder": f"{folder}/main/logs/A100-SXM4-80GBx1/{benchmark}/{scenario}",
            "loadgen_version": "2.0 @ 7d8b1e0e8a",
            "scenario": scenario.capitalize(),
            "mode": "PerformanceOnly",
            "metric": {
                "name": "scheduled samples per second",
                "value": 998.0 + number % 5,
                "unit": "samples/s",
                "higher_is_better": True,
            },
            "valid": number % 10 > 0,
            "invalid_reasons": [] if number % 10 else reasons,
            "target_qps": settings["target_qps"],
            "target_latency_ms": 30.0,
            "percentiles_ms": {f"{name:g}": 1.25 * name / 5 for name in names},
            "requested": settings,
            "settings": settings,
            "errors": [],
            "warnings": ["Ignoring unsupported setting."] * 2,
            "windows": [
                {"begin": 1795794974.1, "end": 1795795574.4, "source": "loadgen"}
            ],
            "damage": [],
        },
        "activity": {"median": 98.0, "idle_s": 0.0, "samples": 600},
    }


def record(folder: Path, pair: str, number: int, suite: str) -> dict[str, Any]:
    """Return the record of a run of *pair*; every tenth one was INVALID."""
    benchmark, _, scenario = pair.rpartition("_")
    beside = [each for each in BENCHMARKS if each != benchmark]
    main = harness(folder, pair, number)
    bad = "Main failed: the result is INVALID.\n" + "  a line that it printed\n" * 20
    ended = "passed" if number % 10 else "failed"
    passed = {"outcome": "passed", "text": "", "seconds": 42.5}
    others = [harness(folder, f"{each}_offline", number) for each in [*beside, "bert"]]
    return {
        "version": 1,
        "pytest_mighetero": "0.1.0",
        "invocation": "pytest --background-benchmarks=datacenter",
        "test": f"test_run.py::test_heterogeneous[{pair}]",
        "session": f"{number // len(PAIRS):032x}",
        "suite": suite,
        "phases": {
            "setup": passed,
            "call": {**passed, "outcome": ended, "text": "" if number % 10 else bad},
            "teardown": passed,
        },
        "facts": {
            "benchmark": benchmark,
            "scenario": scenario,
            "action": "run_harness",
            "suite": suite,
            "run": "heterogeneous",
            "device_uuid": main["device"]["uuid"],
            "device_profile": "1g.10gb",
            "gpu": "NVIDIA A100-SXM4-80GB",
            "driver": "550.54.15",
            "harness_dir": "/srv/closed/org",
            "backgrounds": ",".join(beside),
            "run_args": main["run_args"],
            "command": main["command"],
            "log_dir": main["log_dir"],
            "background_duration_s": "900.000",
            "background_duration_by": "history",
            "exit_code": "0",
            "seconds": "600.300",
            "validity": "VALID" if number % 10 else "INVALID",
            "metric": "scheduled samples per second",
            "value": f"{998 + number % 5}",
            "unit": "samples/s",
            "mode": "PerformanceOnly",
            "target_qps": f"{1000 + number % 7}",
            "p99_ms": f"{24 + number % 3}.75",
            "latency_limit_ms": "30",
            "overlap_ok": "true",
            "overlap_source": "loadgen",
            "start_margin_s": "61.250",
            "end_margin_s": "33.125",
        },
        "attempts": [],
        "tuning": [],
        "harnesses": [
            {**each, "role": f"background-{at}-{each['benchmark']}" if at else "main"}
            for at, each in enumerate([main, *others])
        ],
        "overlap": [
            {"name": each, "start_s": 61.25, "end_s": 33.125, "covered": 1.0}
            for each in beside
        ],
        "telemetry": {"power_w": {"min": 190.5, "mean": 287.1, "max": 301.0}},
    }


def make_records(results: Path, count: int, pairs: tuple[str, ...]) -> int:
    """Write *count* records of *pairs* in turn; return their bytes."""
    written = 0
    begin = time.mktime((2024, 1, 1, 0, 0, 0, 0, 0, -1))
    for number in range(count):
        pair = pairs[number % len(pairs)]
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(begin + 900 * number))
        folder = results / f"{stamp}-{pair}"
        folder.mkdir(parents=True)
        text = json.dumps(record(folder, pair, number, "cpu"), indent=2)
        (folder / "record.json").write_text(text)
        written += len(text)
    return written


def cost(command: list[str], folder: Path, rounds: int) -> Cost:
    """Run *command* in *folder* and return what it cost."""
    every = []
    for _ in range(rounds):
        begin = time.monotonic()
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(command, cwd=folder, stdout=output)
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
        every.append(Cost(seconds, usage.ru_maxrss / 1024))
    return min(every, key=lambda each: each.seconds)


def commands(kept: str) -> dict[str, list[str]]:
    """Return what is measured of the records in *kept*, by its name."""
    verb = [sys.executable, "-m", "pytest_mighetero.cli"]
    few, results, selected = "few/results", f"{kept}/results", f"--select={MEASURED}"
    return {
        "show, all": [*verb, "show", results],
        "show, a selection": [*verb, "show", selected, results],
        "show --json, all": [*verb, "show", "--json", results],
        "compare, all": [*verb, "compare", few, results],
        "compare, a selection": [*verb, "compare", selected, few, results],
        "trend, all": [*verb, "trend", results],
        "trend, a selection": [*verb, "trend", selected, results],
        "trend -o, all": [*verb, "trend", "-o", "trend.svg", results],
        "report, all": [*verb, "report", "-o", "report.html", results],
        "junit, all": [*verb, "junit", "-o", "report.xml", results],
        "junit, a selection": [*verb, "junit", selected, "-o", "report.xml", results],
    }


def make_project(folder: Path, count: int, pairs: tuple[str, ...] = PAIRS) -> int:
    """Make a folder with a test and with *count* records; return their bytes."""
    folder.mkdir()
    (folder / "test_run.py").write_text(TEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return make_records(folder / "results", count, pairs)


def row(what: str, many: Cost, base: Cost) -> None:
    """Print one line of the table."""
    print(
        f"{what:<34} {many.seconds:8.2f} {many.peak_mb:8.0f} {base.seconds:8.2f} "
        f"{base.peak_mb:8.0f} {many.seconds - base.seconds:+9.2f} "
        f"{many.seconds / base.seconds:6.1f} {many.peak_mb / base.peak_mb:6.1f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="2,000 records")
    quick = parser.parse_args().quick
    count = 2_000 if quick else 20_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = make_project(folder / "many", count)
        make_project(folder / "same", count, (MEASURED,))
        make_project(folder / "few", 10 * len(PAIRS))
        make_project(folder / "none", 0)
        print(f"{count} records of {size / count / 1024:.0f} KiB")
        headings = ("seconds", "peak MB", "base s", "base MB")
        print(" " * 34, *(f"{each:>8}" for each in headings), "  extra s  ratios")
        few = commands("few")
        for what, command in commands("many").items():
            base = cost(few[what], folder, 1)
            row(what, cost(command, folder, 1), base)
        for kept in ("many", "same"):
            base = cost(START, folder / "none", ROUNDS)
            for when, rounds in (("first", 1), ("later", ROUNDS)):
                title = f"a session's start, {kept}, {when}"
                row(title, cost(START, folder / kept, rounds), base)


if __name__ == "__main__":
    main()
