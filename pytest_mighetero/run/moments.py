"""When what happened in a try, as its record keeps it: in POSIX seconds of its clock.

All of it is known already: nothing is read for it, and no process is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_mighetero.devices.telemetry import series
from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.records.course import sentences
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.backgrounds.pause import Pause
from pytest_mighetero.run.evidence.workload import server_of
from pytest_mighetero.terms.clock import Clock


def stamps(
    process: HarnessProcess, clock: Clock, *names: str
) -> dict[str, float | None]:
    """Return the stamps of *process* that have these names; None of what did not come.

    They are by the run's own clock, as the timed windows are.
    """
    found = {name: getattr(process, name) for name in names}
    return {name: x and clock.posix(x.monotonic) for name, x in found.items()}


def workload_moments(attempt: Attempt) -> list[dict[str, Any]]:
    """Return of each workload its first query and its timed windows, main's first."""
    measured, clock = attempt.measured, attempt.clock
    evidence = [measured.main, *attempt.beside] if measured else []
    windows = [[vars(window) for window in each.windows] for each in evidence]
    windows += [[]] * (len(attempt.workloads) - len(windows))
    return [
        {"first_query": issuing and clock.posix(issuing), "windows": proved}
        for issuing, proved in zip(attempt.issuing, windows, strict=True)
    ]


def course(attempt: Attempt, problems: Iterable[MigheteroError]) -> dict[str, Any]:
    """Return what else is known of the course of a try, and what went wrong in it."""
    clock, beside = attempt.clock, attempt.backgrounds
    launched, buffer = attempt.main.launched, beside.end_buffer
    if buffer is not None and launched and buffer.begin < launched.monotonic:
        buffer = None  # of a set that stays up, beside the main before this one
    roles = _roles(attempt)
    return {
        "seen": clock.now(),
        "settle": _pause(beside.readiness.settle, clock),
        "end_buffer": _pause(buffer, clock),
        "problems": [_problem(each, roles, clock) for each in problems],
        "samples": series(attempt.samples),
    }


def _roles(attempt: Attempt) -> dict[Path, str]:
    roles = {launch.output: launch.folder.name for launch, _ in attempt.workloads}
    for launch, _ in attempt.workloads:
        if (server := attempt.backgrounds.servers.of(launch)) is not None:
            roles.setdefault(server.launch.output, server_of(launch))
    return roles


def _problem(
    error: MigheteroError, roles: Mapping[Path, str], clock: Clock
) -> dict[str, Any]:
    return {
        "text": sentences(str(error)),
        "harnesses": [roles[each] for each in error.about if each in roles],
        "at": clock.posix(error.noticed),
    }


def _pause(pause: Pause | None, clock: Clock) -> dict[str, float | None] | None:
    if pause is None:
        return None
    end = None if pause.end is None else clock.posix(pause.end)
    return {"asked_s": pause.asked_s, "begin": clock.posix(pause.begin), "end": end}
