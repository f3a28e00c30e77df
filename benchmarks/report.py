"""What the HTML report of a results folder costs: seconds, peak memory, and its size.

    python benchmarks/report.py [--quick]

Makes 1,000 records (``--quick``: 100) as a nightly matrix leaves them: main and six
backgrounds each, with a GPU's telemetry through main; every tenth one failed, with what
its harnesses printed last. The page is to have less than 10 MB and take less than 10 s;
``whole`` are the runs on it of which nothing is left out, ``drawn`` those that have
their timeline.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from records import PAIRS, cost, record

BEGIN = 1795790000.0
LINE = "[2026-11-28 03:1{0}:07.53] INFO  worker {0} \x1b[32mok\x1b[0m <p99> 24.7{0} ms"


def samples(begin: float, end: float) -> dict[str, Any]:
    """Return what a GPU said of itself, as a record keeps a long run of it."""
    moments = [begin + (end - begin) * n / 199 for n in range(200)]
    figures = {"power_w": 240.0, "sm_clock_mhz": 1410.0, "temperature_c": 61.0}
    figures["memory_mb"] = 8032.0
    return {
        name: {"at": moments, "values": [value + n % 17 for n in range(200)]}
        for name, value in figures.items()
    }


def with_course(said: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a record with when everything happened, and what was printed last."""
    begin = BEGIN + 900.0 * number
    main = {"begin": begin + 75, "end": begin + 675, "source": "loadgen"}
    for place, each in enumerate(said["harnesses"]):
        at = begin + (70 if place == 0 else 0.1 * place)
        end = begin + (676 if place == 0 else 710 + place)
        each |= {"launched": at, "started": at + 3, "finished": end - 1, "exited": end}
        window = {"begin": at + 12, "end": end - 2, "source": "loadgen"}
        each |= {"first_query": at + 12.5, "windows": [window if place else main]}
    said["course"] = {
        "settle": {"begin": begin + 60, "end": begin + 70, "asked_s": 10},
        "end_buffer": {"begin": begin + 675, "end": begin + 705, "asked_s": 30},
        "samples": samples(begin + 70, begin + 675),
    }
    if number % 10 == 0:
        roles = ("main", "background-1-bert")
        said["last_lines"] = {
            role: [LINE.format(n % 6) for n in range(40)] for role in roles
        }
    return said


def make_results(results: Path, count: int) -> float:
    """Write *count* records and return their mean size in KiB."""
    written = 0
    for number in range(count):
        pair = PAIRS[number % len(PAIRS)]
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(BEGIN + 900 * number))
        folder = results / f"{stamp}-{pair}"
        folder.mkdir(parents=True)
        said = with_course(record(folder, pair, number, "v2.1"), number)
        text = json.dumps(said, indent=2)
        (folder / "record.json").write_text(text)
        written += len(text)
    return written / count / 1024


def main() -> None:
    """Print one line for each number of records."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="100 records")
    counts = (10, 100) if parser.parse_args().quick else (10, 100, 1_000, 3_000)
    print("records  KiB each   seconds   peak MB   page MB     whole     drawn")
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            size = make_results(folder / "results", count)
            verb = [sys.executable, "-m", "pytest_mighetero.cli", "report"]
            took = cost([*verb, "results", "-o", "report.html"], folder, 1)
            page = (folder / "report.html").read_text()
        whole, drawn = page.count("all that the record says"), page.count("<svg ")
        print(
            f"{count:7} {size:9.0f} {took.seconds:9.2f} {took.peak_mb:9.0f} "
            f"{len(page.encode()) / 1e6:9.2f} {whole:9} {drawn:9}",
            flush=True,
        )


if __name__ == "__main__":
    main()
