"""One run test from setup to record: the steps, without pytest."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest_mighetero
from pytest_mighetero import report
from pytest_mighetero.background import BackgroundSet
from pytest_mighetero.config import RunConfig
from pytest_mighetero.devices import Gpu, choose_gpu, source_of
from pytest_mighetero.errors import DeviceError, RunError
from pytest_mighetero.evidence import loadgen_result
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.launching import Tick, stop
from pytest_mighetero.loadgen import LoadGenResult
from pytest_mighetero.mainrun import MainRun
from pytest_mighetero.overlap import OverlapReport
from pytest_mighetero.planning import Launch, RunPlan, plan_run, run_name
from pytest_mighetero.records import make_folder, new_folder, write_record
from pytest_mighetero.suite import Pair

# While LoadGen runs, its log gives the first query's time to the second.
LIVE_SLACK_S = 1.0
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")


class Case:
    """A main, its backgrounds, and everything that becomes known of them.

    Attributes:
        pair: what is measured.
        config: the run's settings.
        alone: whether it runs without backgrounds.
        facts: what is known so far, as flat texts with stable names.
        plan: what is started, once that is decided.
        main: the measured harness, once there is a folder for it.
        backgrounds: what runs beside it, once there is a folder for them.
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
        self.plan: RunPlan | None = None
        self.main: MainRun | None = None
        self.backgrounds: BackgroundSet | None = None
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

    def find_gpu(self) -> Gpu:
        """Return the GPU to run on.

        Raises:
            DeviceError: there is none with enough MIG devices.
        """
        needed = 1
        if not self.alone:
            needed += len(self.config.backgrounds_of(self.pair.benchmark))
        return choose_gpu(source_of(self.config).gpus(), needed, self.config.gpu)

    def misfit(self, gpu: Gpu) -> str | None:
        """Say why main cannot run on its device of *gpu*, or None.

        Raises:
            DeviceError: a background does not run on its device.
        """
        suite, profile = self.config.suite, gpu.devices[0].profile
        if not suite.runs_on(self.pair, profile):
            return f"suite {suite.name} does not run {self.pair} on {profile}"
        names = () if self.alone else self.config.backgrounds_of(self.pair.benchmark)
        scenario = self.config.background_scenario
        bad = [
            f"{name} on {device.profile}"
            for name, device in zip(names, gpu.devices[1:], strict=False)
            if not suite.runs_on(Pair(name, scenario), device.profile)
        ]
        if bad:
            raise DeviceError(
                f"Suite {suite.name} does not run these backgrounds in {scenario}: "
                f"{', '.join(bad)}. Choose others with --background-benchmarks."
            )
        return None

    def prepare(self, gpu: Gpu) -> RunPlan:
        """Decide what is started, and make its folders unless it is a dry run.

        Raises:
            HarnessError: a folder cannot be made.
            DeviceError: the harness folder has no Makefile.
        """
        config = self.config
        make = new_folder if config.dryrun else make_folder
        self._folder = make(config.results_dir, run_name(self.pair, config.action))
        self.plan = plan_run(config, self.pair, gpu, self._folder, alone=self.alone)
        self.learn(**report.plan_facts(self.plan))
        if config.dryrun:
            self._folder = None
            return self.plan
        if not any((config.harness_dir / name).is_file() for name in _MAKEFILES):
            raise DeviceError(
                f"No Makefile in {config.harness_dir}: expected a closed/<org> folder "
                f"with a {config.action} target; name it with --mig-harness-dir."
            )
        self._pump = Pump()
        self.main = MainRun(config, self.plan.main, self._pump, self._tick)
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
        assert self.main is not None
        try:
            self.main.measure(self.backgrounds, warn)
        except RunError:
            self.learn(overlap_ok="false")
            raise
        finally:
            code = self.main.harness.exit_code
            self.learn(exit_code="none" if code is None else str(code))
        assert self.main.window is not None
        self.learn(seconds=f"{self.main.window.seconds:.3f}")
        if self.main.result is not None:
            self.learn(**report.result_facts(self.main.result))
        self.main.judge()
        if self.backgrounds is not None and self.backgrounds.harnesses:
            overlap = self.backgrounds.overlap(self.main.window)
            self.learn(start_margin_s=f"{overlap.start_margin_s:.3f}")
            problem = self.backgrounds.late(overlap, LIVE_SLACK_S)
            if self._broken(problem, warn):
                raise RunError(str(problem))
        return self.main.result

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
        if self._pump is None:
            return
        harnesses = [harness for _, harness in self._harnesses()]
        try:
            stop(self._pump, harnesses)
        finally:
            self._pump.close()
            self._pump = None
        if self.backgrounds is not None and self.backgrounds.harnesses:
            self._learn_exit_codes()

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
            OSError: it cannot be written.
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
            "harnesses": [_describe(*each) for each in self._harnesses()],
        }
        write_record(self._folder, record)


def _describe(launch: Launch, harness: HarnessProcess) -> Mapping[str, Any]:
    stamps = {
        name: stamp and stamp.wall
        for name in ("launched", "started", "finished", "stopped", "exited")
        for stamp in [getattr(harness, name)]
    }
    result = loadgen_result(launch) if harness.exited else None
    return {
        "role": launch.folder.name,
        "benchmark": launch.pair.benchmark,
        "scenario": launch.pair.scenario,
        "action": launch.action,
        "device": asdict(launch.device),
        "command": str(launch.command),
        "min_duration_s": launch.min_duration,
        "log_dir": str(launch.log_dir),
        "output": str(launch.output),
        **stamps,
        "exit_code": harness.exit_code,
        "loadgen": result and result.to_dict(),
    }
