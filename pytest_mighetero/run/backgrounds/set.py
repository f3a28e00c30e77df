"""The backgrounds of one run: launched, waited for, watched, finished."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.durations import MAIN_FACTOR, STARTUP_S, Cover
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.run.backgrounds.readiness import Readiness
from pytest_mighetero.run.evidence import (
    exit_of,
    how_it_ended,
    log_failure,
    ran_otherwise,
    tail_of,
)
from pytest_mighetero.run.overlap import OverlapReport, margin
from pytest_mighetero.run.proof import background_proof
from pytest_mighetero.run.start import Tick, process_of
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.window import TimedWindow
from pytest_mighetero.units import format_duration

# While LoadGen runs, its log gives the first query's time to the second.
LIVE_SLACK_S = 1.0
_STAMP_S = 0.002  # LoadGen's stamps are in ms


class BackgroundSet:
    """Every background of one run.

    Attributes:
        launches: what they are, in launch order.
        harnesses: their processes, in the same order.
        readiness: how they get ready.
        ready: whether they have been started and got ready.
        tick: told what they are waited for.
    """

    def __init__(self, config: RunSpec, launches: Sequence[Launch], pump: Pump):
        self._config, self._pump = config, pump
        self.tick: Tick = lambda _state: None
        self.ready = False
        self.launches = tuple(launches)
        self.harnesses = tuple(process_of(config, each) for each in launches)
        self._deadline = float("inf")
        self.readiness = Readiness(config, self.launches, self.harnesses, pump)
        self._overlap_lost: set[str] = set()

    @property
    def deadline(self) -> float:
        """``time.monotonic()`` until which the backgrounds may run."""
        return self._deadline

    def start(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Launch them all and wait until each is ready and settled.

        Args:
            tick: told what they are waited for, now and later.
            issues: told of each once it issues queries.

        Raises:
            HarnessError: one could not be launched, ended, or was not ready in time.
        """
        self.tick = tick
        self._deadline = time.monotonic() + self._config.background_timeout
        self.readiness.get_ready(tick, issues)
        self.ready = True

    def lasts(self, seconds: float) -> bool:
        """Tell whether they run so much longer, by what they were told."""
        starts = [h.started.monotonic for h in self.harnesses if h.started]
        told = min(starts, default=0.0) + self.launches[0].min_duration
        return time.monotonic() + seconds <= min(told, self._deadline)

    def ended(self) -> list[HarnessProcess]:
        """Return those that have finished their test or exited."""
        return [harness for harness in self.harnesses if harness.ended]

    def broken_logs(self) -> list[HarnessProcess]:
        """Return those whose log does not hold what they print."""
        return [harness for harness in self.harnesses if harness.log_problem]

    def lost_overlap(self, main: HarnessProcess) -> str:
        """Say who ended while *main* ran, and the duration that would have done.

        No duration would have done for one that crashed.
        """
        crashed = self.crashed()
        harness = crashed[0] if crashed else self.ended()[0]
        self._overlap_lost.update(each.name for each in self.ended())
        into = harness.life.ended.monotonic - main.life.launched.monotonic
        return (
            f"The overlap broke: background {harness.name} {how_it_ended(harness)}, "
            f"{into:.1f} s after main's launch."
            f"{'' if crashed else ' ' + self._would_have_done(main)}\n"
            f"{tail_of(harness)}"
        )

    def _would_have_done(self, main: HarnessProcess) -> str:
        starts = [h.started.monotonic for h in self.harnesses if h.started]
        launched, last = main.life.launched.monotonic, main.life.last.monotonic
        enough = Cover(
            lead=launched - min(starts),
            main=max(self._config.main_duration, last - launched),
            buffer=self._config.end_time_buffer_min,
        )
        return f"{self._advice(enough.seconds)}, by what is known of main."

    def _advice(self, enough: float) -> str:
        return (
            f"They ran with {format_duration(self.launches[0].min_duration)}; "
            f"--background-benchmark-duration={format_duration(math.ceil(enough))} "
            f"would have been enough"
        )

    def crashed(self) -> list[HarnessProcess]:
        """Return those that exited with a code other than 0.

        Those that were stopped are not asked: their code is the stop's own.
        """
        return [h for h in self.harnesses if h.exit_code and not h.stopped]

    def enough_for(self, main: TimedWindow) -> float:
        """Return the duration in seconds that would have covered *main*, by far.

        A background may be shorter than it is told to be: in Offline LoadGen trusts
        the expected rate.
        """
        margins = self.overlap(main).margins
        lead = max(each.start_s for each in margins)
        # A set that was kept up has led for longer than a new one will.
        newly = self._config.start_time_buffer + self._config.settle_time + STARTUP_S
        lead = min(lead, newly)
        lengths = (each.start_s + main.seconds + each.end_s for each in margins)
        told = self.launches[0].min_duration
        # Of one whose logs prove nothing there is no length.
        shortest = min((each for each in lengths if each > 0), default=told)
        buffer = self._config.end_time_buffer_min
        enough = Cover(MAIN_FACTOR * lead, main.seconds, buffer)
        return enough.seconds * max(1.0, told / shortest)

    def unproved(self, report: OverlapReport, *, so_far: bool = False) -> str | None:
        """Say which backgrounds did not issue queries all along beside main, or None.

        Args:
            report: from ``overlap``.
            so_far: while they run: logs without an end tell the second only, and who
                has ended already did so under main.
        """
        problems = []
        slack_s = LIVE_SLACK_S if so_far else 0.0
        of_all = f"of {len(self.harnesses)} backgrounds"
        if late := [each for each in report.late if each.start_s < -slack_s]:
            named = ", ".join(f"{each.name} by {-each.start_s:.1f} s" for each in late)
            problems.append(
                f"{len(late)} {of_all} issued their first query after main's: {named}. "
                f"Raise --settle-time."
            )
        if paused := [each for each in report.paused if each.gap_s > slack_s]:
            named = ", ".join(f"{each.name} for {each.gap_s:.1f} s" for each in paused)
            tool = self.launches[0].reader.tool
            problems.append(
                f"{len(paused)} {of_all} issued no queries for a while beside main, "
                f"between two runs of {tool}: {named}. Its harness ran the test more "
                f"than once, or began it again after a crash: see its output."
            )
        if ended := [each for each in report.early if so_far and each.end_s < 0]:
            named = ", ".join(f"{each.name} by {-each.end_s:.1f} s" for each in ended)
            problems.append(
                f"{len(ended)} {of_all} had their last response before main's: "
                f"{named}. Raise --background-benchmark-duration."
            )
        for name, doubt in report.doubts.items():
            problems.append(f"The log of {name} proves nothing: {doubt}.")
        return f"The overlap broke: {' '.join(problems)}" if problems else None

    def finish(self, main: TimedWindow) -> OverlapReport:
        """Let them outlast *main* and end; in automatic mode, stop them then.

        Raises:
            HarnessError: they did not end in time, or a log was lost.
        """
        if self._config.background_duration == "automatic":
            until = time.monotonic() + self._config.end_time_buffer_min
            self._watch_logs(lambda: bool(self.ended()), until, lambda: "end buffer")
            self.stop()
        else:
            self._watch_logs(
                lambda: not any(h.running for h in self.harnesses),
                self._deadline,
                lambda: "backgrounds finish",
            )
            if running := [h for h in self.harnesses if h.running]:
                raise HarnessError(
                    f"{len(running)} of {len(self.harnesses)} backgrounds still ran "
                    f"{format_duration(self._config.background_timeout)} after their "
                    f"launch (--background-benchmark-timeout) and were stopped: "
                    f"{', '.join(h.name for h in running)}.\n{tail_of(running[0])}"
                )
        return self.overlap(main)

    def outlast(self, main: TimedWindow) -> OverlapReport:
        """Let them outlast *main* by the end buffer, and run on.

        Raises:
            HarnessError: a log was lost.
        """
        left = main.end + self._config.end_time_buffer_min - self._pump.clock.now()
        until = time.monotonic() + left + _STAMP_S
        self._watch_logs(lambda: bool(self.ended()), until, lambda: "end buffer")
        return self.overlap(main)

    def _watch_logs(
        self, condition: Callable[[], bool], deadline: float, state: Callable[[], str]
    ) -> None:
        self._pump.wait_for(
            lambda: condition() or bool(self.broken_logs()),
            deadline,
            lambda: self.tick(state()),
        )
        if broken := self.broken_logs():
            raise HarnessError(log_failure(broken[0]))

    def overlap(self, main: TimedWindow) -> OverlapReport:
        """Compare every background's window, so far, with *main*'s."""
        required = self._config.end_time_buffer_min
        margins, doubts = [], {}
        for launch, harness, seen in zip(
            self.launches, self.harnesses, self.readiness.issuing, strict=True
        ):
            proof = background_proof(launch, harness, self._pump.clock, seen)
            windows = proof.windows or (TimedWindow(main.end, main.end, main.source),)
            margins.append(margin(launch.name, main, windows, required))
            if proof.doubts:
                doubts[launch.name] = "; ".join(proof.doubts)
        return OverlapReport(tuple(margins), required, doubts)

    def too_early(self, report: OverlapReport) -> str | None:
        """Say which backgrounds did not outlast main by the buffer, or None."""
        early = [e for e in report.early if e.name not in self._overlap_lost]
        if not early:
            return None
        margins = ", ".join(f"{each.name} {each.end_s:.1f} s" for each in early)
        short = report.end_required_s - report.end_margin_s
        return (
            f"{len(early)} of {len(self.harnesses)} backgrounds did not outlast main "
            f"by {format_duration(report.end_required_s)} (--end-time-buffer-min), end "
            f"margins: {margins}. "
            f"{self._advice(self.launches[0].min_duration + short)}."
        )

    def bad_exits(self, *consequences: str) -> str | None:
        """Say which backgrounds crashed, or None.

        Args:
            consequences: what came of it; the first line of each is said, too.
        """
        if not (bad := self.crashed()):
            return None
        codes = ", ".join(f"{h.name}: {exit_of(h)}" for h in bad)
        lenient = " (--lenient excuses no crash)" if self._config.lenient else ""
        said = (
            f"{len(bad)} of {len(self.harnesses)} backgrounds did not exit with "
            f"code 0{lenient}: {codes}."
        )
        sentences = [each.partition("\n")[0] for each in consequences]
        return "\n".join([said, *sentences, *map(tail_of, bad)])

    def ran_otherwise(self) -> str | None:
        """Say which backgrounds ran with something else than was asked for, or None."""
        said = {each.name: ran_otherwise(each) for each in self.launches}
        problems = [
            f"Background {name}: {'; '.join(found)}."
            for name, found in said.items()
            if found
        ]
        return "\n".join(problems) or None

    def stop(self) -> None:
        """Stop whatever still runs."""
        self._pump.stop(self.harnesses)
