"""Where a main's backgrounds come from: a set of its own, or one kept up for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.leftover import sweep
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.plan.run_plan import plan_backgrounds
from pytest_mighetero.plan.words import Site
from pytest_mighetero.records.archive import Archive
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.placement import Placement
from pytest_mighetero.run.progress import Tick
from pytest_mighetero.run.servers import Servers
from pytest_mighetero.run.watch import stopped_now
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.window import TimedWindow


class Neighbours:
    """What runs beside one main: a set that starts before it and ends after it.

    For main alone the set is empty.

    Attributes:
        pump: reads every harness of the run, main too.
        servers: what main and they load.
        backgrounds: the present set.
    """

    def __init__(self, config: RunSpec, placement: Placement):
        self._config, self.placement = config, placement
        self.pump = Pump(placement.lease.fds)
        self.servers = Servers(self.pump, config.stop_grace)
        self.backgrounds = BackgroundSet(config, (), self.pump, self.servers)

    @property
    def site(self) -> Site:
        """Where main and they are."""
        return self.placement.site

    def plan(self, folder: Path, seconds: float, needed: float) -> tuple[Launch, ...]:  # noqa: ARG002 - what starts anew has all its time left
        """Decide what main runs beside, and return it.

        Args:
            folder: main's own.
            seconds: the ``--min_duration`` of backgrounds that are to be started.
            needed: seconds that those of a set which runs already must have left.
        """
        seated = self.placement.seated
        launches = plan_backgrounds(self._config, self.site, seated, folder, seconds)
        told = self.pump, self.servers
        self.backgrounds = BackgroundSet(self._config, launches, *told)
        return launches

    def start(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Start what does not run yet, and wait until it is ready."""
        if self.placement.seated:
            self.backgrounds.start(tick, issues)

    def finish(self, main: TimedWindow) -> None:  # noqa: ARG002 - they tell their time
        """Let them outlast main, and stop what of them still runs then."""
        try:
            self.backgrounds.finish()
        finally:
            self.backgrounds.stop()

    def ending(self) -> Sequence[HarnessProcess]:
        """Return the backgrounds that end with this run."""
        return self.backgrounds.harnesses

    def end_servers(self) -> Sequence[HarnessProcess]:
        """Stop the servers that end with this run, whose clients are stopped by now."""
        self.servers.stop()
        return self.servers.processes

    def close(self) -> None:
        """Give back what this run alone used; its harnesses are stopped by now."""
        self.pump.close()


class KeptNeighbours(Neighbours):
    """A set that stays up from main to main, on a GPU that stays leased for it.

    It is started anew, between mains, when one of it has ended or would end during
    the next main.

    Attributes:
        folder: what its harnesses and servers write is there.
    """

    def __init__(self, config: RunSpec, placement: Placement, folder: Path):
        self.folder = folder
        self._sets = 0
        super().__init__(config, placement)

    def plan(self, folder: Path, seconds: float, needed: float) -> tuple[Launch, ...]:
        """Keep the set if all of it works for long enough; else plan a new one."""
        backgrounds = self.backgrounds
        if (
            backgrounds.ready
            and self.servers.problem is None
            and not backgrounds.ended()
            and not backgrounds.broken_logs()
            and not stopped_now((*backgrounds.harnesses, *self.servers.processes))
            and backgrounds.lasts(needed)
        ):
            return backgrounds.launches
        backgrounds.stop()
        refuse_survivors(backgrounds.harnesses)
        self._sets += 1
        folder = self.folder / f"set-{self._sets}"  # several mains share it
        return super().plan(folder, seconds, needed)

    def start(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Start the set unless it runs."""
        self.backgrounds.tick = tick
        if self.backgrounds.ready:
            return
        try:
            super().start(tick, issues)
        except BaseException:  # it is of no use, and must write nothing any more
            self.backgrounds.stop()
            raise

    def finish(self, main: TimedWindow) -> None:
        """Wait out the end buffer; the set runs on."""
        self.backgrounds.outlast(main)

    def ending(self) -> Sequence[HarnessProcess]:
        """Return none: they go on beside the next main."""
        return ()

    @property
    def site(self) -> Site:
        """Where mains and they are; what their servers print is kept with theirs."""
        return replace(self.placement.site, servers=self.folder)

    def end_servers(self) -> Sequence[HarnessProcess]:
        """Stop none: they serve the next main, too."""
        return ()

    def close(self) -> None:
        """Leave the pump to the next main."""

    def end(self) -> None:
        """Stop the set and give the GPU back."""
        try:
            try:
                self.backgrounds.stop()
            finally:
                self.servers.stop()
        finally:
            left = sweep(self.folder)
            super().close()
            self.placement.close()
        ended = (*self.backgrounds.harnesses, *self.servers.processes)
        refuse_survivors(ended, *left)


def refuse_survivors(harnesses: Iterable[HarnessProcess], *swept: str) -> None:
    """Fail where SIGKILL did not end what belongs to *harnesses*, or was *swept*.

    Raises:
        HarnessError: with their command lines.
    """
    left = [each for harness in harnesses for each in harness.survivors]
    if named := dict.fromkeys([*left, *swept]):
        raise HarnessError(
            f"{len(named)} of the run's processes survived SIGKILL and may still "
            f"use the GPU: {'; '.join(named)}. End them before the next run."
        )


class Keeper:
    """Holds the set that is up, from test to test of one pytest run.

    Attributes:
        session: what names that pytest run, the same in all its xdist workers.
        archive: where its runs are kept.
        kept: the set; None when none is up.
    """

    def __init__(self, session: str, archive: Archive) -> None:
        self.session, self.archive = session, archive
        self.kept: KeptNeighbours | None = None

    def neighbours(self, config: RunSpec, placement: Placement) -> Neighbours:
        """Return what runs beside a main in *placement*."""
        if not (config.keeps_backgrounds and placement.seated):
            return Neighbours(config, placement)
        if self.kept is None:
            folder = self.archive.make("backgrounds")
            self.kept = KeptNeighbours(config, placement, folder)
        return self.kept

    def end(self) -> None:
        """Stop the set that is up, if one is."""
        kept, self.kept = self.kept, None
        if kept is not None:
            kept.end()
