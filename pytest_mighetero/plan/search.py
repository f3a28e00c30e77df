"""The highest VALID target of a Server run: what to run next. Pure.

Probes, short runs, close in on the target; full-length runs prove it: one VALID, and
one INVALID just above. Every choice follows from the trials so far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from pytest_mighetero.plan.grid import Grid
from pytest_mighetero.plan.series import FIRST_STEP, Series, target_of
from pytest_mighetero.plan.trial import Found, GaveUp, Next, Trial
from pytest_mighetero.units import significant

MAX_FULL, MAX_PROBES = 6, 16
_UNKNOWN_STEP = 1.0  # without a reference: a factor of 2
# Steps up that all hold, and their factor, before the search doubts what it is told.
_MANY, _FAR = 14, 1e5


def next_step(  # noqa: PLR0913
    trials: Sequence[Trial],
    *,
    start: float | None,
    resolution: float,
    probes: bool,
    whole: bool = False,
    max_full: int = MAX_FULL,
    max_probes: int = MAX_PROBES,
) -> Next | Found | GaveUp:
    """Decide what follows *trials*.

    Args:
        trials: all so far, in the order they ran.
        start: a reference target that should be near; None where none is known.
        resolution: the wanted gap between VALID and INVALID, 0.01 for 1 %.
        probes: whether short runs are worth while.
        whole: whether the harness takes whole targets alone.
        max_full: full-length runs; max_probes more with neither start nor probes.
        max_probes: short runs.
    """
    probes = probes and max_probes > 0
    grid = Grid(whole, resolution)
    if not trials:
        if start is None:
            return Next(None, not probes, "the harness's own target")
        return Next(grid.taken(start), not probes, "the reference")
    first = _UNKNOWN_STEP if start is None else FIRST_STEP
    short = tuple(trial for trial in trials if not trial.full)
    full = tuple(trial for trial in trials if trial.full)
    probed = Series(short, grid, first, first, 2 * first)
    if short and not full:
        return _probe(probed, max_probes)
    if not probes and start is None:
        max_full += max_probes
    proved = replace(probed, trials=full)
    if short:
        hint = _hint(probed, full)
        proved = replace(proved, up=resolution, down=2 * resolution, hint=hint)
    return _prove(proved, probed, max_full)


def _probe(probed: Series, most: int) -> Next | GaveUp:
    spent = len(probed.trials) >= most
    if stop := _hopeless(probed, spent=spent):
        return stop
    if probed.closed or spent:
        target = probed.grid.taken_below(probed.held[0].target_qps)
        return Next(target, full=True, why=f"confirms {significant(target, 10)}")
    target, why = probed.proposal()
    return Next(target, full=False, why=why)


def _prove(proved: Series, probed: Series, most: int) -> Next | Found | GaveUp:
    spent = len(proved.trials) >= most
    if proved.held and (proved.closed or spent):
        return _found(proved, probed)
    if stop := _hopeless(proved, spent=spent):
        return stop
    if end := _probed_end(proved, probed):
        why = f"proves {significant(end, 10)} INVALID"
        return Next(end, full=True, why=why)
    target, why = proved.proposal()
    return Next(target, full=True, why=why)


def _hint(probed: Series, full: Sequence[Trial]) -> Trial | None:
    lowest = min(map(target_of, full), default=0.0)
    return next((t for t in probed.held if t.target_qps < lowest), None)


def _probed_end(proved: Series, probed: Series) -> float | None:
    """Return the upper end by probes, while nothing at full length lies above."""
    if not proved.held or proved.failed:
        return None
    low = proved.held[0].target_qps
    failed = (trial.target_qps for trial in probed.trials if not trial.holds)
    ends = map(probed.grid.taken_above, failed)
    return min((end for end in ends if end > low), default=None)


def _found(proved: Series, probed: Series) -> Found:
    best = proved.held[0]
    above = [t for t in probed.trials if not t.holds and t.target_qps > best.target_qps]
    end = min(proved.failed or above, key=target_of, default=None)
    low = best.target_qps
    gap = math.inf if end is None else (end.target_qps - low) / low
    target = proved.grid.taken_below(best.target_qps)
    return Found(target, best, end, gap, proved.closed)


def _hopeless(series: Series, *, spent: bool) -> GaveUp | None:
    """Return why no further trial would help, or None."""
    held, failed = series.held, series.failed
    if not series.ends and (ignored := _ignored(series.trials)):
        return ignored
    if held:
        factor = held[0].target_qps / held[-1].target_qps
        if failed or (len(held) < _MANY and factor < _FAR):
            return None
        return GaveUp(
            f"it still holds at {held[0].figures} after {len(held)} trials: something "
            f"other than the device limits the rate, or the limit is not the one "
            f"meant; give a reference target near what the device can do"
        )
    lowest = failed[0]
    if sum(trial.full and trial.unexplained for trial in failed) >= 3:
        return GaveUp(
            f"lowering the target does not help: INVALID at {lowest.figures}, with "
            f"p99 within its limit and {_shown(lowest.completed_qps)} of "
            f"{_shown(lowest.scheduled_qps)} QPS answered; mend what {lowest.tool} says"
        )
    if lowest.target_qps <= series.grid.least or spent:
        lower = "give a lower reference target, or a larger device"
        if series.grid.whole and lowest.target_qps <= 1:
            lower = "give a larger device: this harness takes whole targets alone"
        return GaveUp(
            f"no target held in {len(series.trials)} trials; the lowest was "
            f"{lowest.figures}; {lower}"
        )
    return None


def _shown(qps: float | None) -> str:
    return "unknown" if qps is None else significant(qps, 5)


def _ignored(trials: Sequence[Trial]) -> GaveUp | None:
    """Return that the targets do not reach the tool, when its schedules say so."""
    known = [(t.target_qps, t.scheduled_qps) for t in trials if t.scheduled_qps]
    if not known:
        return None
    (low, slow), (high, fast) = min(known), max(known)
    if high < 4 * low or fast > 1.5 * slow:
        return None
    return GaveUp(
        f"{trials[0].tool} scheduled {_shown(slow)} QPS at target {_shown(low)} and "
        f"{_shown(fast)} QPS at target {_shown(high)}: something else sets the target; "
        f"look for it in RUN_ARGS and user.conf"
    )
