"""The files of an audit: kept with the run, and judged.

An audit of the real harness ignores LOG_DIR: it writes to one folder per audit, system,
benchmark and scenario, ``build/compliance_logs``, and the next one overwrites it.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.judge import damaged, judge_performance

# Whose own verdict says nothing of the audit: with each sample once, or one sample
# over and over, they are too short, and counted INVALID; verify_performance.txt
# compares their rates all the same (all of NVIDIA's of v1.0 and v2.0).
_TOO_SHORT = ("TEST04-A", "TEST04-B")


def keep_audit(launch: Launch, since: float) -> Path:
    """Copy what an audit has left into its launch's folder, and return where it is.

    Times of modification stay. What lies in the launch's folder anyway is not copied.

    Args:
        launch: an audit that has ended, while nobody else launches in its folder.
        since: POSIX time of its launch; an older file is an earlier audit's.

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


def judge_runs(runs: Mapping[str, Result]) -> list[str]:
    """Return what is wrong with an audit's own runs.

    Args:
        runs: by the audit's parts, ``TEST01`` or ``TEST04-A`` and ``TEST04-B``.
    """
    return [
        f"{part}: {problem}"
        for part, result in runs.items()
        for judge in [damaged if part in _TOO_SHORT else judge_performance]
        for problem in judge(result)
    ]
