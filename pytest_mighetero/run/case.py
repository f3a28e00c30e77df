"""One run test from setup to record: the steps, without pytest."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease, myself
from pytest_mighetero.devices.queue import Queue, Waits, lease_gpu
from pytest_mighetero.errors import MigheteroError, SlowError
from pytest_mighetero.plan.launch import RunPlan
from pytest_mighetero.plan.run_plan import plan_backgrounds, plan_run
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.run_names import RECORD, new_folder
from pytest_mighetero.records.stand_in import stand_in
from pytest_mighetero.records.writer import write_record
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.backgrounds.keeper import Keeper
from pytest_mighetero.run.evidence.workload import Measured
from pytest_mighetero.run.findings import described, end_facts, own_figures
from pytest_mighetero.run.last_lines import last_lines
from pytest_mighetero.run.ledger import Ledger
from pytest_mighetero.run.moments import course
from pytest_mighetero.run.placement import (
    Candidates,
    Placement,
    Tenancy,
    candidates,
    place,
)
from pytest_mighetero.run.progress import Watcher
from pytest_mighetero.run.recorded import History
from pytest_mighetero.run.repetition import measure_until_good
from pytest_mighetero.run.rig import Rig
from pytest_mighetero.run.setup import setup_of
from pytest_mighetero.run.standing import Standing
from pytest_mighetero.run.start import check_folders, check_made
from pytest_mighetero.run.verdict import Warn
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.environment import slurm_place, withheld
from pytest_mighetero.terms.pair import Pair, run_name


class Case:
    """A run test, and everything that becomes known of it.

    Attributes:
        phases: outcome, text and seconds of the phases reported so far.
        executed_again: whether another execution of the test counts in its place.
        problems: what went wrong, as it was raised.
        folder: the run's; None before it is made.

    Args:
        test: its id.
        mains: the pairs that the same backgrounds are to serve, this one first.
        alone: whether nothing runs beside main.
        publish: told of facts, as ``Ledger`` tells it.
        watcher: told how far the run has got.
        waits: told who is in the way.
    """

    def __init__(  # noqa: PLR0913 - each is a seam of its own
        self,
        config: RunSpec,
        mains: Sequence[Pair],
        test: str,
        *,
        alone: bool,
        publish: Callable[[str, str | None], None],
        watcher: Watcher,
        waits: Waits,
        keeper: Keeper,
    ):
        self.config, self.pair = config, mains[0]
        self._test, self._alone, self._keeper = test, alone, keeper
        self._watcher = watcher
        leases = config.lease_dir, config.lease_timeout
        by = (config.said_by[f"mig-lease-{what}"] for what in ("dir", "timeout"))
        self._queue = Queue(*leases, test, waits, *by)
        self._history = History(self.pair, mains)
        self.ledger = Ledger(config.secrets, publish)
        self.phases: dict[str, dict[str, Any]] = {}
        self.executed_again = False
        self.problems: list[MigheteroError] = []
        self.folder: Path | None = None
        self._rig: Rig | None = None
        self._setup = ""
        self._owed = False  # whether the disk may not have the latest record
        self.ledger.learn(
            benchmark=self.pair.benchmark,
            scenario=self.pair.scenario,
            action=config.action,
            suite=config.suite.name,
        )
        self._name = run_name(self.pair, config.action, config.aggressor)
        if config.aggressor is not None:
            self.ledger.learn(
                victim=str(self.pair),
                aggressor=str(config.aggressor),
                aggressor_limit=config.aggressor_count,
            )
        self.ledger.learn(**slurm_place(os.environ))
        if names := withheld(os.environ, config.suite.environment):
            self.ledger.learn(environment_withheld=names)

    def known(self, gpus: Sequence[Gpu]) -> Record | None:
        """Return the record that makes a run on one of *gpus* needless, or None."""
        if not self.config.resume:
            return None
        config = self.config
        told = config, self.pair, self._test
        marks = {setup_of(*told, each, alone=self._alone) for each in gpus}
        test = config.secrets.mask(self._test)
        return stand_in(config.history_dir, self._name, test, marks)

    def candidates(self) -> Candidates:
        """Return the GPUs that would do; see ``placement.candidates``."""
        self._keeper.archive.refresh(str(self.pair))
        return candidates(self.config, self.pair, self._history, alone=self._alone)

    def take(self, gpus: Sequence[Gpu]) -> Placement:
        """Take the first of *gpus* that is free, and seat the backgrounds.

        One on which the right backgrounds are up already comes first. A dry run leases
        none.

        Raises:
            DeviceError: none became free in time, a background that was named does
                not fit, or none does.
            HarnessError: backgrounds that are up and of no use cannot be stopped.
        """
        config, pair = self.config, self.pair
        kept = None if self._alone else self._keeper.kept
        placement = kept.placement.serving(config, pair, gpus) if kept else None
        if placement is None:
            gpu, lease = self._lease(gpus)
            placement = place(config, pair, gpu, lease, alone=self._alone)
        if placement.left_out:
            self.ledger.learn(backgrounds_left_out=placement.left_out)
        return placement

    def _lease(self, gpus: Sequence[Gpu]) -> tuple[Gpu, Lease]:
        config = self.config
        if config.dryrun:
            return gpus[0], Lease(config.lease_dir, myself(self._test))
        self._keeper.end()
        return lease_gpu(self._queue, gpus)

    def give_back(self, placement: Placement) -> None:
        """Give the GPU back, unless backgrounds stay up there."""
        kept = self._keeper.kept
        if kept is None or kept.placement.lease is not placement.lease:
            placement.close()

    def plan(self, placement: Placement) -> RunPlan:
        """Say what would be started, for a dry run."""
        config, pair = self.config, self.pair
        site, seated = placement.site, placement.seated
        folder = new_folder(config.results_dir, self._name)
        seconds = self._history.beside(config, site.gpu).seconds if seated else 0.0
        beside = plan_backgrounds(config, site, seated, folder, seconds)
        plan = plan_run(config, pair, site, folder, beside)
        check_folders(config, *plan.backgrounds, plan.main)
        return plan

    def prepare(self, placement: Placement) -> tuple[Rig, Attempt]:
        """Make what main is measured with, and plan the first try."""
        config, pair = self.config, self.pair
        folder = self._keeper.archive.make(self._name)
        self.folder = folder
        if config.aggressors:
            told = config, pair, self._test, placement.gpu
            self._setup = setup_of(*told, alone=self._alone)
        if config.aggressor is not None:
            self.ledger.learn(aggressor_count=len(placement.seated))
        check_made(config, [pair, *placement.backgrounds])
        self._rig = rig = Rig(
            config,
            pair,
            placement,
            self._keeper.neighbours(config, placement),
            self._history,
            folder,
            self.ledger,
            Tenancy(placement.lease, self._watcher),
            self._queue,
            self._main_launched,
        )
        return rig, rig.plan(config, folder)

    def measure(
        self, rig: Rig, attempt: Attempt, warn: Warn
    ) -> tuple[Attempt, Measured]:
        """Run main beside the backgrounds and judge it.

        Returns:
            The try that counts, which need not be the first *attempt*, and what it
            came to.

        Raises:
            RunError: main is bad, the overlap broke, or a reference is missed.
            HarnessError: main could not be launched, or ran too long.
            DeviceError: somebody else leased the GPU meanwhile.
        """
        if self.config.tune:
            from pytest_mighetero.run.tune import tune

            good, measured = tune(rig, attempt, warn)
        else:
            good, measured = measure_until_good(rig, attempt, warn)
        rig.tenancy.check(warn)
        standing = self._standing()
        if not rig.placement.seated:
            standing.beside_others()
        standing.against_references().enforce(warn)
        return good, measured

    def outlast(
        self, rig: Rig, attempt: Attempt, measured: Measured, warn: Warn
    ) -> None:
        """Let the backgrounds outlast main, and judge them.

        Raises:
            RunError: they ended too early or badly, or did less than before.
            HarnessError: they did not end in time, or could not be stopped.
        """
        if not rig.placement.seated:
            return
        if attempt.overlap is None:  # a search has seen to it
            verdict = rig.outlast(attempt, measured)
            own = self._standing().of_backgrounds(own_figures(attempt))
            (verdict + own).enforce(warn)
        self._standing().beside_others()

    def _standing(self) -> Standing:
        self._keeper.archive.refresh(str(self.pair))
        return Standing(self.config, self.ledger, self._keeper.session)

    @property
    def record(self) -> Path | None:
        """Where its record is, once it has a folder."""
        return self.folder and self.folder / RECORD

    def close(self) -> None:
        """Stop whatever still runs for this test alone; see ``Rig.close``."""
        if self._rig is not None:
            self._rig.close()

    def end_kept(self) -> None:
        """Stop the backgrounds that are up, and learn how they ended."""
        self._keeper.end()
        if self._rig is not None and self._rig.attempt is not None:
            self.ledger.learn(**end_facts(self._rig.attempt))

    def write_record(self, *, main_waits: bool = False) -> None:
        """Write what is known so far as the run's record, if it has a folder.

        Where *main_waits* to be launched, its tool's logs are read for it, the run's
        course is put down, and the disk is waited for, after that.
        """
        self._owed = main_waits
        if self.folder is None:
            return
        attempt = self._rig and self._rig.attempt
        slow = (x for x in self.problems if isinstance(x, SlowError))
        record: dict[str, Any] = {
            "test": self._test,
            "session": self._keeper.session,
            "suite": self.config.suite.name,
            "executed_again": self.executed_again,
            "setup": self._setup,
            "too_slow": next(map(str, slow), ""),
            "phases": self.phases,
            "facts": self.ledger.facts,
            "attempts": self.ledger.attempts,
            "tuning": self.ledger.trials,
            "harnesses": [],
        }
        if attempt:
            record |= described(attempt, read_logs=not main_waits)
            if not main_waits:
                record["course"] = course(attempt, self.problems)
        if attempt and any(x["outcome"] == "failed" for x in self.phases.values()):
            record["last_lines"] = last_lines(attempt)
        write_record(
            self.folder,
            record,
            secrets=self.config.secrets,
            durable=not main_waits,
            last="teardown" in self.phases,
        )

    def _main_launched(self) -> None:
        if self._owed:
            self.write_record()
