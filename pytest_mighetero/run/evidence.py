"""What a harness left behind: exit, last lines, LoadGen's files, timed window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.asked import audit_overrides, differences, overridden
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.loadgen import find_results, read_result, read_results
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.verdict import explain_exit

LAST_LINES = 20
_SUMMARY_LIMIT = 1024 * 1024


def exit_of(harness: HarnessProcess) -> str:
    """Say how *harness* exited, in make's words where it said them."""
    assert harness.exit_code is not None
    return explain_exit(harness.exit_code, harness.tail())


def how_it_ended(harness: HarnessProcess) -> str:
    """Say how and when *harness* ended, as the end of a sentence about it."""
    life = harness.life
    seconds = f"after {life.ended.monotonic - life.launched.monotonic:.1f} s"
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


def loadgen_result(launch: Launch) -> Result | None:
    """Return LoadGen's result of *launch*, or None where it left no logs.

    LOG_DIR was empty at the launch, so whatever is there is this launch's own.
    """
    results = read_results(launch.log_dir)
    return results[0] if len(results) == 1 else None


def ran_otherwise(launch: Launch) -> list[str]:
    """Say where LoadGen ran with other settings than *launch* asked for.

    For a performance run, finished or not; whatever an audit is allowed is not here.
    """
    problems = []
    for result in read_results(launch.log_dir):
        if overridden(result):
            problems.append(
                f"an audit.config in its folder, of another run, changed its settings: "
                f"LoadGen warns of it in {result.folder}"
            )
        problems += differences(launch.asked, result)
    return list(dict.fromkeys(problems))


def accuracy_summary(log_dir: Path) -> dict[str, Any] | None:
    """Return a harness's accuracy verdicts, or None where it left none to read."""
    try:
        with closing(LogFile(log_dir / "accuracy_summary.json")) as file:
            summary = json.loads(file.read(_SUMMARY_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    return summary if isinstance(summary, dict) else None


def audit_verdicts(audit: str, folder: Path, since: float) -> dict[Path, str]:
    """Return the texts that an audit wrote after *since*, LoadGen's logs apart.

    Args:
        audit: which one, for example ``TEST01``.
        folder: where its files are kept.
        since: POSIX time of its launch; an older file is an earlier audit's.
    """
    texts = {}
    for path in sorted(folder.glob(f"{audit}*/**/*.txt")):
        if path.name.startswith("mlperf_log"):
            continue
        with suppress(OSError), closing(LogFile(path)) as file:  # or it is no file
            if path.stat().st_mtime >= int(since):
                text = file.read(_SUMMARY_LIMIT)
                texts[path] = text.decode("utf-8", errors="backslashreplace")
    return texts


@dataclass(frozen=True)
class AuditSettings:
    """What LoadGen ran with in an audit.

    Attributes:
        meant: what the audit changed by design, a sentence each.
        problems: what else differs from what was asked for.
        runs: the audit's own runs, by its parts: ``TEST04-A``, ``TEST04-B``.
    """

    meant: tuple[str, ...]
    problems: tuple[str, ...]
    runs: Mapping[str, Result]


def audit_settings(
    launch: Launch, kept: Path, since: float, *, logged: bool = True
) -> AuditSettings:
    """Compare what an audit asked for with what its runs of LoadGen had.

    Args:
        launch: an audit.
        kept: where its files are kept.
        since: POSIX time of its launch; an older log is an earlier audit's.
        logged: whether its harness writes LoadGen's logs at all.
    """
    meant: list[str] = []
    problems: list[str] = []
    found: dict[str, list[Result]] = {}  # by its part: TEST04-A, TEST04-B
    for folder in find_results(kept):
        part = Path(*folder.relative_to(kept).parts[:1]).name
        if not part.startswith(launch.audit or "") or _newest(folder) < int(since):
            continue
        result = read_result(folder)
        by_design, otherwise = audit_overrides(launch.asked, result)
        meant += by_design
        problems += otherwise
        found.setdefault(part, []).append(result)
    runs = {part: min(results, key=_own) for part, results in found.items()}
    if logged and not runs:
        problems.append(
            f"{launch.audit} left no LoadGen log of its own under "
            f"{launch.audit_folder}: nothing ran, and its verdict is of earlier logs"
        )
    problems += [
        f"no audit.config reached LoadGen in {part}: another run in this folder took "
        f"it away, and what was measured is no audit"
        for part, result in runs.items()
        if not overridden(result)
    ]
    said = tuple(dict.fromkeys(meant)), tuple(dict.fromkeys(problems))
    return AuditSettings(*said, runs)


def _own(result: Result) -> tuple[bool, int]:
    """Sort an audit's run before its copies, deeper down, and what it compares with."""
    return not overridden(result), len(result.folder.parts)


def _newest(folder: Path) -> float:
    """Return when a LoadGen log in *folder* was last written, POSIX seconds; or 0."""
    newest = 0.0
    for path in folder.glob("mlperf_log_*.txt"):
        with suppress(OSError):  # it is gone, or a link to nothing
            newest = max(newest, path.stat().st_mtime)
    return newest
