"""The backgrounds of one run: launched, waited for, watched until they end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.life import Life
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.durations import Cover
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.run.backgrounds.pause import Pause
from pytest_mighetero.run.backgrounds.readiness import Readiness
from pytest_mighetero.run.evidence.overlap import enough
from pytest_mighetero.run.evidence.traces import how_it_ended, log_failure, tail_of
from pytest_mighetero.run.evidence.workload import Break, Evidence, background_evidence
from pytest_mighetero.run.progress import (
    HarnessState,
    Step,
    Tick,
    end_of,
    label_of,
    state_of,
)
from pytest_mighetero.run.servers import Servers
from pytest_mighetero.run.start import process_of
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.window import TimedWindow
from pytest_mighetero.units import format_duration

_STAMP_S = 0.002  # LoadGen's stamps are in ms


class BackgroundSet:
    """Every background of one run.

    Attributes:
        launches: what they are, in launch order; none for main alone.
        harnesses: their processes, in the same order.
        ready: whether they have been started and got ready.
        tick: told what they are waited for.
        servers: what they load, and main.
        deadline: ``time.monotonic()`` until which they may run.
        end_buffer: in which they outlast main, once that has begun.
    """

    def __init__(
        self,
        config: RunSpec,
        launches: Sequence[Launch],
        pump: Pump,
        servers: Servers,
    ):
        self._config, self._pump, self.servers = config, pump, servers
        self.tick: Tick = lambda _step: None
        self.ready = False
        self.launches = tuple(launches)
        self.harnesses = tuple(process_of(config, each) for each in launches)
        self.deadline = float("inf")
        self.end_buffer: Pause | None = None
        told = self.launches, self.harnesses, pump
        self.readiness = Readiness(config, *told, servers)

    def start(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Launch them all and wait until each is ready and settled.

        Args:
            tick: told what they are waited for, now and later.
            issues: told of each once it issues queries.
        """
        self.tick = tick
        self.deadline = time.monotonic() + self._config.background_timeout
        self.readiness.get_ready(tick, issues)
        self.ready = True

    def lasts(self, seconds: float) -> bool:
        """Tell whether they run so much longer, by what they were told."""
        starts = self.readiness.since
        told = min(starts, default=0.0) + self.launches[0].min_duration
        return time.monotonic() + seconds <= min(told, self.deadline)

    def ended(self) -> list[HarnessProcess]:
        """Return those that have finished their test or exited."""
        return [harness for harness in self.harnesses if harness.ended]

    def broken_logs(self) -> list[HarnessProcess]:
        """Return those whose log does not hold what they print."""
        return [harness for harness in self.harnesses if harness.log_problem]

    def crashed(self) -> list[HarnessProcess]:
        """Return those that exited with a code other than 0.

        Those that were stopped are not asked: their code is the stop's own.
        """
        return [h for h in self.harnesses if h.exit_code and not h.stopped]

    def broken(self, main: Life) -> Break | None:
        """Say who ended while *main* ran, and the duration that would have done.

        No duration would have done for one that crashed. None: nobody ended.
        """
        if not (ended := self.ended()):
            return None
        crashed = self.crashed()
        harness = [*crashed, *ended][0]
        into = harness.life.ended.monotonic - main.launched.monotonic
        would_do = "" if crashed else f" {self._would_have_done(main)}"
        return Break(
            f"The overlap broke: background {harness.name} {how_it_ended(harness)}, "
            f"{into:.1f} s after main's launch.{would_do}\n{tail_of(harness)}",
            frozenset(each.name for each in ended),
            tuple(each.log for each in (crashed or ended)),
        )

    def _would_have_done(self, main: Life) -> str:
        starts = self.readiness.since
        launched, last = main.launched.monotonic, main.last.monotonic
        cover = Cover(
            lead=launched - min(starts, default=launched),
            main=max(self._config.main_duration, last - launched),
            buffer=self._config.end_time_buffer_min,
        )
        told = self.launches[0].min_duration
        return f"{enough(told, cover.seconds)}, by what is known of main."

    def finish(self) -> None:
        """Let them outlast main; in automatic mode for the end buffer, else to the end.

        Raises:
            HarnessError: they did not end in time, or a log was lost.
        """
        if self._config.background_duration == "automatic":
            self._wait_buffer(self._config.end_time_buffer_min)
            return

        def running() -> list[HarnessProcess]:
            return [harness for harness in self.harnesses if harness.running]

        step = Step("backgrounds finish")
        self._watch_logs(lambda: not running(), self.deadline, step)
        if left := running():
            said_by = self._config.said_by["background-benchmark-timeout"]
            raise HarnessError(
                f"{len(left)} of {len(self.harnesses)} backgrounds still ran "
                f"{format_duration(self._config.background_timeout)} after their "
                f"launch ({said_by}) and were stopped: "
                f"{', '.join(h.name for h in left)}.\n{tail_of(left[0])}",
                about=[each.log for each in left],
            )

    def outlast(self, main: TimedWindow) -> None:
        """Let them outlast *main* by the end buffer, and run on."""
        left = main.end + self._config.end_time_buffer_min - self._pump.clock.now()
        self._wait_buffer(left + _STAMP_S)

    def _wait_buffer(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._watch_logs(lambda: bool(self.ended()), until, Step("end buffer", until))

    def _watch_logs(
        self, condition: Callable[[], bool], deadline: float, step: Step
    ) -> None:
        asked = self._config.end_time_buffer_min
        self.end_buffer = buffer = Pause(asked, time.monotonic())
        try:
            self._pump.wait_for(
                lambda: (
                    condition()
                    or bool(self.broken_logs())
                    or self.servers.problem is not None
                ),
                deadline,
                lambda: self.tick(step),
            )
        finally:
            buffer.end = time.monotonic()
        self.servers.check()
        if broken := self.broken_logs():
            raise HarnessError(log_failure(broken[0]), about=[broken[0].log])

    def evidence(self) -> tuple[Evidence, ...]:
        """Read what each has left behind up to now."""
        each = zip(self.launches, self.harnesses, self.readiness.issuing, strict=True)
        clock = self._pump.clock
        return tuple(background_evidence(la, ha, clock, seen) for la, ha, seen in each)

    @property
    def states(self) -> list[HarnessState]:
        """How each is at this moment."""
        config = self._config
        ends = config.background_duration == "automatic" or config.keeps_backgrounds
        both = zip(self.launches, self.harnesses, self.readiness.issuing, strict=True)
        return [
            HarnessState(
                "background",
                launch.name,
                label_of(launch.device),
                *state_of(harness, issuing),
                end_of(
                    harness.started.monotonic if harness.started else issuing,
                    None if ends else launch.min_duration,
                ),
            )
            for launch, harness, issuing in both
        ]

    def stop(self) -> None:
        """Stop whatever still runs."""
        self._pump.stop(self.harnesses)
