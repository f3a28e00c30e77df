"""The places that Slurm has given for workers, and those instead of lost ones."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.console.view import View
from pytest_mighetero.plugin.slurm import request
from pytest_mighetero.plugin.slurm.allocations import NoAnswerError, Slurm
from pytest_mighetero.plugin.slurm.answers import Job
from pytest_mighetero.plugin.slurm.first_step import Place, check_places
from pytest_mighetero.plugin.slurm.inputs import inputs_of
from pytest_mighetero.plugin.slurm.waiting import Waiting
from pytest_mighetero.spec.runspec import RunSpec

PATIENCE = 30.0  # seconds for a new allocation while other workers live


class NoPlaceError(ConfigError):
    """There is no place for a worker any more."""


class Places:
    """The places of this session; each is the words that start a worker in it.

    Args:
        outer: the job that the session runs in, or nothing.
        say: tells people.

    Raises:
        ConfigError: options are not to be said here, or Slurm's programs missing.
    """

    def __init__(
        self,
        config: pytest.Config,
        spec: RunSpec,
        outer: str,
        say: Callable[[str], None],
    ):
        assert spec.slurm is not None
        if problem := request.problem(spec.slurm, outer, os.environ):
            raise ConfigError(f"--mig-slurm: {problem}")
        self._config, self._spec, self._options = config, spec, spec.slurm
        self._say = say
        self.slurm = Slurm(spec.slurm, outer)
        self._jobs: dict[str, Job] = {}
        self._dead: set[str] = set()  # where no worker starts any more
        self._instead: dict[str, str] = {}  # of these

    def __contains__(self, words: object) -> bool:
        """Tell whether it is one of them."""
        return words in self._jobs

    def job(self, words: str) -> Job:
        """Return the job that a place is in."""
        return self._jobs[words]

    def first(self, count: int) -> list[str]:
        """Return places for *count* workers, or as many as Slurm has at all.

        Raises:
            ConfigError: it has none, or a node has not what a worker needs.
        """
        slurm = self.slurm
        if slurm.outer:
            return self._usable(self._steps(count))
        packed, timeout = self._spec.slurm_packed, self._spec.slurm_timeout
        asked = -(-count // packed)
        got, why = self._allocate(asked, timeout)
        if not got:
            raise ConfigError(
                f"--mig-slurm: Slurm gave no allocation for "
                f"{' '.join(self._options)!r} (--mig-slurm-timeout={timeout:g}s): {why}"
            )
        if len(got) < asked:
            self._say(
                f"{len(got)} of {asked} allocations, and goes on with them: {why}"
            )
        words = [w for job in got for w in [self._enter(job)] * packed]
        return self._usable(words[:count])

    def _steps(self, count: int) -> list[str]:
        outer = self.slurm.outer
        if self._spec.slurm_packed != 1:
            raise ConfigError(
                f"--mig-slurm-packed={self._spec.slurm_packed}: inside job {outer} "
                f"every worker is a step of it; leave it out"
            )
        job = self.slurm.job(outer)
        if not job.lives:
            raise ConfigError(
                f"--mig-slurm: SLURM_JOB_ID names job {outer}: {job.fate}"
            )
        words = request.step(outer, self._options, sys.executable, self.slurm.name)
        self._jobs[words] = job
        return [words] * count

    def _usable(self, words: list[str]) -> list[str]:
        """Return those of the places that Slurm gives all at once."""
        slurm = self.slurm
        tried = words if slurm.outer else list(self._jobs)
        refused = self._check([(self._jobs[each], each) for each in tried])
        left = list(words)
        why = "; ".join(dict.fromkeys(f"{job}: {said}" for (job, _), said in refused))
        if slurm.outer and "generic resource" not in why:
            why += request.taken(self._options, os.environ)
        for (_, each), _ in refused:
            left = [w for w in left if w != each] if not slurm.outer else left[:-1]
        if not left:
            raise ConfigError(
                f"--mig-slurm: no place for a worker in {why}; ask for "
                f"less, or end the steps that have it"
            )
        if refused:
            self._say(
                f"places for {len(left)} of {len(words)} workers, and goes on with "
                f"them; no more in {why}"
            )
        return left

    def _check(self, places: list[Place]) -> list[tuple[Place, str]]:
        """Return the places that Slurm does not give after all, and why.

        Raises:
            ConfigError: a node has not what a worker needs.
        """
        slurm, folder = self.slurm, self._spec.results_dir
        numbers = {job.number for job, _ in places}
        asks_nvml = self._spec.suite.kind.mig and not self._spec.devices
        mig = {each for each in numbers if asks_nvml and slurm.has_mig(each)}
        inputs = inputs_of(self._config, self._spec)
        return check_places(places, folder, slurm.name, mig, inputs)

    def _allocate(self, count: int, timeout: float) -> tuple[list[Job], str]:
        view = View(self._config, self._spec.heartbeat)
        begin = time.monotonic()

        def tell(said: str) -> None:
            view.announce(f"slurm: {said}")
            view.show(Waiting(said, time.monotonic() - begin))

        try:
            return self.slurm.allocate(count, timeout, tell)
        finally:
            view.clear()

    def _enter(self, job: Job) -> str:
        words = request.worker(job.number, sys.executable, self.slurm.name)
        self._jobs[words] = job
        return words

    def instead(self, words: str, lost: str) -> str:
        """Return another place, for in *words* a worker does not start any more.

        Args:
            words: of the place that it had.
            lost: why that is.

        Raises:
            NoPlaceError: there is none.
        """
        self._dead.add(words)
        job = self._jobs[words]
        try:
            found = self._living()
            if (instead := self._instead.get(words)) in found:
                return instead  # of another worker that was in it
            got, why = self._asked_again(hurry=bool(found))
        except NoAnswerError as error:
            raise NoPlaceError(f"{job}: {lost}; {error}") from error
        if got:
            entered = self._enter(got[0])
            if not (why := self._unfit(got[0], entered)):
                self._instead[words] = entered
                return entered
            self._dead.add(entered)
            self.slurm.give_back(got[0])
        if found:  # leases keep the two from each other's GPU
            self._say(f"no allocation instead ({why}): its worker joins another's")
            return found[0]
        raise NoPlaceError(f"{job}: {lost}, and there is no other place: {why}")

    def _unfit(self, job: Job, words: str) -> str:
        """Return why no worker can be in a place that is new, if so."""
        try:
            refused = self._check([(job, words)])
        except ConfigError as error:
            return str(error).removeprefix("--mig-slurm: ")
        return "; ".join(why for _, why in refused)

    def _living(self) -> list[str]:
        left = [words for words in self._jobs if words not in self._dead]
        lives = self.slurm.living(self._jobs[words].number for words in left)
        return [words for words in left if self._jobs[words].number in lives]

    def _asked_again(self, *, hurry: bool) -> tuple[list[Job], str]:
        if self.slurm.outer:
            return [], "the job is not this session's to ask for again"
        timeout = self._spec.slurm_timeout
        return self._allocate(1, min(timeout, PATIENCE) if hurry else timeout)
