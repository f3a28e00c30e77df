"""What a run is doing, for whoever watches: frozen values, derived when looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_mighetero.devices.gpu import MigDevice
from pytest_mighetero.harness.process import HarnessProcess

Role = Literal["main", "background", "server"]
# As long as it may do anything.
RUNNING = ("prepared", "launched", "ready", "issuing", "finished")
_NAME_FITS = 20  # letters; a UUID has more
_NAME_ENDS = 8  # of these the last ones tell it from its neighbours


@dataclass(frozen=True)
class HarnessState:
    """One harness at one moment; moments are ``time.monotonic()``'s.

    Attributes:
        device: what it has to itself, in a few letters.
        state: ``prepared``, ``launched``, ``ready`` (its marker came, or a server
            answers), ``issuing``, ``finished``, ``stopped``, ``exited 2``.
        since: when that began; None before its launch.
        ends: when it is expected to have done its work; None where nobody can know.
        takes: the seconds that main takes, as far as is known.
    """

    role: Role
    name: str
    device: str
    state: str
    since: float | None = None
    ends: float | None = None
    takes: float = 0.0

    @property
    def running(self) -> bool:
        """Whether it may still do anything."""
        return self.state in RUNNING


@dataclass(frozen=True)
class Step:
    """What a run waits for.

    Attributes:
        doing: in a few words.
        until: ``time.monotonic()`` at which that is over at the latest, where it is
            known to take so long.
    """

    doing: str
    until: float | None = None


# Told about once a second what a run waits for.
Tick = Callable[[Step], None]


def _none() -> tuple[HarnessState, ...]:
    return ()


@dataclass(frozen=True)
class Progress:
    """How far a run has got.

    Attributes:
        label: which try it is; empty for the only one.
        buffer: the seconds by which the backgrounds are to outlast main.
        look: returns its harnesses at the moment of the call, main first: whoever does
            not watch need not ask.
    """

    step: Step
    label: str = ""
    buffer: float = 0.0
    look: Callable[[], Sequence[HarnessState]] = field(default=_none, compare=False)

    @property
    def doing(self) -> str:
        """What it waits for, and in which try."""
        return f"{self.label}{self.step.doing}"


Watcher = Callable[[Progress], None]


def state_of(
    harness: HarnessProcess, issuing: float | None = None, ready: float | None = None
) -> tuple[str, float | None]:
    """Return in which state *harness* is, and since when.

    *issuing* is when it was seen to issue queries, *ready* when a server answered.
    """
    if harness.exited is not None and harness.stopped is None:
        return f"exited {harness.exit_code}", harness.exited.monotonic
    stamps = [
        ("stopped", harness.stopped and harness.stopped.monotonic),
        ("finished", harness.finished and harness.finished.monotonic),
        ("issuing", issuing),
        ("ready", ready or (harness.started and harness.started.monotonic)),
        ("launched", harness.launched and harness.launched.monotonic),
    ]
    return next(((state, at) for state, at in stamps if at), ("prepared", None))


def end_of(begun: float | None, seconds: float | None) -> float | None:
    """Return when what takes so many *seconds* ends, once it has *begun*."""
    return None if begun is None or seconds is None else begun + seconds


def label_of(device: MigDevice) -> str:
    """Return what people call *device*: slot and profile, else how its name ends."""
    if device.slot is not None and device.profile is not None:
        return f"{device.slot}: {device.profile}"
    short = len(device.uuid) <= _NAME_FITS
    return device.uuid if short else f"..{device.uuid[-_NAME_ENDS:]}"


def left_of(
    states: Sequence[HarnessState], step: Step, buffer: float, now: float
) -> float | None:
    """Return the seconds until a run is over by what is known of it now, or None.

    That is when main has taken its time, and the backgrounds theirs.
    """
    mains = [each for each in states if each.role == "main"]
    if not mains or (mains[0].ends is None and mains[0].running):
        return None
    beside = [each for each in states if each.role == "background" and each.running]
    ends = [each.ends for each in beside if each.ends is not None]
    main = mains[0]
    if main.running and main.ends is not None:
        ends.append(main.ends + (buffer if beside else 0.0))
    if step.until is not None:
        ends.append(step.until)
    return max(0.0, max(ends) - now) if ends else None
