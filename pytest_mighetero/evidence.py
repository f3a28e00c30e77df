"""What a harness left behind: exit, last lines, LoadGen's files, timed window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_mighetero.harness.process import HarnessProcess, Stamp
from pytest_mighetero.loadgen import LoadGenResult, find_results, read_result
from pytest_mighetero.overlap import TimedWindow
from pytest_mighetero.planning import Launch
from pytest_mighetero.verdict import explain_exit

LAST_LINES = 20


def exit_of(harness: HarnessProcess) -> str:
    """Say how *harness* exited, in make's words where it said them."""
    assert harness.exit_code is not None
    return explain_exit(harness.exit_code, harness.tail())


def how_it_ended(harness: HarnessProcess) -> str:
    """Say how and when *harness* ended, as the end of a sentence about it."""
    end = harness.finished or harness.exited
    assert harness.launched is not None
    assert end is not None
    seconds = f"after {end.monotonic - harness.launched.monotonic:.1f} s"
    if harness.finished and not harness.exit_code:
        return f"finished its test {seconds}"
    return f"exited with {exit_of(harness)} {seconds}"


def tail_of(harness: HarnessProcess) -> str:
    """Return the last lines that *harness* printed, and where the rest is."""
    lines = harness.tail(LAST_LINES) or ["(it printed nothing)"]
    head = f"Last lines of {harness.name}, all of them in {harness.log}:"
    return "\n".join([head, *(f"  {line}" for line in lines)])


def log_failure(harness: HarnessProcess) -> str:
    """Say why the log of *harness* does not hold what it prints."""
    return (
        f"{harness.log} {harness.log_problem}; the run was stopped. It needs a "
        f"--results-dir with free space that nobody else cleans up."
    )


def loadgen_result(launch: Launch) -> LoadGenResult | None:
    """Return LoadGen's result of *launch*, or None where it left no logs.

    LOG_DIR was empty at the launch, so whatever is there is this launch's own.
    """
    folders = find_results(launch.log_dir)
    return read_result(folders[0]) if len(folders) == 1 else None


def timed_window(
    launch: Launch, harness: HarnessProcess, issuing: float | None
) -> TimedWindow:
    """Return the timed window of a started *harness*, up to now if it still runs.

    A harness that was stopped or died has no end in LoadGen's log: its window ends
    there and then, and begins when its log was seen to have a first query. One whose
    log has no first query yet has an empty window.

    Args:
        launch: what was launched.
        harness: its process.
        issuing: POSIX time at which its log was seen to have a first query, or None.
            The log itself gives the second, by the harness's own time zone.
    """
    last = harness.finished or harness.stopped or harness.exited or Stamp()
    result = loadgen_result(launch)
    if result is not None and result.window is not None:
        return result.window
    if result is not None and (result.issuing_since or not harness.finished):
        begin = issuing or result.issuing_since or last.wall
        return TimedWindow(begin, last.wall, "loadgen")
    assert harness.started is not None
    return TimedWindow(harness.started.wall, last.wall, "marker")


def accuracy_summary(launch: Launch) -> dict[str, Any] | None:
    """Return the harness's accuracy verdicts, or None where it left none."""
    try:
        text = (launch.log_dir / "accuracy_summary.json").read_text("utf-8")
        summary = json.loads(text)
    except (OSError, ValueError):
        return None
    return summary if isinstance(summary, dict) else None


def audit_verdicts(launch: Launch, since: float) -> dict[Path, str]:
    """Return the texts that the audit wrote after *since*, LoadGen's logs apart.

    Args:
        launch: an audit.
        since: POSIX time of its launch; an older file is an earlier audit's.
    """
    texts = {}
    for path in sorted(launch.audit_folder.glob(f"{launch.audit}*/**/*.txt")):
        if path.name.startswith("mlperf_log"):
            continue
        if path.stat().st_mtime >= int(since):
            texts[path] = path.read_text("utf-8", errors="backslashreplace")
    return texts
