"""What the pictures of a run cost, which are made while its test is torn down.

    python benchmarks/pictures.py [--quick]

Milliseconds from ``record.json`` to the text of a timeline, and of a trace, of runs
with 7 and with 56 harnesses (eight GPUs of seven devices), each with every moment known
and an hour of telemetry as records keep it. The best of several rounds; the first of a
fresh process, imports with it, is what the teardown of a session's first run takes.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from figures import Figure, Goal, table

HARNESSES = (7, 56)
HOUR_S = 3600
BEGIN = 1795794974.0
BENCHMARKS = ("dlrm", "bert", "resnet50", "rnnt", "ssd-resnet34", "3d-unet")
LIMIT_MS = 300
# In a process of its own: what it makes of a record, by the name of the picture.
FRESH = """
import sys, time
from pathlib import Path
from pytest_mighetero.records.record_file import read_record
begin = time.perf_counter()
from pytest_mighetero.show.pictures.timeline import timeline
timeline(read_record(Path(sys.argv[1]))).svg()
print(1e3 * (time.perf_counter() - begin))
"""


def harness(number: int) -> dict[str, Any]:
    """Return what a record holds of one harness; the first is main."""
    launched = BEGIN + (40.0 if number == 0 else 0.13 * number)
    begin, end = launched + 12.5, BEGIN + (HOUR_S if number == 0 else HOUR_S + 10)
    benchmark = BENCHMARKS[number % len(BENCHMARKS)]
    return {
        "role": "main" if number == 0 else f"background-{number}-{benchmark}",
        "benchmark": benchmark,
        "scenario": "offline" if number else "server",
        "device": {
            "uuid": f"MIG-00000000-0000-0000-0000-{number:012d}",
            "profile": "1g.10gb",
        },
        "launched": launched,
        "started": launched + 11,
        "first_query": begin + 0.02,
        "finished": end if number == 0 else None,
        "stopped": end if number else None,
        "exited": end + 1.5,
        "exit_code": 143 if number else 0,
        "windows": [{"begin": begin, "end": end, "source": "loadgen"}],
    }


def samples() -> dict[str, Any]:
    """Return telemetry, as many points of it as a record keeps."""
    moments = [BEGIN + 40 + HOUR_S * number / 200 for number in range(200)]
    levels = {"power_w": 312, "temperature_c": 61, "sm_clock_mhz": 1980}
    levels |= {"memory_clock_mhz": 2619, "memory_used_mb": 8431}
    return {
        name: {
            "at": moments,
            "values": [level * (1 + math.sin(at) / 50) for at in moments],
        }
        for name, level in levels.items()
    }


def record(harnesses: int) -> dict[str, Any]:
    """Return the record of a run in which a background broke the overlap."""
    said = "The overlap broke: background bert_offline exited with code 137. " * 5
    passed = {"outcome": "passed", "text": "", "seconds": 42.5}
    problem = {"text": said, "harnesses": ["background-1-bert"], "at": BEGIN + 3000}
    return {
        "version": 1,
        "test": "runs/test_mlperf.py::test_heterogeneous[dlrm_server]",
        "facts": {"run": "heterogeneous", "value": "998.2", "unit": "samples/s"},
        "phases": {"setup": passed, "call": {**passed, "outcome": "failed"}},
        "harnesses": [harness(number) for number in range(harnesses)],
        "course": {
            "seen": BEGIN + HOUR_S + 14,
            "settle": {"asked_s": 20, "begin": BEGIN + 20, "end": BEGIN + 40},
            "end_buffer": {
                "asked_s": 10,
                "begin": BEGIN + HOUR_S,
                "end": BEGIN + HOUR_S + 10,
            },
            "problems": [problem],
            "samples": samples(),
        },
    }


def best(action: Callable[[], object], rounds: int) -> float:
    """Return the least milliseconds of several rounds."""
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        taken.append(1e3 * (time.perf_counter() - begin))
    return min(taken)


def fresh(path: Path, rounds: int) -> float:
    """Return the least milliseconds that it takes in a process that has drawn none."""
    command = [sys.executable, "-c", FRESH, str(path)]
    return min(float(subprocess.check_output(command)) for _ in range(rounds))


def measure(folder: Path, rounds: int) -> list[Figure]:
    """Return what each picture takes."""
    from pytest_mighetero.records.record_file import read_record
    from pytest_mighetero.show.pictures.timeline import timeline
    from pytest_mighetero.show.trace import trace

    def drawn(path: Path) -> str:
        return timeline(read_record(path)).svg()

    def traced(path: Path) -> str:
        return json.dumps(trace([read_record(path)]))

    figures = []
    for count in HARNESSES:
        path = folder / f"record-{count}.json"
        path.write_text(json.dumps(record(count)))
        case = f"{count} harnesses"
        for name, make in (("timeline", drawn), ("trace", traced)):
            taken = best(partial(make, path), rounds)
            size = f"{len(make(path)) / 1e3:.0f} kB"
            figures.append(Figure(name, case, name, taken, "ms", size))
        taken = fresh(path, max(rounds // 5, 1))
        figures.append(Figure("first", case, "timeline, the first", taken, "ms"))
    return figures


def main() -> int:
    """Print the table, and whether a timeline is made in time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few rounds only")
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), 3 if parser.parse_args().quick else 30)
    print(table("Pictures of a run", figures))
    first = [each for each in figures if each.measurement == "first"]
    print("\nGoals")
    for each in first:
        print(Goal(f"the first timeline, {each.case}", each.value, LIMIT_MS, each.unit))
    return 0


if __name__ == "__main__":
    sys.exit(main())
