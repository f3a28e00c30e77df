"""Two samples of runs beside each other: the ratio, its direction, its weight. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_mighetero.records.comparison.figure import Measurement
from pytest_mighetero.terms.scenario import is_bounded
from pytest_mighetero.units import significant


def amount(value: float) -> str:
    """Return five digits of *value*, 262650 and not 2.6265e+05."""
    return significant(value, 5)


@dataclass(frozen=True)
class Figure:
    """What is compared: for example ``p99 at target 100`` in ``ms``."""

    name: str
    unit: str
    lower: bool = False

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is better: of all but latencies, or as suites say."""
        return self.unit != "ms" and not self.lower


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
        base: what it is compared with: isolated runs, an earlier round.
        limit_shares: Server: p99 as a fraction of its limit, base's and other's
            median; None elsewhere.
        resolution: what searches leave open: a smaller change of their answers, 0.01
            for 1 %, is none.
    """

    figure: Figure
    base: Sample
    other: Sample
    limit_shares: tuple[float, float] | None = None
    resolution: float = 0.0

    @property
    def ratio(self) -> float:
        """The other median by the base's."""
        return self.other.median / self.base.median

    @property
    def change(self) -> float:
        """The relative change, -0.02 for 2 % less."""
        return self.ratio - 1

    @property
    def slowdown(self) -> float:
        """How many times worse the other is, whichever way the figure counts.

        1.0 is as good as the base, 1.1 is 10 % worse; infinite beyond all numbers.
        """
        one, two = self.base.median, self.other.median
        try:
            return one / two if self.figure.higher_is_better else two / one
        except (OverflowError, ZeroDivisionError):
            return math.inf

    @property
    def unresolved(self) -> bool:
        """Whether the lower device may bear the higher one's target, too."""
        apart = max(self.ratio, 1 / (self.ratio or 1e-300)) - 1
        return 0 < apart < self.resolution * (1 - 1e-9)

    @property
    def worse_by(self) -> float:
        """The relative change for the worse; negative for the better, 0 unresolved."""
        if self.unresolved:
            return 0.0
        return -self.change if self.figure.higher_is_better else self.change

    def expected(self, tolerance: float) -> str:
        """Say what the other is to come to, to be worse by *tolerance* at most."""
        higher, base = self.figure.higher_is_better, self.base.median
        bound = base * (1 - tolerance if higher else 1 + tolerance)
        return f"{'at least' if higher else 'at most'} {amount(bound)}"

    @property
    def significant(self) -> bool | None:
        """Whether the spreads lie apart; None where one of them is a single run."""
        if self.unresolved:
            return False
        if min(len(self.base.values), len(self.other.values)) < 2:
            return None
        low, high = sorted((self.base.values, self.other.values), key=min)
        return max(low) < min(high)

    @property
    def verdict(self) -> str:
        """``worse``, ``better`` or ``equal``, and what that is worth."""
        if self.unresolved and math.isinf(self.resolution):
            return "not known: nothing above the lower one was INVALID"
        if self.unresolved:
            return f"equal within the {self.resolution:.1%} that the search resolved"
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
    """Compare by one figure: of several that which is most for the worse.

    None where there is nothing to compare; see ``comparisons``.
    """
    every = comparisons(base, other)
    return max(every, key=lambda each: each.worse_by, default=None)


def comparisons(
    base: Sequence[Measurement], other: Sequence[Measurement]
) -> tuple[Comparison, ...]:
    """Compare runs of one benchmark in one scenario by what its scenario is judged by.

    Offline: samples/s, of language models tokens/s. Server: p99 where all ran at one
    target, since their rate is the target's; the highest VALID targets where these
    differ, or were searched. Server of language models: tokens/s, and at one target p99
    TTFT and p99 TPOT. SingleStream and MultiStream: their latency (before LoadGen v2.0,
    MultiStream's samples per query).

    Returns:
        None of them where there is nothing to compare: no runs, another scenario or
        unit, a Server run whose target or p99 is not known, or a base of 0.
    """
    every = [*base, *other]
    kinds = {(m.scenario, m.unit, m.lower) for m in every}
    if not base or not other or len(kinds) != 1:
        return ()
    rate = Figure(every[0].unit, every[0].unit, every[0].lower)
    if not is_bounded(every[0].scenario):
        return _compared(rate, base, other, lambda m: m.value)
    targets = {m.target_qps for m in every}
    if None in targets:
        return ()
    tokens = rate.unit == "tokens/s"
    if len(targets) > 1 or any(m.tuned for m in every):
        figure = Figure("highest VALID target", "QPS")
        base, other = _at_highest(base), _at_highest(other)
        found = _compared(figure, base, other, lambda m: m.target_qps)
        if tokens:
            found += _compared(rate, base, other, lambda m: m.value)
        return tuple(_resolved(each, base, other) for each in found)
    alike = len({tuple(latency.name for latency in m.latencies) for m in every}) == 1
    judged_by = range(len(every[0].latencies) if alike else 0)
    latencies = [each for at in judged_by for each in _latency(base, other, at)]
    if len(latencies) < len(judged_by):
        return ()
    rates = _compared(rate, base, other, lambda m: m.value) if tokens else ()
    return (*rates, *latencies)


def _latency(
    base: Sequence[Measurement], other: Sequence[Measurement], at: int
) -> tuple[Comparison, ...]:
    """Compare runs at one target by one of the latencies that they are judged by."""
    first, target = base[0].latencies[at], base[0].target_qps or 0.0
    figure = Figure(f"{first.name} at target {significant(target, 10)}", "ms")
    found = _compared(figure, base, other, lambda m: m.latencies[at].ms)
    limit = first.limit_ms
    if not limit or limit != other[0].latencies[at].limit_ms:
        return found
    return tuple(
        replace(
            each, limit_shares=(each.base.median / limit, each.other.median / limit)
        )
        for each in found
    )


def _resolved(
    compared: Comparison, base: Sequence[Measurement], other: Sequence[Measurement]
) -> Comparison:
    """Note how far above the lower side's targets the next INVALID ones were."""
    lower = base if compared.ratio > 1 else other
    return replace(compared, resolution=max(m.resolution for m in lower))


def _at_highest(runs: Sequence[Measurement]) -> list[Measurement]:
    """Return each search's answer, or the run at the highest of chosen targets."""
    if all(m.tuned for m in runs):
        return list(runs)
    return [max(runs, key=lambda m: (m.target_qps or 0.0, m.value))]


def _compared(
    figure: Figure,
    base: Sequence[Measurement],
    other: Sequence[Measurement],
    value: Callable[[Measurement], float | None],
) -> tuple[Comparison, ...]:
    """Compare by one figure; nothing where one of the runs lacks it."""
    one, two = (Sample(tuple(value(m) or 0.0 for m in side)) for side in (base, other))
    known = min([*one.values, *two.values]) > 0
    return (Comparison(figure, one, two),) if known else ()
