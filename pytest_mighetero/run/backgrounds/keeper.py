"""Where a main's backgrounds come from: a set of its own, or one kept up for many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.leftover import sweep
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import Launch, plan_backgrounds
from pytest_mighetero.plan.seats import Seat
from pytest_mighetero.records.run_names import make_folder
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.overlap import OverlapReport
from pytest_mighetero.run.start import Tick
from pytest_mighetero.run.watch import stopped_now
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.window import TimedWindow


class Neighbours(Protocol):
    """What runs beside main, and reads main's output, too.

    Attributes:
        pump: reads every harness of the run.
        backgrounds: the present set; None without any.
    """

    pump: Pump
    backgrounds: BackgroundSet | None

    def plan(self, folder: Path, seconds: float, needed: float) -> tuple[Launch, ...]:
        """Decide what main runs beside, and return it.

        Args:
            folder: main's own.
            seconds: the ``--min_duration`` of backgrounds that are to be started.
            needed: seconds that those of a set which runs already must have left.

        Raises:
            HarnessError: folders cannot be made, or an old set cannot be stopped.
        """

    def start(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Start what does not run yet, and wait until it is ready.

        Args:
            tick: told what it is waited for.
            issues: told of each once it issues queries.

        Raises:
            HarnessError: it did not get ready.
        """

    def finish(self, main: TimedWindow) -> OverlapReport:
        """Let them outlast main by the end buffer, and return the overlap.

        Raises:
            HarnessError: they did not end in time, or a log was lost.
        """

    def ending(self) -> Sequence[HarnessProcess]:
        """Return the backgrounds that end with this run."""

    def close(self) -> None:
        """Give back what this run alone used; its harnesses are stopped by now."""


class OwnBackgrounds:
    """A set that starts before main and ends after it; or none, for main alone."""

    def __init__(self, config: RunSpec, seated: Sequence[Seat], lease: Lease | None):
        self._config, self._seated = config, seated
        self.pump = Pump(lease.fds if lease else ())
        self.backgrounds: BackgroundSet | None = None

    def plan(self, folder: Path, seconds: float, needed: float) -> tuple[Launch, ...]:  # noqa: ARG002 - what starts anew has all its time left
        """Plan a set in *folder*."""
        if not self._seated:
            return ()
        launches = plan_backgrounds(self._config, self._seated, folder, seconds)
        self.backgrounds = BackgroundSet(self._config, launches, self.pump)
        return launches

    def start(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Start the set."""
        if self.backgrounds is not None:
            self.backgrounds.start(tick, issues)

    def finish(self, main: TimedWindow) -> OverlapReport:
        """Wait for their ends; in automatic mode, stop them after the end buffer."""
        assert self.backgrounds is not None
        try:
            return self.backgrounds.finish(main)
        finally:
            self.backgrounds.stop()

    def ending(self) -> Sequence[HarnessProcess]:
        """Return all of them."""
        return self.backgrounds.harnesses if self.backgrounds is not None else ()

    def close(self) -> None:
        """Close the pump."""
        self.pump.close()


class KeptBackgrounds:
    """A set that stays up from main to main, and the lease of the GPU it is on.

    It is started anew, between mains, when one of it has ended or would end during
    the next main.

    Attributes:
        gpu: where it runs.
        lease: the GPU's.
        seated: which background runs on which device.
    """

    def __init__(self, config: RunSpec, gpu: Gpu, lease: Lease, seated: Sequence[Seat]):
        self._config = config
        self.gpu, self.lease, self.seated = gpu, lease, tuple(seated)
        self._folder = make_folder(config.results_dir, "backgrounds")
        self._sets = 0
        self.pump = Pump(lease.fds)
        self.backgrounds: BackgroundSet | None = None

    @property
    def _healthy(self) -> bool:
        """Whether all of it runs, and nothing of it is stopped."""
        backgrounds = self.backgrounds
        return (
            backgrounds is not None
            and backgrounds.ready
            and not backgrounds.ended()
            and not backgrounds.broken_logs()
            and not stopped_now(backgrounds.harnesses)
        )

    def plan(self, folder: Path, seconds: float, needed: float) -> tuple[Launch, ...]:  # noqa: ARG002 - several mains share it
        """Keep the set if it lasts long enough; else stop it and plan a new one."""
        backgrounds = self.backgrounds
        if backgrounds is None or not self._healthy or not backgrounds.lasts(needed):
            if backgrounds is not None:
                backgrounds.stop()
                refuse_survivors(_survivors(backgrounds))
            self._sets += 1
            launches = plan_backgrounds(
                self._config, self.seated, self._folder / f"set-{self._sets}", seconds
            )
            self.backgrounds = backgrounds = BackgroundSet(
                self._config, launches, self.pump
            )
        return backgrounds.launches

    def start(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Start the set unless it runs."""
        assert self.backgrounds is not None
        self.backgrounds.tick = tick
        if self.backgrounds.ready:
            return
        try:
            self.backgrounds.start(tick, issues)
        except BaseException:  # it is of no use, and must write nothing any more
            self.backgrounds.stop()
            raise

    def finish(self, main: TimedWindow) -> OverlapReport:
        """Wait out the end buffer; the set runs on."""
        assert self.backgrounds is not None
        return self.backgrounds.outlast(main)

    def ending(self) -> Sequence[HarnessProcess]:
        """Return none: they go on beside the next main."""
        return ()

    def close(self) -> None:
        """Leave the pump to the next main."""

    def end(self) -> None:
        """Stop the set and give the GPU back.

        Raises:
            HarnessError: something survived SIGKILL.
        """
        try:
            if self.backgrounds is not None:
                self.backgrounds.stop()
        finally:
            left = sweep(self._folder)
            self.pump.close()
            self.lease.close()
        refuse_survivors([*_survivors(self.backgrounds), *left])


def _survivors(backgrounds: BackgroundSet | None) -> list[str]:
    harnesses = backgrounds.harnesses if backgrounds is not None else ()
    return [each for harness in harnesses for each in harness.survivors]


def refuse_survivors(left: Sequence[str]) -> None:
    """Fail where processes have survived.

    Raises:
        HarnessError: with their command lines.
    """
    if named := list(dict.fromkeys(left)):
        raise HarnessError(
            f"{len(named)} of the run's processes survived SIGKILL and may still "
            f"use the GPU: {'; '.join(named)}. End them before the next run."
        )


class Keeper:
    """Holds the set that is up, from test to test of one pytest run.

    Attributes:
        session: what names that pytest run, the same in all its xdist workers.
        kept: the set; None when none is up.
    """

    def __init__(self, session: str) -> None:
        self.session = session
        self.kept: KeptBackgrounds | None = None

    def end(self) -> None:
        """Stop the set that is up, if one is.

        Raises:
            HarnessError: something survived SIGKILL.
        """
        kept, self.kept = self.kept, None
        if kept is not None:
            kept.end()
