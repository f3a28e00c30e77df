"""What the GPU did while main was measured, as its source says it once a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.terms.window import TimedWindow

_LATER_S = 0.9  # between samples: whoever asks does so about once a second
_MOST = 200  # moments of a value that are kept: a picture has few pixels more


@dataclass(frozen=True)
class Reading:
    """How a GPU is at a moment.

    Attributes:
        values: by name and unit; what driver or device do not offer is absent.
        throttled: by every reason why its clocks may be low, whether it is one now; or
            None where nobody says so.
    """

    values: Mapping[str, float]
    throttled: Mapping[str, bool] | None


# Open while main runs; None where the source cannot be asked.
Meter = AbstractContextManager["Callable[[], Reading] | None"]


@dataclass(frozen=True)
class Sample(Reading):
    """A reading, and its POSIX time by the run's clock."""

    at: float


class Telemetry:
    """Samples of one GPU and of main's device, by the clock of main's window."""

    def __init__(self, meter: Meter, now: Callable[[], float]):
        self._meter, self._now = meter, now
        self._open = ExitStack()
        self._read: Callable[[], Reading] | None = None
        self.samples: list[Sample] = []

    def start(self) -> None:
        """Open the meter; where that is in vain there will be no samples."""
        self._read = self._open.enter_context(self._meter)

    def sample(self) -> None:
        """Look once, unless the last look was just now."""
        now = self._now()
        soon = self.samples and now - self.samples[-1].at < _LATER_S
        if self._read is not None and not soon:
            read = self._read()
            self.samples.append(Sample(read.values, read.throttled, now))

    def stop(self) -> None:
        """Close the meter."""
        self._read = None
        self._open.close()


def summary(samples: Iterable[Sample], window: TimedWindow) -> dict[str, Any]:
    """Return min, mean and max of each value in main's *window*, and what throttled."""
    inside = [each for each in samples if window.begin <= each.at <= window.end]
    if not inside:
        return {}
    names = dict.fromkeys(name for each in inside for name in each.values)
    figures: dict[str, Any] = {
        name: _spread([each.values[name] for each in inside if name in each.values])
        for name in names
    }
    told = [each.throttled for each in inside if each.throttled is not None]
    if told:
        figures["throttled_by"] = [why for why in told[0] if any(t[why] for t in told)]
    return {"samples": len(inside), **figures}


def series(samples: Sequence[Sample]) -> dict[str, dict[str, list[float]]]:
    """Return each value by its moments: the least and most of each part of the time.

    Nothing lies outside of what is kept, of which there is a bounded number.
    """
    names = dict.fromkeys(name for each in samples for name in each.values)
    found: dict[str, dict[str, list[float]]] = {}
    for name in names:
        told = [each for each in samples if name in each.values]
        kept = _thinned([(each.at, each.values[name]) for each in told])
        found[name] = {
            "at": [round(at, 3) for at, _ in kept],
            "values": [value for _, value in kept],
        }
    return found


def _thinned(every: list[tuple[float, float]]) -> list[tuple[float, float]]:
    ends = every[:1] + every[-1:]
    around = zip(every, ends[:1] + every, every[1:] + ends[1:], strict=False)
    # Where it does not change the two ends of that time say it all.
    every = [x for x, *by in around if x in ends or any(x[1] != y[1] for y in by)]
    if len(every) <= _MOST:
        return every
    parts = _MOST // 2 - 1  # the first and the last are kept, too
    size, kept = len(every) / parts, {every[0], every[-1]}
    for number in range(parts):
        part = every[round(number * size) : round((number + 1) * size)]
        kept |= {min(part, key=lambda x: x[1]), max(part, key=lambda x: x[1])}
    return sorted(kept)


def throttling(figures: Mapping[str, Any]) -> str | None:
    """Say that such a figure is not worth submitting, or return None."""
    if not (reasons := figures.get("throttled_by")):
        return None
    seen = [
        f"{name.rpartition('_')[0].replace('_', ' ')} up to {figures[name]['max']:g} "
        f"{name.rpartition('_')[2].upper()}"
        for name in ("temperature_c", "power_w")
        if name in figures
    ]
    return (
        f"the GPU was throttled in main's window by {', '.join(reasons)} "
        f"({', '.join(seen) or 'no more is known'}); such a figure is not worth "
        f"submitting: look at cooling and power limit"
    )


def _spread(values: Sequence[float]) -> dict[str, float]:
    mean = sum(values) / len(values)
    return {"min": min(values), "mean": round(mean, 3), "max": max(values)}
