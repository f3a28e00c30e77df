"""One measurement of main beside its backgrounds, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_mighetero.devices.telemetry import throttling
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch, RunPlan
from pytest_mighetero.records.comparison.own_figures import Own
from pytest_mighetero.run.backgrounds.keeper import Neighbours
from pytest_mighetero.run.description import describe, own_figures
from pytest_mighetero.run.evidence import accuracy_summary
from pytest_mighetero.run.facts import (
    Known,
    accuracy_facts,
    audit_facts,
    exit_codes,
    overlap_facts,
    result_facts,
)
from pytest_mighetero.run.mainrun import MainRun
from pytest_mighetero.run.overlap import OverlapReport
from pytest_mighetero.run.start import Tick
from pytest_mighetero.run.watch import stopped_now
from pytest_mighetero.spec.runspec import RunSpec

Warn = Callable[[str], None]


class Attempt:
    """A planned main and the backgrounds that are to run beside it.

    Attributes:
        config: the run's settings, with this measurement's target and duration.
        plan: what is started.
        main: the measured harness.
        backgrounds: what runs beside it; None for main alone.
        overlap: the verdict on the overlap, once there is one.
    """

    def __init__(
        self, config: RunSpec, plan: RunPlan, neighbours: Neighbours, tick: Tick
    ):
        self.config, self.plan = config, plan
        self._neighbours = neighbours
        self._steps_before = len(neighbours.pump.clock.steps)
        self.main = MainRun(config, plan, neighbours.pump, tick)
        self.backgrounds = neighbours.backgrounds if plan.backgrounds else None
        self.overlap: OverlapReport | None = None

    def measure(self, go_on: Callable[[], bool]) -> str | None:
        """Run main to its end; return how the overlap broke under way, or None.

        Args:
            go_on: asked, when it breaks, whether main is to run on.

        Raises:
            RunError: the overlap broke, and main was stopped.
            HarnessError: it could not be launched, or ran too long.
        """
        return self.main.measure(self.backgrounds, go_on)

    def broken(self, problem: str | None, warn: Warn) -> bool:
        """Tell whether *problem* with the overlap is one that fails the test."""
        if problem is not None and self.config.lenient:
            warn(problem)
        return problem is not None and not self.config.lenient

    def unproved(self) -> str | None:
        """Say which backgrounds did not load their devices all along, so far."""
        if self.backgrounds is None or self.main.window is None:
            return None
        overlap = self.backgrounds.overlap(self.main.window)
        return self.backgrounds.unproved(overlap, so_far=True)

    def finish(self, warn: Warn) -> list[str]:
        """Let the backgrounds outlast main; return what was wrong with them.

        Raises:
            HarnessError: they did not end in time, or a log was lost.
        """
        backgrounds = self.backgrounds
        assert backgrounds is not None
        assert self.main.window is not None
        given_up: list[HarnessProcess] = []
        if self.main.unloaded is not None:  # what is still stopped would never end
            given_up = stopped_now(backgrounds.harnesses)
            self._neighbours.pump.stop(given_up)
        self.overlap = overlap = self._neighbours.finish(self.main.window)
        unproved = backgrounds.unproved(overlap)
        early = backgrounds.too_early(overlap)
        if {each.name for each in overlap.early} <= {each.name for each in given_up}:
            early = None  # it was said why
        problems = [each for each in (unproved, early) if self.broken(each, warn)]
        excused = [each for each in (unproved, early) if each not in problems]
        problems.append(backgrounds.bad_exits(*filter(None, excused)) or "")
        problems.append(backgrounds.ran_otherwise() or "")
        return [problem for problem in problems if problem]

    def crash(self, broken: str | None, warn: Warn) -> str | None:
        """Say which backgrounds crashed before main's end and what came of it, or None.

        Args:
            broken: how the overlap broke, or None.
            warn: takes that with ``--lenient``, which does not excuse the crash.
        """
        if self.backgrounds is None or not self.backgrounds.crashed():
            return None
        self.broken(broken, warn)
        main = ". Also: ".join(self.main.problems())
        main = main and f"Main {self.main.harness.name} failed: {main}."
        return self.backgrounds.bad_exits(*filter(None, (broken, main)))

    def stop(self) -> None:
        """Stop main, and the backgrounds that serve no other."""
        harnesses = [self.main.harness, *self._neighbours.ending()]
        self._neighbours.pump.stop(harnesses)

    def survivors(self) -> list[str]:
        """Return the command lines of what SIGKILL did not end."""
        harnesses = [self.main.harness, *self._neighbours.ending()]
        return [each for harness in harnesses for each in harness.survivors]

    def measured_facts(self) -> Known:
        """Return what main came to, as far as it is known."""
        main = self.main
        facts: Known = {"exit_code": _code(main.harness)}
        if main.window is not None:
            facts["seconds"] = main.window.seconds
        if throttling(main.telemetry()) is not None:
            facts["throttled_by"] = main.telemetry()["throttled_by"]
        if main.audit_overrides:
            facts["audit_overrides"] = main.audit_overrides
        facts |= audit_facts(main.audit_runs)
        if main.result is not None:
            facts |= result_facts(main.result)
            facts |= accuracy_facts(accuracy_summary(main.launch.log_dir))
        return facts

    def overlap_facts(self) -> Known:
        """Return the verdict on the overlap and how the backgrounds ended."""
        facts = self.exit_facts()
        if self.overlap is not None:
            facts |= overlap_facts(self.overlap)
        if self.main.unloaded is not None:
            facts["overlap_ok"] = False
        return facts

    @property
    def clock_steps(self) -> str:
        """By how much the wall clock was set during the run, and when; or "".

        A set of backgrounds that is kept up has seen the steps of earlier mains, too.
        """
        return ", ".join(map(str, self._neighbours.pump.clock.steps))

    @property
    def clock_stepped(self) -> bool:
        """Whether the wall clock was set since this attempt was planned."""
        return len(self._neighbours.pump.clock.steps) > self._steps_before

    def exit_facts(self) -> Known:
        """Return how the backgrounds ended, what they came to, and clock steps."""
        facts: Known = {"clock_steps": self.clock_steps}
        if self.backgrounds is None or not self.backgrounds.harnesses:
            return facts
        names = [each.pair.benchmark for each in self.backgrounds.launches]
        codes = exit_codes(names, self.backgrounds.harnesses)
        facts["background_exit_codes"] = codes
        facts["background_values"] = [str(each) for each in self.own_figures()]
        return facts

    def own_figures(self) -> list[Own]:
        """Return what the backgrounds came to that have ended by themselves."""
        if self.backgrounds is None:
            return []
        return own_figures(self.backgrounds.launches, self.backgrounds.harnesses)

    def _harnesses(self) -> Sequence[tuple[Launch, HarnessProcess]]:
        both = [(self.main.launch, self.main.harness)]
        if self.backgrounds is not None:
            launches, harnesses = self.backgrounds.launches, self.backgrounds.harnesses
            both.extend(zip(launches, harnesses, strict=True))
        return both

    def described(self, *, read_logs: bool = True) -> dict[str, Any]:
        """Return everything that is known of it, LoadGen's logs read or not."""
        margins = self.overlap and [vars(each) for each in self.overlap.margins]
        runs = self.main.audit_runs.items()
        return {
            "overlap": margins,
            "telemetry": self.main.telemetry(),
            "audit": {part: result.to_dict() for part, result in runs},
            "harnesses": [
                describe(launch, harness, read_logs=read_logs)
                | {"activity": self._activity(harness)}
                for launch, harness in self._harnesses()
            ],
        }

    def _activity(self, harness: HarnessProcess) -> dict[str, Any] | None:
        watch, window = self.main.watch, self.main.window
        return watch.described(harness, window) if watch and window else None


def _code(harness: HarnessProcess) -> str:
    return "none" if harness.exit_code is None else str(harness.exit_code)
