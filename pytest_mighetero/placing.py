"""Where one run takes place: its GPU, the lease, the devices of its backgrounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_mighetero.config import RunConfig
from pytest_mighetero.devices import Gpu, source_of
from pytest_mighetero.devices.choosing import rank_gpus
from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.leasing import lease_gpu
from pytest_mighetero.neighbours import (
    Keeper,
    KeptBackgrounds,
    Neighbours,
    OwnBackgrounds,
)
from pytest_mighetero.seating import Seat, refuse_unknown, seat_backgrounds, wish_of
from pytest_mighetero.suite import Pair


class Place:
    """A GPU with seats for main and its backgrounds.

    Attributes:
        seated: which background runs on which device, once that is decided.
    """

    def __init__(self, config: RunConfig, pair: Pair, keeper: Keeper, *, alone: bool):
        self._config, self._pair, self._keeper = config, pair, keeper
        self._alone = alone
        self._gpu: Gpu | None = None
        self._lease: Lease | None = None
        self.seated: tuple[Seat, ...] = ()

    @property
    def gpu(self) -> Gpu:
        """The GPU that was taken, its devices in the order in which they are used."""
        assert self._gpu is not None
        return self._gpu

    @property
    def profile(self) -> str | None:
        """The profile of main's device."""
        return self.gpu.devices[0].profile

    def find(self) -> tuple[Gpu, ...]:
        """Return the GPUs it could be, the best first.

        Raises:
            DeviceError: there is none with enough MIG devices, or the suite's harness
                does not know main's.
        """
        wish = wish_of(self._config, self._pair, alone=self._alone)
        ranked = rank_gpus(source_of(self._config).gpus(), wish)
        return refuse_unknown(self._config, ranked)

    def take(
        self, gpus: Sequence[Gpu], test: str, waits: Callable[[str], None]
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
        kept = self._keeper.kept
        same = [gpu for gpu in gpus if kept and self._serves(kept, gpu)]
        if self._config.dryrun:
            self._gpu = gpus[0]
        elif kept is not None and same:
            self._gpu, self._lease = same[0], kept.lease
        else:
            self._keeper.end()
            self._gpu, self._lease = lease_gpu(self._config, gpus, test, waits)
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

    def give_back(self) -> None:
        """Give the lease back, unless it belongs to backgrounds that stay up."""
        kept = self._keeper.kept
        if self._lease is not None and not (kept and kept.lease is self._lease):
            self._lease.close()
