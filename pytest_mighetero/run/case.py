"""One run test from setup to record: the steps, without pytest."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.queue import Waits
from pytest_mighetero.errors import RunError
from pytest_mighetero.harness.leftover import sweep
from pytest_mighetero.plan.durations import BackgroundTime
from pytest_mighetero.plan.launch import Launch, RunPlan, plan_backgrounds, plan_run
from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.comparison.judgement import (
    Judgement,
    compare_neighbours,
    judge_by_earlier,
    judge_by_reference,
)
from pytest_mighetero.records.comparison.own_figures import judge_own_figures
from pytest_mighetero.records.facts import Value, texts
from pytest_mighetero.records.run_names import make_folder, new_folder
from pytest_mighetero.records.writer import write_record
from pytest_mighetero.run.attempt import Attempt, Warn
from pytest_mighetero.run.backgrounds.keeper import Keeper, Neighbours, refuse_survivors
from pytest_mighetero.run.backgrounds.set import BackgroundSet
from pytest_mighetero.run.facts import plan_facts
from pytest_mighetero.run.placement import Place
from pytest_mighetero.run.repetition import measure_until_good
from pytest_mighetero.run.start import Tick, check_extra, check_makefile
from pytest_mighetero.show import report
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.environment import withheld
from pytest_mighetero.terms.pair import Pair, run_name


class Case:
    """A main, its backgrounds, and everything that becomes known of them.

    Attributes:
        pair: what is measured.
        config: the run's settings.
        place: where it runs.
        upcoming: the pairs that the same backgrounds are to serve, this one first.
        facts: what is known so far, as flat texts with stable names.
        phases: outcome, text and seconds of the phases reported so far.
        attempts: what was measured before the present attempt, and why again.
        tuning: every trial of a search.
        attempt: what is measured now, once that is decided.
        executed_again: whether another execution of the test counts in its place.
    """

    def __init__(  # noqa: PLR0913 - each is a seam of its own
        self,
        config: RunSpec,
        pair: Pair,
        *,
        alone: bool,
        publish: Callable[[str, str | None], None],
        tick: Tick,
        keeper: Keeper,
    ):
        self.config, self.pair = config, pair
        self.upcoming: Sequence[Pair] = (pair,)
        self._publish, self._session = publish, keeper.session
        self.place = Place(config, pair, keeper, alone=alone)
        self._tick = self.place.watched(tick)
        self.facts: dict[str, str] = {}
        self.phases: dict[str, dict[str, Any]] = {}
        self.attempts: list[dict[str, Any]] = []
        self.tuning: list[dict[str, Any]] = []
        self.attempt: Attempt | None = None
        self.executed_again = False
        self._neighbours: Neighbours | None = None
        self._folder: Path | None = None
        self._owed: str | None = None  # the test whose record the disk may not have
        self.learn(
            benchmark=pair.benchmark,
            scenario=pair.scenario,
            action=config.action,
            suite=config.suite.name,
        )
        if names := withheld(os.environ, config.suite.harness.environment):
            self.learn(environment_withheld=names)

    def block(self) -> str:
        """Return what is known so far as one short block of text."""
        return report.block(self.facts)

    def learn(self, **facts: Value) -> None:
        """Keep facts and publish them; one that changes is published again."""
        for name, text in texts(facts).items():
            value = self.config.secrets.mask(text)
            if self.facts.get(name) != value:
                self.facts[name] = value
                self._publish(name, value)

    def forget(self, *names: str) -> None:
        """Take back what is of an earlier attempt."""
        for name in names:
            if self.facts.pop(name, None) is not None:
                self._publish(name, None)

    def take_gpu(
        self, gpus: Sequence[Gpu], test: str, waits: Waits
    ) -> tuple[Gpu, tuple[str, ...]]:
        """Take a GPU as ``Place.take`` does."""
        gpu, left_out = self.place.take(gpus, test, waits)
        if left_out:
            self.learn(backgrounds_left_out=left_out)
        return gpu, left_out

    def prepare(self) -> RunPlan:
        """Decide what is started, and make its folders unless it is a dry run.

        Raises:
            HarnessError: a folder cannot be made.
            DeviceError: the harness folder has no Makefile.
        """
        config, gpu = self.config, self.place.gpu
        make = new_folder if config.dryrun else make_folder
        folder = make(config.results_dir, run_name(self.pair, config.action))
        if config.dryrun:
            seconds = self.place.background_time(config, self.upcoming).seconds
            beside = plan_backgrounds(config, self.place.seated, folder, seconds)
            return plan_run(config, self.pair, gpu, folder, beside)
        self._folder = folder
        check_makefile(config)
        check_extra(config)
        self._neighbours = self.place.neighbours()
        return self.plan_attempt(config, folder).plan

    def plan_attempt(
        self,
        config: RunSpec,
        folder: Path,
        time: BackgroundTime | None = None,
        label: str = "",
    ) -> Attempt:
        """Plan one measurement of main, beside backgrounds that last for it.

        Args:
            config: the run's settings, those of this measurement in place.
            folder: where what is started gets its folders.
            time: of the backgrounds; None for what is known of main to decide.
            label: which measurement it is, for the state line.

        Raises:
            HarnessError: a folder cannot be made, or old backgrounds not be stopped.
        """
        neighbours = self._neighbours
        assert neighbours is not None
        if self.attempt is not None:
            self.attempt.main.stop()  # it may be waiting to be launched
        place = self.place
        place.lock_folder()
        time = time or place.background_time(config, self.upcoming)
        beside: tuple[Launch, ...] = ()
        if place.seated:
            beside = neighbours.plan(folder, time.seconds, place.time_left(config))
        plan = plan_run(config, self.pair, place.gpu, folder, beside)
        self.learn(**plan_facts(plan))
        if beside:
            by = "session" if self.config.keeps_backgrounds else time.source
            told = beside[0].min_duration
            self.learn(background_duration_s=told, background_duration_by=by)
        self.attempt = Attempt(
            config, plan, neighbours, lambda state: self._tick(f"{label}{state}")
        )
        self.attempt.main.when_launched = self._main_launched
        self.attempt.main.when_issuing = place.main_issues
        return self.attempt

    def start_backgrounds(self) -> BackgroundSet:
        """Start the backgrounds, where they do not run yet, until they are ready.

        Main is prepared meanwhile.

        Raises:
            HarnessError: they did not get ready.
        """
        neighbours = self._neighbours
        assert neighbours is not None
        assert self.attempt is not None
        self.attempt.main.prepare()
        neighbours.start(self._tick, self.place.background_issues)
        for pair, _ in self.place.seated:  # of a set that was up
            self.place.background_issues(pair)
        return neighbours.backgrounds or BackgroundSet(self.config, (), neighbours.pump)

    def measure(self, warn: Warn) -> Result | None:
        """Run main beside the backgrounds and judge it.

        Args:
            warn: takes a broken overlap with ``--lenient``.

        Returns:
            LoadGen's result; None for an audit, which has several.

        Raises:
            RunError: main is bad, the overlap broke, or a reference is missed.
            HarnessError: main could not be launched, or ran too long.
            DeviceError: somebody else leased the GPU meanwhile.
        """
        if self.config.tune:
            from pytest_mighetero.run.tune import tune

            tune(self, warn)
        else:
            measure_until_good(self, warn)
        assert self.attempt is not None
        self.place.check_lease(warn)
        if not self.place.seated:
            self._compare()
        self._judge_by_others(warn)
        return self.attempt.main.result

    def _compare(self) -> None:
        results = self.config.results_dir
        self.learn(**compare_neighbours(results, self.facts, self._session))

    def _judge_by_others(self, warn: Warn) -> None:
        """Check the run against its reference, and against earlier ones if asked to.

        Raises:
            RunError: it is worse.
        """
        config, problems = self.config, list[str]()
        if not config.save_reference:
            judged = judge_by_reference(config.references, self.facts)
            problems += self._take(judged, warn)
        if config.compare is not None:
            where = config.results_dir if config.compare == "last" else config.compare
            judged = judge_by_earlier(
                where, self.facts, self._session, config.tolerance
            )
            problems += self._take(judged, warn)
        if problems:
            raise RunError("\n".join(problems))

    def _take(self, judged: Judgement, warn: Warn) -> Sequence[str]:
        """Learn what a comparison came to, and warn; return what fails the run."""
        self.learn(**judged.facts)
        for each in judged.warnings:
            warn(each)
        return judged.problems

    def next_folder(self, kind: str, number: int) -> Path:
        """Return the folder of a further ``attempt`` or ``trial``."""
        assert self._folder is not None
        return self._folder / f"{kind}-{number}"

    def finish_backgrounds(self, warn: Warn) -> None:
        """Let the backgrounds outlast main, and judge them.

        Raises:
            RunError: they ended too early or badly, or did less than before.
            HarnessError: they did not end in time, or could not be stopped.
        """
        attempt = self.attempt
        assert attempt is not None
        if attempt.main.window is None or not self.place.seated:
            return
        if attempt.overlap is None:
            try:
                problems = attempt.finish(warn)
            finally:
                self.learn(**attempt.overlap_facts())
            judged = judge_own_figures(
                self.config.results_dir,
                self.facts,
                attempt.own_figures(),
                self.config.background_tolerance,
            )
            problems += self._take(judged, warn)
            if problems:
                raise RunError("\n".join(problems))
        self._compare()

    def close(self) -> None:
        """Stop whatever still runs for this test alone, all at once.

        Raises:
            HarnessError: something survived SIGKILL, or the harness folder is spoilt.
        """
        neighbours, self._neighbours = self._neighbours, None
        if neighbours is None:
            return
        assert self._folder is not None
        try:
            if self.attempt is not None:
                self.attempt.stop()
        finally:
            self.place.unlock_folder()
            left = sweep(self._folder)
            neighbours.close()
            if self.attempt is not None:
                self.learn(**self.attempt.exit_facts())
        survivors = self.attempt.survivors() if self.attempt is not None else []
        refuse_survivors([*survivors, *left])
        self.place.refuse_spoilt()

    def write_record(self, test: str, *, main_waits: bool = False) -> None:
        """Write what is known so far as the run's record, if it has a folder.

        Args:
            test: the test's id.
            main_waits: whether main is about to be launched; LoadGen's logs are read
                for it, and the disk is waited for, after that.

        Raises:
            HarnessError: it cannot be written.
        """
        self._owed = test if main_waits else None
        if self._folder is None:
            return
        attempt = self.attempt
        record = {
            "test": test,
            "session": self._session,
            "suite": self.config.suite.name,
            "executed_again": self.executed_again,
            "phases": self.phases,
            "facts": self.facts,
            "attempts": self.attempts,
            "tuning": self.tuning,
            "harnesses": [],
            **(attempt.described(read_logs=not main_waits) if attempt else {}),
        }
        write_record(
            self._folder,
            record,
            secrets=self.config.secrets,
            durable=not main_waits,
            last="teardown" in self.phases,
        )

    def _main_launched(self) -> None:
        self.place.main_launched()
        if self._owed is not None:
            self.write_record(self._owed)
