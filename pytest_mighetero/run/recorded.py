"""What an earlier run of the same main took, by its record."""

from __future__ import annotations

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.plan.durations import Recorded
from pytest_mighetero.plan.launch import run_args_of
from pytest_mighetero.records import marks
from pytest_mighetero.records.record import LONGEST_S, Record
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, run_name


def recorded_run(config: RunSpec, pair: Pair, gpu: Gpu) -> Recorded | None:
    """Return what the latest good run of the same main took, or None.

    Args:
        config: has the results folder, the suite, and main's action and RUN_ARGS.
        pair: main.
        gpu: its kind and its first device's profile must be the same.
    """
    key = {
        "suite": config.suite.name,
        "action": config.action,
        "gpu": gpu.name,
        "run": "heterogeneous",
        "run_args": config.secrets.mask(str(run_args_of(config, pair))),
    }
    mark = marks.as_long(key)
    if (profile := gpu.devices[0].profile) is not None:
        key["device_profile"] = profile
    part = f"-{run_name(pair, config.action)}"
    for record in good_records(config.results_dir, part, mark):
        same = key.items() <= record.facts.items()
        if same and (took := _took(record)) is not None:
            return took
    return None


def _took(record: Record) -> Recorded | None:
    """Return how long a run took; None of one that was alone, or does not say."""
    leads = [margin.start_s for margin in record.margins]
    known = [lead for lead in leads if lead is not None]
    seconds = record.number("seconds")
    if not leads or len(known) < len(leads) or seconds is None:
        return None
    if abs(seconds) >= LONGEST_S:
        return None
    kept = record.text("background_duration_by") == "session"
    return Recorded(0.0 if kept else max(known), seconds)
