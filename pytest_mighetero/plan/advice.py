"""Which target QPS to try after an INVALID run. Pure."""

from __future__ import annotations

import math
import re

from pytest_mighetero.readers.result import Result
from pytest_mighetero.terms.scenario import is_bounded, scenario_of
from pytest_mighetero.units import format_duration, significant

# Of what was scheduled: what three back-offs by 7 % come to. Where less was answered,
# steps from the target would not arrive.
_WITHIN_REACH = 0.8
# LoadGen's early stopping, v2.0 to 6.0.
_MORE_QUERIES = re.compile(
    r"Processed (\d{1,12}) queries\. Would need to run at least (\d{1,12}) more",
    re.ASCII,
)
_ROOM = 1.1  # the schedule is a random one


def next_target(result: Result, step: float, *, whole: bool) -> float | None:
    """Return the target to try after an INVALID run; None where none would help.

    Server is lowered by the fraction *step* where its latency is over the limit: from
    the target, or from what the device completed where that is well below; to a *whole*
    number where the harness takes no other. Offline is changed as the tool recommends:
    raised where the run was too short, and then to the measured rate at least, since
    its one query is sized by the target.
    """
    target = _invalid_target(result)
    if target is not None and is_bounded(result.scenario):
        lowered = _lowered(result, target, step)
        if lowered is None or not whole:
            return lowered
        highest = min(math.floor(lowered), math.ceil(target) - 1)
        return highest if highest >= 1 else None
    if target is not None and scenario_of(result.scenario).one_query:
        said = " ".join(result.recommendations).lower()
        if "increase" in said:
            return float(f"{max(target * (1 + step), _rate(result)):.6g}")
        if "reduce" in said or "decrease" in said:
            return float(f"{target * (1 - step):.6g}")
    return None


def advice(result: Result, step: float, *, whole: bool) -> str | None:
    """Say what to try after an INVALID Server run, too slow or too short, or None."""
    target = _invalid_target(result)
    if not is_bounded(result.scenario) or target is None:
        return None
    if (lowered := _lowered(result, target, step)) is None:
        return _longer(result, target)
    if (following := next_target(result, step, whole=whole)) is not None:
        return f"Next to try: --server_target_qps={significant(following, 10)}"
    return (
        f"Next to try: a target of {significant(lowered, 3)} QPS, which this harness "
        f"does not take: its suite says whole_targets, and no whole number is left"
    )


def _invalid_target(result: Result) -> float | None:
    """Return the target of a run that is INVALID by logs that can be trusted."""
    target = result.target_qps
    known = result.valid is False and not result.damage
    return target if known and target and target > 0 else None


def _lowered(result: Result, target: float, step: float) -> float | None:
    if not _too_slow(result):
        return None
    share = 1.0
    scheduled, completed = result.scheduled_qps or target, result.completed_qps
    if completed is not None and 0 < completed < _WITHIN_REACH * scheduled:
        share = completed / scheduled
    return float(f"{target * share * (1 - step):.4g}")


def _longer(result: Result, target: float) -> str | None:
    """Say how long a run must be for early stopping, at so few queries a second."""
    said = _MORE_QUERIES.findall(result.early_stopping or "")
    if not said:
        return None
    queries = max(int(done) + int(more) for done, more in said)
    seconds = math.ceil(_ROOM * queries / (result.scheduled_qps or target))
    return (
        f"Next to try: --main-benchmark-duration={format_duration(seconds)}, for the "
        f"{queries} queries that early stopping needs"
    )


def _too_slow(result: Result) -> bool:
    over = any(bound.missed for bound in result.bounds)
    return over or any("Reduce target QPS" in said for said in result.recommendations)


def _rate(result: Result) -> float:
    """Return the samples per second of an Offline run, as far as they are known."""
    metric = result.metric
    of_samples = metric.value if metric and metric.unit == "samples/s" else None
    return of_samples or result.samples_per_second or 0.0
