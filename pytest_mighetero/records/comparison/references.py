"""Performance references: what a run should come to, and within which bounds. Pure."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.records.comparison.figure import Measurement
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import is_bounded
from pytest_mighetero.units import significant

# Server of a language model: p99 TTFT or TPOT, whichever is nearer its limit.
OF_LIMIT = "% of limit"


@dataclass(frozen=True)
class Key:
    """What a reference is of. Texts that are not known are empty.

    Attributes:
        system: the GPU's name, for example ``NVIDIA A100-SXM4-80GB``.
        profile: the MIG device's, for example ``1g.10gb``; None where not known.
        run: ``heterogeneous`` or ``isolated``.
        config_ver: what main's ``--config_ver=`` says.
    """

    suite: str
    system: str
    profile: str | None
    run: str
    benchmark: str
    scenario: str
    config_ver: str

    def __str__(self) -> str:
        profile = f" {self.profile}" if self.profile else ""
        version = f"{self.config_ver}, " if self.config_ver else ""
        return (
            f"{self.benchmark}_{self.scenario} ({version}{self.run}, suite "
            f"{self.suite}, {self.system}{profile})"
        )


@dataclass(frozen=True)
class Reference:
    """What a run should come to.

    Attributes:
        value: in ``unit``; Server: the 99th percentile of the latency; of a language
            model p99 TTFT or TPOT in percent of its limit, whichever is the nearer.
        lower, upper: bounds on a run's value, absolute, in ``unit``.
        unit: ``samples/s``, ``tokens/s``, ``ms``, ``% of limit`` or ``samples/query``.
        target_qps: Server: the target that ``value`` belongs to; None elsewhere.
        path: of the file that holds it.
    """

    key: Key
    value: float
    lower: float
    upper: float
    unit: str
    target_qps: float | None
    path: Path


def key_of(facts: Facts) -> Key:
    """Return what the reference of the run with these facts is kept under."""
    return Key(
        suite=facts.get("suite", ""),
        system=facts.get("gpu", ""),
        profile=facts.get("device_profile") or None,
        run=facts.get("run", ""),
        benchmark=facts.get("benchmark", ""),
        scenario=facts.get("scenario", ""),
        config_ver=RunArgs.read(facts.get("run_args", "")).text("config_ver") or "",
    )


def is_held_to(reference: Reference, measurement: Measurement) -> bool:
    """Whether the bounds are of what a run measured: a p99 is of one target."""
    if reference.target_qps is None:
        return reference.unit == measurement.unit
    ran = measurement.target_qps
    return ran is not None and _rounded(ran) == _rounded(reference.target_qps)


def check(reference: Reference, measurement: Measurement) -> str | None:
    """Say in one sentence how a run misses its reference, or None.

    A VALID Server run at a higher target than its reference's misses nothing: it is
    better by definition. At a lower target, or in another unit, a run has missed.
    """
    name = f"{reference.key.benchmark}_{reference.key.scenario}"
    value, unit, at = measurement.value, measurement.unit, ""
    lower = measurement.lower
    if reference.target_qps is not None:
        wanted, ran = _rounded(reference.target_qps), measurement.target_qps
        latency, unit, what = _latency_of(measurement)
        if ran is None or latency is None:
            lacking = "target" if ran is None else "p99"
            return (
                f"{name}: the {lacking} of this run is not known, so it was not "
                f"compared with its reference ({reference.path})."
            )
        if _rounded(ran) > wanted:
            return None
        if _rounded(ran) < wanted:
            return (
                f"{name}: ran at target {shown(ran)}, below its reference's "
                f"{shown(wanted)} ({reference.path})."
            )
        value, at = latency, f" {what} at target {shown(ran)}"
        lower = True
    if unit != reference.unit:
        return (
            f"{name}: measured in {unit}, and its reference is in {reference.unit}, so "
            f"they were not compared ({reference.path}); save a new one with "
            f"--mig-save-reference."
        )
    if reference.lower <= value <= reference.upper:
        return None
    return f"{name}: {shown(value)} {unit}{at} {_miss(reference, value, lower)}"


def _latency_of(run: Measurement) -> tuple[float | None, str, str]:
    """Return what a Server run is judged by, its unit, and its name."""
    if len(run.latencies) > 1:
        return run.limit_percent, OF_LIMIT, "of p99 TTFT or TPOT"
    return run.latencies[0].ms, "ms", "p99"


def _miss(reference: Reference, value: float, lower: bool) -> str:
    percent = f"{abs(value / reference.value - 1):.1%}".replace("%", " %")
    base = shown(reference.value)
    bounds = (
        f"(bounds {shown(reference.lower)} to {shown(reference.upper)}, "
        f"{reference.path})"
    )
    low = value < reference.lower
    if low == (not lower and reference.unit != "ms"):
        return f"is {percent} worse than its reference of {base} {bounds}."
    return (
        f"is better than its reference allows: {percent} {'below' if low else 'above'} "
        f"{base} {bounds}; save a new one with --mig-save-reference if it is here to "
        f"stay."
    )


def reference_of(
    key: Key, measurements: Sequence[Measurement], tolerance: float, folder: Path
) -> Reference | None:
    """Return a new reference from runs of the same thing, those at the highest target.

    Its value is the median, and others may lie beyond these runs by *tolerance*, 0.05
    for 5 %. None where there is nothing to save: no run, no p99 at the highest target,
    several units, or a median of 0.
    """
    target = None
    figures = [(each.value, each.unit) for each in measurements]
    if is_bounded(key.scenario):
        ran = [(_rounded(m.target_qps), m) for m in measurements if m.target_qps]
        target = max((qps for qps, _ in ran), default=None)
        latencies = [_latency_of(m) for qps, m in ran if qps == target]
        figures = [(each, unit) for each, unit, _ in latencies if each]
    units = {unit for _, unit in figures}
    if len(units) != 1:
        return None
    values = [value for value, _ in figures]
    median = statistics.median(values)
    if median <= 0:
        return None
    name = re.sub("[^A-Za-z0-9._-]", "-", key.suite)
    return Reference(
        key,
        value=_rounded(median),
        lower=_rounded(min(values) * max(0, 1 - tolerance)),
        upper=_rounded(max(values) * (1 + tolerance)),
        unit=units.pop(),
        target_qps=target,
        path=folder / f"{name}.toml",
    )


def _rounded(value: float) -> float:
    """Round to 6 significant digits, as facts are."""
    return float(f"{value:.6g}")


def shown(value: float) -> str:
    """Write a figure of a reference."""
    return significant(value, 6) if abs(value) < 1e6 else f"{value:.0f}"
