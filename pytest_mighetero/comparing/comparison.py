"""Two samples of runs beside each other: the ratio, its direction, its weight. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_mighetero.comparing.measurement import Measurement


def amount(value: float) -> str:
    """Return five digits of *value*, 262650 and not 2.6265e+05."""
    return f"{float(f'{value:.5g}'):.15g}"


@dataclass(frozen=True)
class Figure:
    """What is compared.

    Attributes:
        name: for example ``p99 at target 100``.
        unit: of the values.
        higher_is_better: the direction.
    """

    name: str
    unit: str
    higher_is_better: bool


@dataclass(frozen=True)
class Sample:
    """The same figure of several runs, in the figure's unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return amount(self.median)
        low, high = amount(min(self.values)), amount(max(self.values))
        return f"{amount(self.median)} [{low}..{high}, {len(self.values)} runs]"


@dataclass(frozen=True)
class Comparison:
    """How a sample lies to the one it is compared with.

    Attributes:
        figure: what was compared.
        base: what it is compared with: isolated runs, a reference, an earlier round.
        other: what is compared.
        limit_shares: Server: p99 as a fraction of its limit, base's and other's
            median; None elsewhere.
    """

    figure: Figure
    base: Sample
    other: Sample
    limit_shares: tuple[float, float] | None = None

    @property
    def ratio(self) -> float:
        """The other median by the base's."""
        return self.other.median / self.base.median

    @property
    def change(self) -> float:
        """The relative change, -0.02 for 2 % less."""
        return self.ratio - 1

    @property
    def worse_by(self) -> float:
        """The relative change for the worse; negative for the better."""
        return -self.change if self.figure.higher_is_better else self.change

    @property
    def significant(self) -> bool | None:
        """Whether the spreads lie apart; None where one of them is a single run."""
        if min(len(self.base.values), len(self.other.values)) < 2:
            return None
        low, high = sorted((self.base.values, self.other.values), key=min)
        return max(low) < min(high)

    @property
    def verdict(self) -> str:
        """``worse``, ``better`` or ``equal``, and what that is worth."""
        word = "worse" if self.worse_by > 0 else "better" if self.worse_by else "equal"
        if self.significant is None:
            return f"{word}, single runs"
        return word if self.significant else f"{word}, not significant"

    def __str__(self) -> str:
        direction = "higher" if self.figure.higher_is_better else "lower"
        shares = ""
        if self.limit_shares is not None:
            shares = " {:.0%} -> {:.0%} of its limit,".format(*self.limit_shares)
        return (
            f"{self.change:+.1%} {self.figure.name} ({self.base} -> {self.other} "
            f"{self.figure.unit},{shares} {direction} is better): {self.verdict}"
        )


def compare(
    base: Sequence[Measurement], other: Sequence[Measurement]
) -> Comparison | None:
    """Compare runs of one benchmark in one scenario by what its scenario is judged by.

    Offline: samples/s. Server: p99 where all ran at one target, since their rate is
    the target's; the highest VALID targets where these differ, or were searched.
    SingleStream and MultiStream: their latency percentile (before LoadGen v2.0,
    MultiStream's samples per query).

    Returns:
        None where there is nothing to compare: no runs, another scenario or unit, a
        Server run whose target or p99 is not known, or a base of 0.
    """
    every = [*base, *other]
    if not base or not other or len({(m.scenario, m.unit) for m in every}) != 1:
        return None
    if every[0].scenario != "server":
        rate = Figure(every[0].unit, every[0].unit, every[0].higher_is_better)
        return _comparison(rate, base, other, lambda m: m.value)
    targets = {m.target_qps for m in every}
    if None in targets:
        return None
    if len(targets) > 1 or any(m.tuned for m in every):
        figure = Figure("highest VALID target", "QPS", higher_is_better=True)
        return Comparison(figure, _highest_targets(base), _highest_targets(other))
    name = f"p99 at target {every[0].target_qps:g}"
    figure = Figure(name, "ms", higher_is_better=False)
    return _comparison(figure, base, other, lambda m: m.p99_ms)


def _highest_targets(runs: Sequence[Measurement]) -> Sample:
    """Return each search's answer, or the highest target of runs that were none."""
    targets = tuple(m.target_qps or 0.0 for m in runs)
    return Sample(targets if all(m.tuned for m in runs) else (max(targets),))


def _comparison(
    figure: Figure,
    base: Sequence[Measurement],
    other: Sequence[Measurement],
    value: Callable[[Measurement], float | None],
) -> Comparison | None:
    one, two = (Sample(tuple(value(m) or 0.0 for m in side)) for side in (base, other))
    if not all([*one.values, *two.values]):
        return None
    limit = base[0].limit_ms
    shares = None
    if limit and limit == other[0].limit_ms:
        shares = one.median / limit, two.median / limit
    return Comparison(figure, one, two, shares)
