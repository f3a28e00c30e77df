"""Where one run takes place: GPU and harness folder, leased, and who sits where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_mighetero.devices.choice import rank_gpus
from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.devices.queue import (
    FolderLock,
    Queue,
    Waits,
    lease_gpu,
    lock_folder,
)
from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plan.durations import (
    BackgroundTime,
    Recorded,
    background_time,
    time_left,
    too_long,
)
from pytest_mighetero.plan.launch import run_args_of
from pytest_mighetero.plan.seats import (
    Seat,
    refuse_unknown,
    seat_backgrounds,
    source_of,
    wish_of,
)
from pytest_mighetero.run.backgrounds.keeper import (
    Keeper,
    KeptBackgrounds,
    Neighbours,
    OwnBackgrounds,
)
from pytest_mighetero.run.measurements import Measurements
from pytest_mighetero.run.recorded import recorded_run
from pytest_mighetero.run.start import Tick
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.suite import ANY_PROFILE
from pytest_mighetero.terms.pair import Pair, audit_of


class Place:
    """A GPU with seats for main and its backgrounds.

    Attributes:
        seated: which background runs on which device, once that is decided.
        warnings: what is worth knowing of the harness folder, a sentence each.
    """

    def __init__(self, config: RunSpec, pair: Pair, keeper: Keeper, *, alone: bool):
        self._config, self._pair, self._keeper = config, pair, keeper
        self._alone = alone
        self._gpu: Gpu | None = None
        self._lease: Lease | None = None
        self._lock: FolderLock | None = None
        self._deleted: dict[Path, None] = {}  # of the lease's files, by others
        self._measurements = Measurements(config.harness_dir)
        self._launching: list[Pair] = []
        self._recorded: dict[tuple[object, ...], Recorded | None] = {}
        self._queue = self._queue_of("", lambda _state: None)
        self.seated: tuple[Seat, ...] = ()
        self.warnings: list[str] = []
        self._spoilt: list[str] = []

    def _queue_of(self, test: str, waits: Waits) -> Queue:
        config = self._config
        return Queue(config.lease_dir, config.lease_timeout, test, waits)

    @property
    def gpu(self) -> Gpu:
        """The GPU that was taken, its devices in the order in which they are used."""
        assert self._gpu is not None
        return self._gpu

    @property
    def profile(self) -> str | None:
        """The profile of main's device; any where the device was listed without."""
        return self.gpu.devices[0].profile or ANY_PROFILE

    def find(self) -> tuple[Gpu, ...]:
        """Return the GPUs it could be, the best first.

        Raises:
            DeviceError: there is none with enough MIG devices, or the suite's harness
                does not know main's.
        """
        wish = wish_of(self._config, self._pair, alone=self._alone)
        ranked = rank_gpus(source_of(self._config).gpus(), wish)
        return refuse_unknown(self._config, ranked)

    def too_long(self, gpu: Gpu) -> str | None:
        """Say that a run on *gpu* would take longer than it may, or None."""
        kept = self._config.keeps_backgrounds
        recorded = None if kept else self._history(self._config, gpu)
        return too_long(
            self._config,
            self._pair,
            gpu.devices[0].profile or ANY_PROFILE,
            recorded,
            alone=self._alone or not self._config.backgrounds_of(self._pair.benchmark),
        )

    def take(
        self, gpus: Sequence[Gpu], test: str, waits: Waits
    ) -> tuple[Gpu, tuple[str, ...]]:
        """Take the first GPU of *gpus* that is free, and seat the backgrounds.

        One on which the right backgrounds are up already comes first. A dry run takes
        none.

        Returns:
            The GPU, and why not every background runs, a sentence each.

        Raises:
            DeviceError: none became free in time, a background that was named does
                not fit, or none does.
            HarnessError: backgrounds that are up and of no use cannot be stopped.
        """
        self._queue = self._queue_of(test, waits)
        kept = self._keeper.kept
        same = [gpu for gpu in gpus if kept and self._serves(kept, gpu)]
        if self._config.dryrun:
            self._gpu = gpus[0]
        elif kept is not None and same:
            self._gpu, self._lease = same[0], kept.lease
        else:
            self._keeper.end()
            self._gpu, self._lease = lease_gpu(self._queue, gpus)
        if self._alone:
            return self._gpu, ()
        seating = seat_backgrounds(self._config, self._pair, self._gpu)
        self.seated = seating.seated
        return self._gpu, seating.left_out

    def _serves(self, kept: KeptBackgrounds, gpu: Gpu) -> bool:
        if self._alone or gpu.lease_names != kept.gpu.lease_names:
            return False
        return seat_backgrounds(self._config, self._pair, gpu).seated == kept.seated

    def neighbours(self) -> Neighbours:
        """Return what runs beside main here.

        Raises:
            HarnessError: a folder cannot be made.
        """
        if not (self._config.keeps_backgrounds and self.seated):
            return OwnBackgrounds(self._config, self.seated, self._lease)
        if self._keeper.kept is None:
            assert self._lease is not None
            self._keeper.kept = KeptBackgrounds(
                self._config, self.gpu, self._lease, self.seated
            )
        return self._keeper.kept

    def lock_folder(self) -> None:
        """Wait until no other run's launch could mix with those of this run.

        For all of them at once, main's too: nobody waits under way, beside backgrounds
        that run out.

        Raises:
            DeviceError: the harness folder did not become free in time.
        """
        self.unlock_folder()
        self._lock = lock_folder(
            self._queue,
            self._config.harness_dir,
            {self._pair, *(pair for pair, _ in self.seated)},
            whole=audit_of(self._config.action) is not None,
        )
        self._launching = [pair for pair, _ in self.seated]
        self._measurements.keep(self._launching)
        self.warnings = self._measurements.left_by_others()

    def background_issues(self, pair: Pair) -> None:
        """Let others launch *pair*, unless main is of it, too: ours issues queries.

        All of ours that are of it, that is. Of the last pair that can wait until main
        is launched, which waits for it.
        """
        if pair not in self._launching:
            return
        self._launching.remove(pair)
        last = not self._launching and pair != self._pair
        if not (last or pair in self._launching):
            self._let_go(pair)

    def main_launched(self) -> None:
        """Let others launch what all the backgrounds are of."""
        for pair in self._measurements.pairs:
            self._let_go(pair)

    def _let_go(self, pair: Pair) -> None:
        self._spoilt += self._measurements.put_back(pair)
        if self._lock is not None and pair != self._pair:
            self._lock.issues(pair)

    def main_issues(self) -> None:
        """Let others launch main's pair: main issues queries."""
        if self._lock is not None:
            self._lock.issues(self._pair)

    def unlock_folder(self) -> None:
        """Let others launch in the harness folder what this run does not any more."""
        for pair in self._measurements.pairs:  # whose background came to no query
            self._spoilt += self._measurements.put_back(pair)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def refuse_spoilt(self) -> None:
        """Fail where backgrounds have left in the harness folder what they wrote.

        Raises:
            HarnessError: it could not be put back.
        """
        if self._spoilt:
            raise HarnessError(f"{'. '.join(self._spoilt)}.")

    def background_time(
        self, config: RunSpec, upcoming: Sequence[Pair]
    ) -> BackgroundTime:
        """Return how long the backgrounds of a main here run.

        Args:
            config: the run's settings, those of this measurement in place.
            upcoming: the pairs that one set of backgrounds is to serve.
        """
        if not self.seated:
            return BackgroundTime(0.0, "option")
        if self._config.keeps_backgrounds:
            return background_time(config, self._pair, self.profile, mains=upcoming)
        recorded = self._history(config, self.gpu)
        return background_time(config, self._pair, self.profile, recorded)

    def time_left(self, config: RunSpec) -> float:
        """Return the seconds that backgrounds which are up must have left here."""
        recorded = self._history(config, self.gpu)
        return time_left(config, self._pair, self.profile, recorded)

    def _history(self, config: RunSpec, gpu: Gpu) -> Recorded | None:
        """Return what an earlier run took, looked up once for each RUN_ARGS and kind.

        Args:
            config: the run's settings, those of this measurement in place.
            gpu: one of the kind that it is to be on.
        """
        run_args = run_args_of(config, self._pair)
        key = run_args, gpu.name, gpu.devices[0].profile
        if key not in self._recorded:
            self._recorded[key] = recorded_run(config, self._pair, gpu)
        return self._recorded[key]

    def watched(self, tick: Tick) -> Tick:
        """Return *tick* so that it looks after the GPU's lease as well.

        It raises a DeviceError where somebody else has leased the GPU meanwhile.
        """

        def look(state: str) -> None:
            self._renew_lease()
            tick(state)

        return look

    def check_lease(self, warn: Callable[[str], None]) -> None:
        """See to it that the GPU was this run's alone up to now.

        Args:
            warn: told what somebody has deleted.

        Raises:
            DeviceError: somebody else has leased the GPU meanwhile.
        """
        self._renew_lease()
        if deleted := ", ".join(map(str, self._deleted)):
            warn(
                f"somebody deleted {deleted} while this run held the GPU by it; "
                f"nobody else leased the GPU meanwhile, and it was made anew"
            )

    def _renew_lease(self) -> None:
        if self._lease is not None:
            self._deleted.update(dict.fromkeys(self._lease.renew()))

    def give_back(self) -> None:
        """Give the lease back, unless it belongs to backgrounds that stay up."""
        kept = self._keeper.kept
        if self._lease is not None and not (kept and kept.lease is self._lease):
            self._lease.close()
