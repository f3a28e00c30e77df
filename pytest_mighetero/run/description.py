"""What a run knows of its tries, as its record and comparisons take it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.records.comparison.own_figures import Own
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.evidence.traces import ran_otherwise, result_of


def described(attempt: Attempt, *, read_logs: bool = True) -> dict[str, Any]:
    """Return what a record says of a try.

    Args:
        attempt: the try, at whatever point it is.
        read_logs: whether LoadGen's logs, which take their time, are read for it.
    """
    measured, overlap = attempt.measured, attempt.overlap
    activity = measured.activity if measured else {}
    runs = measured.main.audit.runs.items() if measured else ()
    return {
        "overlap": overlap and [vars(each) for each in overlap.margins],
        "telemetry": measured.telemetry if measured else {},
        "audit": {part: result.to_dict() for part, result in runs},
        "harnesses": [
            _described(launch, harness, read_logs=read_logs)
            | {"activity": activity.get(launch.folder.name)}
            for launch, harness in attempt.workloads
        ],
    }


def _described(
    launch: Launch, harness: HarnessProcess, *, read_logs: bool
) -> dict[str, Any]:
    """Return what is known of one harness, as plain data.

    Args:
        launch: what was to be started.
        harness: its process.
        read_logs: whether LoadGen's logs, which take their time, are read for it.
    """
    stamps = {
        name: stamp and stamp.wall
        for name in ("launched", "started", "finished", "stopped", "exited")
        for stamp in [getattr(harness, name)]
    }
    result = result_of(launch) if read_logs and harness.exited else None
    return {
        "role": launch.folder.name,
        "benchmark": launch.pair.benchmark,
        "scenario": launch.pair.scenario,
        "action": launch.action,
        "device": asdict(launch.device),
        "run_args": str(launch.run_args),
        "command": str(launch.command),
        "min_duration_s": launch.min_duration,
        "log_dir": str(launch.log_dir),
        "output": str(launch.output),
        **stamps,
        "exit_code": harness.exit_code,
        "asked": [asdict(each) for each in launch.asked],
        "ran_otherwise": ran_otherwise(launch)
        if read_logs and harness.launched
        else [],
        "loadgen": result and result.to_dict(),
    }


def own_figures(attempt: Attempt) -> list[Own]:
    """Return what backgrounds came to that ended by themselves, with a good result."""
    figures = []
    for launch, harness in attempt.workloads[1:]:
        if not harness.exited or harness.stopped:
            continue
        result = result_of(launch)
        if result is not None and result.metric is not None and not result.damage:
            figures.append(
                Own(
                    *(launch.pair, launch.device.profile, launch.run_args),
                    *(result.metric.value, result.metric.unit),
                )
            )
    return figures
