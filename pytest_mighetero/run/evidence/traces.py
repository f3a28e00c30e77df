"""What a harness left behind: exit, last lines, its tool's files."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.readers.reader import Difference, Reader
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.evidence.limits import failures, judged, nothing_done
from pytest_mighetero.run.judge import METADATA, explain_exit
from pytest_mighetero.units import format_duration

LAST_LINES = 20
_VERDICT_LIMIT = 1024 * 1024


def exit_of(harness: HarnessProcess) -> str:
    """Say how *harness* exited, in make's words where it said them."""
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


def overdue(main: HarnessProcess, limit: float, said_by: str) -> str:
    """Say that *main* did not end in the seconds from launch that *said_by* allows."""
    return (
        f"Main {main.name} still ran {format_duration(limit)} after the run's launch "
        f"({said_by}) and was stopped.\n{tail_of(main)}"
    )


def result_of(launch: Launch) -> Result | None:
    """Return what *launch* came to, or None where it left no result of its own.

    LOG_DIR was empty at the launch, so whatever is there is this launch's own.
    """
    results = launch.reader.read_all(launch.log_dir, launch.output)
    if len(results) != 1:
        return None
    if launch.reader.judges:
        return results[0]
    return judged(results[0], launch.limits, launch.pair.scenario, launch.rate)


def has_measured(launch: Launch) -> bool:
    """Tell whether the tool of *launch* says that its test is over; no audit's does.

    Most of NVIDIA's harnesses of v5.1 print nothing when theirs is.
    """
    if launch.audit is not None or launch.tool.markers.finish:
        return False
    result = result_of(launch)
    return result is not None and bool(result.windows)


def loaded_nothing(launch: Launch, harness: HarnessProcess) -> list[str]:
    """Say by what the result of a background shows that it did not load its device.

    A tool without a verdict exits with code 0 all the same when requests fail, and what
    fails at once loads nothing. Figures beyond their limits are none of a background's
    business.
    """
    if launch.reader.judges:
        return []
    tool, see = launch.reader.tool, f": see {launch.output}"
    results = launch.reader.read_all(launch.log_dir, launch.output)
    if harness.exit_code == 0 and not harness.stopped:
        if not results:
            return [f"it ended without a result of {tool}{see}"]
        if any(map(nothing_done, results)):
            return [f"{tool} completed no request{see}"]
    said = [each + see for r in results for each in failures(r, launch.limits)]
    return said + [
        f"{tool} counted {each.error_count} errors{see}"
        for each in results
        if each.failed is None and each.error_count
    ]


def ran_otherwise(launch: Launch) -> list[str]:
    """Say where a tool ran with other settings than *launch* asked for.

    For a performance run, finished or not; whatever an audit is allowed is not here.
    """
    problems, reader = [], launch.reader
    for result in reader.read_all(launch.log_dir, launch.output):
        if reader.overridden(result):
            problems.append(
                f"an audit.config in its folder, of another run, changed its settings: "
                f"{reader.tool} warns of it in {result.folder}"
            )
        problems += [each.said for each in reader.differences(launch.asked, result)]
    return list(dict.fromkeys(problems))


def keep_audit(launch: Launch, since: float) -> Path:
    """Copy what an audit left *since* its launch into its folder; return where it is.

    An audit of the real harness ignores LOG_DIR: it writes to one folder per audit,
    system, benchmark and scenario, ``build/compliance_logs``, and the next one
    overwrites it. Times of modification stay. What lies in the launch's folder anyway
    is not copied.

    Raises:
        HarnessError: it cannot be copied.
    """
    if launch.folder in launch.audit_folder.parents:
        return launch.audit_folder
    kept = launch.folder / "compliance_logs"
    for path in sorted(launch.audit_folder.glob(f"{launch.audit}*/**/*")):
        to = kept / path.relative_to(launch.audit_folder)
        try:
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_mtime >= int(since):
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)
        except OSError as error:
            raise HarnessError(
                f"{path}, of the audit {launch.name}, cannot be copied to {to}: "
                f"{error.strerror}; the next audit will overwrite it."
            ) from error
    return kept


def audit_verdicts(audit: str, folder: Path, since: float) -> dict[Path, str]:
    """Return the verdicts that ``TEST01``, say, wrote, and what they stand on.

    Files of before its launch, *since*, are an earlier audit's.
    """
    texts = {}
    for path in sorted(folder.glob(f"{audit}*/**/*")):
        is_text = path.suffix == ".txt" and (
            path.name.startswith("verify_") or path.stem.endswith("_accuracy")
        )
        if not is_text and path.name != METADATA:
            continue
        with suppress(OSError), closing(LogFile(path)) as file:  # or it is no file
            if path.stat().st_mtime >= int(since):
                text = file.read(_VERDICT_LIMIT)
                texts[path] = text.decode("utf-8", errors="backslashreplace")
    return texts


@dataclass(frozen=True)
class AuditSettings:
    """What a tool ran with in an audit.

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
    """Compare what an audit asked for with what its own runs had.

    Args:
        launch: an audit.
        kept: where its files are kept.
        since: POSIX time of its launch; an older log is an earlier audit's.
        logged: whether its harness writes its tool's logs at all.
    """
    reader, audit = launch.reader, launch.audit or ""
    said: dict[Difference, None] = {}
    found: dict[str, list[Result]] = {}  # by its part: TEST04-A, TEST04-B
    for folder in reader.find(kept):
        part = Path(*folder.relative_to(kept).parts[:1]).name
        if not part.startswith(audit) or _newest(folder, reader) < int(since):
            continue
        result = reader.read(folder)
        said |= dict.fromkeys(reader.differences(launch.asked, result))
        found.setdefault(part, []).append(result)

    def own(result: Result) -> tuple[bool, int]:
        """Sort a run before its copies, deeper down, and what it compares with."""
        return not reader.overridden(result), len(result.folder.parts)

    runs = {part: min(results, key=own) for part, results in found.items()}
    problems = [each.said for each in said if not each.by_design]
    if logged and not runs:
        problems.append(
            f"{audit} left no {reader.tool} log of its own under "
            f"{launch.audit_folder}: nothing ran, and its verdict is of earlier logs"
        )
    problems += [
        f"no audit.config reached {reader.tool} in {part}: another run in this folder "
        f"took it away, and what was measured is no audit"
        for part, result in runs.items()
        if not reader.overridden(result)
    ]
    meant = tuple(each.said for each in said if each.by_design)
    return AuditSettings(meant, tuple(problems), runs)


def _newest(folder: Path, reader: Reader) -> float:
    """Return when a log in *folder* was last written, POSIX seconds; or 0."""
    newest = 0.0
    for name in reader.names:
        with suppress(OSError):  # it is gone, or a link to nothing
            newest = max(newest, (folder / name).stat().st_mtime)
    return newest
