"""Where one run takes place: a GPU, leased, and who sits on which of its devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_mighetero.devices.choice import rank_gpus
from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.lease import Lease
from pytest_mighetero.plan.seats import (
    Seat,
    Seating,
    misfit_of,
    refuse_unknown,
    seat_backgrounds,
    source_of,
    wish_of,
)
from pytest_mighetero.run.recorded import History
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
            not know main's.
    """
    ranked = rank_gpus(source_of(config).gpus(), wish_of(config, pair, alone=alone))
    found = refuse_unknown(config, ranked)
    by_itself = alone or not config.backgrounds_of(pair.benchmark)
    problems = [
        misfit_of(config, pair, gpu.devices[0])
        or history.too_long(config, gpu, alone=by_itself)
        for gpu in found
    ]
    good = tuple(gpu for gpu, bad in zip(found, problems, strict=True) if not bad)
    return Candidates(good, None if good else problems[0])


@dataclass(frozen=True)
class Placement:
    """A GPU with seats for main and its backgrounds.

    Attributes:
        gpu: its devices in the order in which they are used, main's first.
        lease: of the GPU; in a dry run it holds nothing.
        seated: which background runs on which device, in launch order.
        left_out: why not every background runs, a sentence each.
    """

    gpu: Gpu
    lease: Lease
    seated: tuple[Seat, ...]
    left_out: tuple[str, ...]

    @property
    def backgrounds(self) -> list[Pair]:
        """What the backgrounds run."""
        return [pair for pair, _ in self.seated]


def place(  # noqa: PLR0913 - what is asked, what there is, what is up
    config: RunSpec,
    pair: Pair,
    gpus: Sequence[Gpu],
    lease: Callable[[Sequence[Gpu]], tuple[Gpu, Lease]],
    *,
    alone: bool,
    kept: Placement | None,
) -> Placement:
    """Take one of *gpus*, and seat the backgrounds.

    Args:
        config: what is asked for.
        pair: what is measured.
        gpus: those that would do, the best first.
        lease: takes the first of them that is free.
        alone: whether main runs alone.
        kept: where backgrounds are up: if they are the right ones, they serve.

    Raises:
        DeviceError: none became free in time, a background that was named does not
            fit, or none does.
        HarnessError: backgrounds that are up and of no use cannot be stopped.
    """

    def seating(gpu: Gpu) -> Seating:
        return Seating((), ()) if alone else seat_backgrounds(config, pair, gpu)

    for gpu in gpus:
        if kept and not alone and gpu.lease_names == kept.gpu.lease_names:
            seats = seating(gpu)
            if seats.seated == kept.seated:
                return Placement(gpu, kept.lease, seats.seated, seats.left_out)
    gpu, held = lease(gpus)
    try:
        seats = seating(gpu)
    except BaseException:
        held.close()
        raise
    return Placement(gpu, held, seats.seated, seats.left_out)
