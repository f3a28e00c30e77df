"""Where one run takes place: a GPU, leased, and who sits on which of its devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mighetero.devices.choice import rank_gpus
from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.plan.seats import (
    Seat,
    Seating,
    all_seated,
    misfit_of,
    refuse_unknown,
    seat_backgrounds,
    source_of,
    unseated,
    wish_of,
)
from pytest_mighetero.plan.words import Site
from pytest_mighetero.run.progress import Progress, Watcher
from pytest_mighetero.run.recorded import History
from pytest_mighetero.run.tenancy.ports import Ports, uses_ports
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair


@dataclass(frozen=True)
class Candidates:
    """The GPUs that a run could be on, the best first, or why none will do."""

    gpus: tuple[Gpu, ...]
    problem: str | None


def candidates(
    config: RunSpec, pair: Pair, history: History, *, alone: bool
) -> Candidates:
    """Return on which GPUs *pair* can be measured.

    Raises:
        DeviceError: there is none with enough MIG devices, or the suite's harness does
            not know main's; none seats as many aggressors as were asked for.
    """
    fitting = fitting_gpus(config, pair, source_of(config).gpus(), alone=alone)
    if fitting.problem:
        return fitting
    by_itself = alone or not config.backgrounds_of(pair.benchmark)
    return _without(
        {gpu: history.too_long(config, gpu, alone=by_itself) for gpu in fitting.gpus}
    )


def fitting_gpus(
    config: RunSpec, pair: Pair, gpus: Sequence[Gpu], *, alone: bool
) -> Candidates:
    """Return on which of *gpus* there are the devices for *pair*.

    Raises:
        DeviceError: as ``candidates``.
    """
    ranked = rank_gpus(gpus, wish_of(config, pair, alone=alone))
    found = refuse_unknown(config, pair, ranked)
    by_itself = alone or not config.backgrounds_of(pair.benchmark)
    fitting = _without(
        {
            gpu: misfit_of(config, pair, gpu.devices[0])
            or (None if by_itself else unseated(config, gpu))
            for gpu in found
        }
    )
    if by_itself or fitting.problem:
        return fitting
    return Candidates(all_seated(config, fitting.gpus), None)


def _without(problems: Mapping[Gpu, str | None]) -> Candidates:
    good = tuple(gpu for gpu, bad in problems.items() if not bad)
    return Candidates(good, None if good else next(iter(problems.values())))


@dataclass(frozen=True)
class Placement:
    """A GPU with seats for main, on its first device, and for the backgrounds.

    Attributes:
        lease: of the GPU; in a dry run it holds nothing.
        ports: of its devices, where a command takes one; None where none does.
        seated: which background runs on which device, in launch order.
        left_out: why not every background runs, a sentence each.
    """

    gpu: Gpu
    lease: Lease
    seated: tuple[Seat, ...]
    left_out: tuple[str, ...]
    ports: Ports | None = None

    @property
    def site(self) -> Site:
        """Where the workloads are."""
        return Site(self.gpu, self.ports.by_device if self.ports else {})

    def close(self) -> None:
        """Give the GPU back, and the ports."""
        if self.ports is not None:
            self.ports.close()
        self.lease.close()

    @property
    def backgrounds(self) -> list[Pair]:
        """What the backgrounds run."""
        return [pair for pair, _ in self.seated]

    def serving(
        self, config: RunSpec, pair: Pair, gpus: Sequence[Gpu]
    ) -> Placement | None:
        """Return *pair*'s place among *gpus* if that is beside the same backgrounds."""
        for gpu in gpus:
            if gpu.lease_names == self.gpu.lease_names:
                seating = seat_backgrounds(config, pair, gpu)
                if seating.seated == self.seated:
                    return replace(self, gpu=gpu, left_out=seating.left_out)
        return None


def place(
    config: RunSpec, pair: Pair, gpu: Gpu, lease: Lease, *, alone: bool
) -> Placement:
    """Seat the backgrounds on *gpu*, and give it back where that is in vain.

    Raises:
        DeviceError: a background that was named does not fit, or none does; there are
            no ports left.
    """
    try:
        seating = Seating((), ()) if alone else seat_backgrounds(config, pair, gpu)
        ports = None  # also of a main that is served by the same backgrounds later
        if uses_ports(config.suite):
            ports = Ports(each.uuid for each in gpu.devices)
    except BaseException:
        lease.close()
        raise
    return Placement(gpu, lease, seating.seated, seating.left_out, ports)


class Tenancy:
    """Sees to it, again and again, that nobody else has leased the GPU meanwhile.

    Args:
        lease: of the GPU.
        tell: told what the run is doing.
    """

    def __init__(self, lease: Lease, tell: Watcher) -> None:
        self._lease, self.tell = lease, tell
        self._deleted: dict[Path, None] = {}  # of the lease's files, by others

    def tick(self, progress: Progress) -> None:
        """Look after the lease, and tell what the run is doing."""
        self._renew()
        self.tell(progress)

    def check(self, warn: Callable[[str], None]) -> None:
        """See to it that the GPU was this run's alone; warn of what was deleted.

        Raises:
            DeviceError: somebody else has leased the GPU meanwhile.
        """
        self._renew()
        if deleted := ", ".join(map(str, self._deleted)):
            warn(
                f"somebody deleted {deleted} while this run held the GPU by it; "
                f"nobody else leased the GPU meanwhile, and it was made anew"
            )

    def _renew(self) -> None:
        self._deleted.update(dict.fromkeys(self._lease.renew()))
