"""What reading a LoadGen log costs, against reading its lines and nothing else.

The baseline reads the file line by line and passes the lines whose key is wanted to
``json.loads``; it is told where they are. Prints seconds (the best of several),
ratios, and peak memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pytest_mighetero.readers.loadgen import read_result

ROUNDS = 7
_WANTED = b':::MLLOG {"key": "result_'
SIZES = {"1 MB lines": (100, 150_000), "200 B lines": (150_000, 10)}


def write_log(folder: Path, lines: int, samples: int) -> Path:
    """Write a detail log of *lines* lines that nobody wants, and a result."""

    def line(key: str, value: object) -> str:
        content = {"key": key, "value": value, "time_ms": 1.5, "namespace": "mlperf"}
        return f":::MLLOG {json.dumps(content)}\n"

    path = folder / "mlperf_log_detail.txt"
    with path.open("w", encoding="utf-8") as file:
        file.write(line("loadgen_version", "6.0.17 @ d6147c7eb7"))
        file.write(line("effective_scenario", "Offline"))
        unwanted = line("loaded_qsl_set", list(range(samples)))
        for _ in range(lines):
            file.write(unwanted)
        file.write(line("result_validity", "VALID"))
        file.write(line("result_samples_per_second", 518.387))
    return path


def baseline(path: Path) -> dict[str, object]:
    """Read every line, and the JSON of the few that are wanted."""
    values, short = {}, 64 * 1024
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if number < 2 or (len(line) < short and line.startswith(_WANTED)):
                content = json.loads(line[len(b":::MLLOG ") :])
                values[content["key"]] = content["value"]
    return values


def best(action: Callable[[], object]) -> float:
    """Return the least seconds of several rounds."""
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def peak(action: Callable[[], object]) -> float:
    """Return the peak of allocated memory in MB."""
    tracemalloc.start()
    action()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6


def main() -> int:
    """Print the table."""
    print(f"{'log':<12} {'MB':>6} {'read_result s':>14} {'lines s':>8} ratio  peak MB")
    for name, (lines, samples) in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = write_log(Path(folder), lines, samples)
            assert read_result(path.parent).valid
            ours = best(partial(read_result, path.parent))
            theirs = best(partial(baseline, path))
            memory = peak(partial(read_result, path.parent))
            size = path.stat().st_size / 1e6
        print(
            f"{name:<12} {size:>6.1f} {ours:>14.4f} {theirs:>8.4f} "
            f"{ours / theirs:>5.2f} {memory:>8.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
