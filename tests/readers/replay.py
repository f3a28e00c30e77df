"""Leaves what a client left, again: in the time of now, and while it passes.

Called with the tool, the folder of its run, the folder to write to, and the seconds
that it is to last. It uses nothing of ours.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from pathlib import Path

tool, run, logs, seconds = (
    sys.argv[1],
    Path(sys.argv[2]),
    Path(sys.argv[3]),
    sys.argv[4],
)
print("Starting phase: performance", flush=True)
clock = time.monotonic_ns if tool == "endpoints" else time.time_ns
stamp = re.compile(r'(?<=_ns":)\d{8,}')


def bar(percent: int) -> None:
    """Show Endpoints' progress bar."""
    shown = f"{percent:3}%|{'#' * percent:100}| {percent}/100 ["
    print(f"\rname (Streaming: True): {shown}", end="", flush=True)


def replay(name: str, to: Path) -> None:
    """Write the lines of a file when their last stamp says, stretched to the time."""
    lines = (run / name).read_text().splitlines()
    every = [[int(x) for x in stamp.findall(line)] for line in lines]
    first, last = min(map(min, every)), max(map(max, every))
    begin, stretch, answers = clock(), float(seconds) * 1e9 / (last - first), 0
    with to.open("w") as file:
        for at, line in sorted(
            (max(x), line) for x, line in zip(every, lines, strict=True)
        ):
            while (left := begin + int((at - first) * stretch) - clock()) > 0:
                time.sleep(left / 1e9)
            moved = stamp.sub(
                lambda x: str(begin + int((int(x[0]) - first) * stretch)), line
            )
            print(moved, file=file, flush=True)
            answers += '"sample.complete"' in line
            bar(answers)


if tool == "endpoints":
    aside = logs.with_name("events")  # as /dev/shm is
    replay("events.jsonl", aside)
    summary = Path("performance", "result_summary.json")
    (logs / summary.parent).mkdir()
    shutil.copyfile(run / summary, logs / summary)
    aside.rename(logs / "events.jsonl")
else:
    replay("profile_export.jsonl", logs / "profile_export.jsonl")
    said = json.loads((run / "profile_export_aiperf.json").read_text())
    said["input_config"]["phases"][-1]["duration"] = float(seconds)
    (logs / "profile_export_aiperf.json").write_text(json.dumps(said))
print("\nPhase performance complete", flush=True)
