"""One run test from setup to record: the steps, without pytest."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest_mighetero
from pytest_mighetero import report
from pytest_mighetero.background import BackgroundSet
from pytest_mighetero.config import RunConfig
from pytest_mighetero.devices import Gpu, source_of
from pytest_mighetero.devices.choosing import rank_gpus
from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.devices.telemetry import throttling
from pytest_mighetero.durations import BackgroundTime, background_time
from pytest_mighetero.errors import HarnessError, RunError
from pytest_mighetero.harness.leftover import sweep
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.launching import Tick, check_makefile
from pytest_mighetero.loadgen import LoadGenResult
from pytest_mighetero.mainrun import MainRun
from pytest_mighetero.overlap import OverlapReport
from pytest_mighetero.planning import Launch, RunPlan, plan_run, run_name
from pytest_mighetero.records import (
    describe,
    make_folder,
    new_folder,
    recorded_run,
    write_record,
)
from pytest_mighetero.seating import wish_of
from pytest_mighetero.suite import Pair

# While LoadGen runs, its log gives the first query's time to the second.
LIVE_SLACK_S = 1.0


class Case:
    """A main, its backgrounds, and everything that becomes known of them.

    Attributes:
        pair: what is measured.
        config: the run's settings.
        alone: whether it runs without backgrounds.
        facts: what is known so far, as flat texts with stable names.
        phases: outcome and text of the phases reported so far.
        attempts: what was repeated because the overlap broke.
        plan: what is started, once that is decided.
        main: the measured harness, once there is a folder for it.
        backgrounds: what runs beside it, once there is a folder for them.
        lease: the GPU's, once it is this run's.
    """

    def __init__(
        self,
        config: RunConfig,
        pair: Pair,
        *,
        alone: bool,
        publish: Callable[[str, str], None],
        tick: Tick,
    ):
        self.config, self.pair, self.alone = config, pair, alone
        self._publish, self._tick = publish, tick
        self.facts: dict[str, str] = {}
        self.phases: dict[str, dict[str, str]] = {}
        self.attempts: list[dict[str, Any]] = []
        self.plan: RunPlan | None = None
        self.main: MainRun | None = None
        self.backgrounds: BackgroundSet | None = None
        self.lease: Lease | None = None
        self._pump: Pump | None = None
        self._folder: Path | None = None
        self._overlap: OverlapReport | None = None
        self.learn(
            benchmark=pair.benchmark,
            scenario=pair.scenario,
            action=config.action,
            suite=config.suite.name,
        )

    def block(self) -> str:
        """Return what is known so far as one short block of text."""
        return report.block(self.facts)

    def learn(self, **facts: str) -> None:
        """Keep facts and publish them; one that changes is published again."""
        for name, value in facts.items():
            if self.facts.get(name) != value:
                self.facts[name] = value
                self._publish(name, value)

    def find_gpus(self) -> tuple[Gpu, ...]:
        """Return the GPUs it could run on, the best first.

        Raises:
            DeviceError: there is none with enough MIG devices.
        """
        wish = wish_of(self.config, self.pair, alone=self.alone)
        return rank_gpus(source_of(self.config).gpus(), wish)

    def prepare(self, gpu: Gpu) -> RunPlan:
        """Decide what is started, and make its folders unless it is a dry run.

        Raises:
            HarnessError: a folder cannot be made.
            DeviceError: the harness folder has no Makefile.
        """
        config = self.config
        make = new_folder if config.dryrun else make_folder
        folder = make(config.results_dir, run_name(self.pair, config.action))
        profile = gpu.devices[0].profile
        time = None
        if not self.alone:
            recorded = recorded_run(config, self.pair, gpu, self.facts)
            time = background_time(config, self.pair, profile, recorded)
        if config.dryrun:
            return self._decide(gpu, folder, time)
        self._folder = folder
        check_makefile(config)
        self._pump = Pump(self.lease.fds if self.lease else ())
        return self._decide(gpu, folder, time)

    def _decide(self, gpu: Gpu, folder: Path, time: BackgroundTime | None) -> RunPlan:
        seconds = None if time is None else time.seconds
        self.plan = plan_run(self.config, self.pair, gpu, folder, seconds)
        self.learn(**report.plan_facts(self.plan))
        if time is not None and self.plan.backgrounds:
            self.learn(
                background_duration_s=f"{time.seconds:.3f}",
                background_duration_by=time.source,
            )
        if self._pump is not None:
            self.main = MainRun(self.config, self.plan, self._pump, self._tick)
        return self.plan

    def start_backgrounds(self) -> BackgroundSet:
        """Start the backgrounds and wait until they are ready.

        Raises:
            HarnessError: they did not get ready.
        """
        assert self.plan is not None
        assert self._pump is not None
        backgrounds = BackgroundSet(
            self.config, self.plan.backgrounds, self._pump, self._tick
        )
        self.backgrounds = backgrounds
        backgrounds.start()
        return backgrounds

    def measure(self, warn: Callable[[str], None]) -> LoadGenResult | None:
        """Run main beside the backgrounds and judge it.

        Args:
            warn: takes a broken overlap with ``--lenient``.

        Returns:
            LoadGen's result; None for an audit, which has several.

        Raises:
            RunError: main is bad, or the overlap broke.
            HarnessError: main could not be launched, or ran too long.
        """
        while (broken := self._measure_once(warn)) is not None:
            self._repeat(broken)
        assert self.main is not None
        return self.main.result

    def _measure_once(self, warn: Callable[[str], None]) -> str | None:
        """Run and judge main; return how the overlap broke if that is to be repeated.

        Raises:
            As ``measure``.
        """
        main, backgrounds = self.main, self.backgrounds
        assert main is not None
        try:
            broken = main.measure(backgrounds, self._go_on)
        except RunError:
            self.learn(overlap_ok="false")
            raise
        finally:
            code = main.harness.exit_code
            self.learn(exit_code="none" if code is None else str(code))
        assert main.window is not None
        self.learn(seconds=f"{main.window.seconds:.3f}")
        if (throttled := throttling(main.telemetry())) is not None:
            self.learn(throttled_by=", ".join(main.telemetry()["throttled_by"]))
            warn(throttled)
        if main.result is not None:
            self.learn(**report.result_facts(main.result))
        main.judge()
        if broken is not None and self._retries_left:
            return broken
        if backgrounds is not None and backgrounds.harnesses:
            overlap = backgrounds.overlap(main.window)
            self.learn(start_margin_s=f"{overlap.start_margin_s:.3f}")
            problem = broken or backgrounds.late(overlap, LIVE_SLACK_S)
            if self._broken(problem, warn):
                raise RunError(str(problem))
        return None

    @property
    def _retries_left(self) -> int:
        return self.config.overlap_retries - len(self.attempts)

    def _go_on(self) -> bool:
        """Tell whether main is to run on though the overlap broke."""
        assert self.backgrounds is not None
        can_fit = self._retries_left > 0 and not self.backgrounds.died()
        return self.config.lenient or can_fit

    def _repeat(self, broken: str) -> None:
        """Start everything again, with backgrounds long enough for what main took.

        Raises:
            RunError: that is longer than a background may run.
            HarnessError: the backgrounds did not get ready.
        """
        main, backgrounds, plan = self.main, self.backgrounds, self.plan
        assert main is not None
        assert backgrounds is not None
        assert plan is not None
        assert main.window is not None
        seconds = backgrounds.enough_for(main.window)
        if seconds > self.config.background_timeout:
            raise RunError(f"Longer than --background-benchmark-timeout: {broken}")
        backgrounds.stop()
        self._learn_exit_codes()
        self._name_survivors([])
        sentence = broken.partition("\n")[0]
        described = [describe(*each) for each in self._harnesses()]
        self.attempts.append(
            {"problem": sentence, "facts": dict(self.facts), "harnesses": described}
        )
        number = len(self.attempts)
        self.learn(attempts=str(number + 1), **{f"attempt_{number}": sentence})
        assert self._folder is not None
        folder = self._folder / f"attempt-{number + 1}"
        self._decide(plan.gpu, folder, BackgroundTime(seconds, "retry"))
        self.start_backgrounds()

    def finish_backgrounds(self, warn: Callable[[str], None]) -> None:
        """Let the backgrounds end and judge them.

        Raises:
            RunError: they ended too early or badly.
            HarnessError: they did not end in time, or could not be stopped.
        """
        backgrounds, main = self.backgrounds, self.main
        assert backgrounds is not None
        assert main is not None
        if main.window is None or not backgrounds.harnesses:
            return
        try:
            overlap = backgrounds.finish(main.window)
        finally:
            backgrounds.stop()
            self._learn_exit_codes()
        self._overlap = overlap
        self.learn(**report.overlap_facts(overlap))
        late, early = backgrounds.late(overlap), backgrounds.too_early(overlap)
        problems = [each for each in (late, early) if self._broken(each, warn)]
        problems.append(backgrounds.bad_exits())
        if said := [problem for problem in problems if problem]:
            raise RunError("\n".join(said))

    def _broken(self, problem: str | None, warn: Callable[[str], None]) -> bool:
        """Tell whether *problem* with the overlap is one that fails the test."""
        if problem is None:
            return False
        self.learn(overlap_ok="false")
        if self.config.lenient:
            warn(problem)
        return not self.config.lenient

    def _learn_exit_codes(self) -> None:
        assert self.backgrounds is not None
        names = [each.pair.benchmark for each in self.backgrounds.launches]
        codes = report.exit_codes(names, self.backgrounds.harnesses)
        self.learn(background_exit_codes=codes)

    def close(self) -> None:
        """Stop whatever still runs, all at once.

        Raises:
            HarnessError: something survived SIGKILL.
        """
        pump, self._pump = self._pump, None
        if pump is None:
            return
        assert self._folder is not None
        try:
            pump.stop(harness for _, harness in self._harnesses())
        finally:
            left = sweep(self._folder)
            pump.close()
            if self.backgrounds is not None and self.backgrounds.harnesses:
                self._learn_exit_codes()
        self._name_survivors(left)

    def _name_survivors(self, left: Sequence[str]) -> None:
        harnesses = [harness for _, harness in self._harnesses()]
        survivors = [each for harness in harnesses for each in harness.survivors]
        if named := list(dict.fromkeys([*survivors, *left])):
            raise HarnessError(
                f"{len(named)} of the run's processes survived SIGKILL and may still "
                f"use the GPU: {'; '.join(named)}. End them before the next run."
            )

    def _harnesses(self) -> list[tuple[Launch, HarnessProcess]]:
        pairs = []
        if self.main is not None:
            pairs.append((self.main.launch, self.main.harness))
        if self.backgrounds is not None:
            both = zip(
                self.backgrounds.launches, self.backgrounds.harnesses, strict=True
            )
            pairs.extend(both)
        return pairs

    def write_record(self, test: str) -> None:
        """Write what is known so far as the run's record, if it has a folder.

        Raises:
            HarnessError: it cannot be written.
        """
        if self._folder is None:
            return
        record = {
            "test": test,
            "pytest_mighetero": pytest_mighetero.__version__,
            "invocation": shlex.join(sys.argv),
            "suite": self.config.suite.name,
            "phases": self.phases,
            "facts": self.facts,
            "overlap": self._overlap and [vars(each) for each in self._overlap.margins],
            "telemetry": self.main.telemetry() if self.main else {},
            "attempts": self.attempts,
            "harnesses": [describe(*each) for each in self._harnesses()],
        }
        write_record(self._folder, record)
