"""How long a main takes, by what an earlier run of it took."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.plan.durations import (
    BackgroundTime,
    Recorded,
    background_time,
    time_left,
    too_long,
)
from pytest_mighetero.plan.run_plan import run_args_of
from pytest_mighetero.records import marks
from pytest_mighetero.records.record import LONGEST_S, Record
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.spec.device_names import ANY_PROFILE
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, run_name


class History:
    """How long one main takes, by an earlier run of it where there was one.

    One set of backgrounds is to serve all of *mains*.
    """

    def __init__(self, pair: Pair, mains: Sequence[Pair]) -> None:
        self._pair, self._mains = pair, mains
        self._found: dict[tuple[object, ...], Recorded | None] = {}

    def too_long(self, config: RunSpec, gpu: Gpu, *, alone: bool) -> str | None:
        """Say that a run on *gpu* would take longer than it may, or None."""
        recorded = None if config.keeps_backgrounds else self._of(config, gpu)
        return too_long(config, self._pair, _profile(gpu), recorded, alone=alone)

    def beside(self, config: RunSpec, gpu: Gpu) -> BackgroundTime:
        """Return how long the backgrounds of a main on *gpu* run.

        Raises:
            ConfigError: that is longer than they may, or shorter than main.
        """
        pair, profile = self._pair, _profile(gpu)
        if config.keeps_backgrounds:
            return background_time(config, pair, profile, mains=self._mains)
        return background_time(config, pair, profile, self._of(config, gpu))

    def left(self, config: RunSpec, gpu: Gpu) -> float:
        """Return the seconds that backgrounds which are up must have left there."""
        return time_left(config, self._pair, _profile(gpu), self._of(config, gpu))

    def _of(self, config: RunSpec, gpu: Gpu) -> Recorded | None:
        """Look it up, once for each RUN_ARGS and kind of device."""
        key = run_args_of(config, self._pair), gpu.name, gpu.devices[0].profile
        if key not in self._found:
            self._found[key] = recorded_run(config, self._pair, gpu)
        return self._found[key]


def _profile(gpu: Gpu) -> str:
    """Return the profile of main's device; any where the device was listed without."""
    return gpu.devices[0].profile or ANY_PROFILE


def recorded_run(config: RunSpec, pair: Pair, gpu: Gpu) -> Recorded | None:
    """Return what the latest good run of the same main took, or None.

    It was on the same kind of GPU, its first device of the same profile.
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
