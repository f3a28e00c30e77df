"""How long a main takes, by what an earlier run of it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.plan.durations import (
    BackgroundTime,
    Recorded,
    background_time,
    cover_of,
    time_left,
    too_long,
)
from pytest_mighetero.plan.run_plan import run_args_of
from pytest_mighetero.records import marks
from pytest_mighetero.records.record import LONGEST_S, Record, as_number
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.spec.device_names import ANY_PROFILE
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, run_name

Kind = Literal["isolated", "heterogeneous"]

_LATEST = 1e11  # POSIX seconds, in the year 5138


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

    def expected(self, config: RunSpec, gpu: Gpu) -> float:
        """Return the seconds that main takes by what is known; nothing is looked up."""
        recorded = self._found.get(self._key(config, gpu))
        return cover_of(config, self._pair, _profile(gpu), recorded).main

    def _key(self, config: RunSpec, gpu: Gpu) -> tuple[object, ...]:
        return run_args_of(config, self._pair), gpu.name, gpu.devices[0].profile

    def _of(self, config: RunSpec, gpu: Gpu) -> Recorded | None:
        """Look it up, once for each RUN_ARGS and kind of device."""
        key = self._key(config, gpu)
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
    earlier = _earlier(config, pair, gpu, "heterogeneous")
    return next(filter(None, map(_took, earlier)), None)


def recorded_seconds(
    config: RunSpec, pair: Pair, gpu: Gpu, *, alone: bool
) -> float | None:
    """Return the seconds from first launch to last exit of the latest such run."""
    kind: Kind = "isolated" if alone else "heterogeneous"
    beside = str(config.aggressor or "")
    earlier = _earlier(config, pair, gpu, kind)
    same = (each for each in earlier if each.text("aggressor") == beside)
    return next(filter(None, map(_span, same)), None)


def _earlier(config: RunSpec, pair: Pair, gpu: Gpu, kind: Kind) -> Iterator[Record]:
    """Yield the good runs of the same main on the same kind of device, newest first."""
    key = {
        "suite": config.suite.name,
        "action": config.action,
        "gpu": gpu.name,
        "run": kind,
        "run_args": config.secrets.mask(str(run_args_of(config, pair))),
    }
    mark = marks.as_long(key)
    if (profile := gpu.devices[0].profile) is not None:
        key["device_profile"] = profile
    part = f"-{run_name(pair, config.action)}"
    for record in good_records(config.history_dir, part, mark):
        if key.items() <= record.facts.items():
            yield record


def _span(record: Record) -> float | None:
    """Return from when to when there was a harness, in seconds, or None.

    Backgrounds of a session live longer than any run: then main alone says it.
    """
    kept = record.text("background_duration_by") == "session"
    said = [
        as_number(each.get(when), _LATEST)
        for each in record.listed("harnesses")[: 1 if kept else None]
        for when in ("launched", "exited")
    ]
    known = [each for each in said if each is not None]
    if not said or len(known) < len(said):
        return None
    seconds = max(known) - min(known)
    return seconds if seconds < LONGEST_S else None


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
