"""What backgrounds came to themselves, and whether that is what they came to before.

Neighbours that idle make main's figure too good, and only their own figures show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.result import Metric
from pytest_mighetero.records.comparison.samples import amount
from pytest_mighetero.records.marks import BESIDE, beside
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.run.evidence import result_of
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.run_args import RunArgs

# A neighbour has cost up to 16 % (A30 in MLPerf Inference v2.0, isolated against
# heterogeneous): less is what it depends on how long main ran beside a background.
FAR = 0.20
_RUNS = 9  # that a median is taken of, the newest ones


@dataclass(frozen=True)
class Own:
    """A background that ended by itself, and its scenario's metric by LoadGen."""

    launch: Launch
    metric: Metric

    def __str__(self) -> str:
        metric = self.metric
        return f"{self.launch.pair.benchmark}={metric.value:.10g} {metric.unit}"


def own_figures(
    launches: Sequence[Launch], harnesses: Sequence[HarnessProcess]
) -> list[Own]:
    """Return what those came to that ended by themselves and left a result to trust."""
    ended = [
        (launch, result_of(launch))
        for launch, harness in zip(launches, harnesses, strict=True)
        if harness.exited and not harness.stopped
    ]
    good = [(each, r.metric) for each, r in ended if r is not None and not r.damage]
    return [Own(each, metric) for each, metric in good if metric is not None]


@dataclass(frozen=True)
class _Past:
    """A background beside its own history: *runs* runs with that *median*."""

    own: Own
    median: float
    runs: int

    @property
    def _lower_is_worse(self) -> bool:
        return self.own.metric.unit != "ms"

    @property
    def worse_by(self) -> float:
        """The relative change for the worse."""
        change = self.own.metric.value / self.median - 1
        return -change if self._lower_is_worse else change

    @property
    def _of(self) -> str:
        return f"{self.runs} run" if self.runs == 1 else f"{self.runs} runs"

    def __str__(self) -> str:
        value = f"{amount(self.median)} {self.own.metric.unit}"
        return f"{self.own.launch.pair.benchmark}={value} ({self._of})"

    def sentence(self, limit: float) -> str:
        """Say by how much it is worse than *limit* allows."""
        metric, sign = self.own.metric, -1 if self._lower_is_worse else 1
        than, least = ("below", "least") if self._lower_is_worse else ("above", "most")
        bound = self.median * (1 + sign * limit)
        return (
            f"Background {self.own.launch.name} came to {amount(metric.value)} "
            f"{metric.unit}, {self.worse_by:.1%} {than} the {amount(self.median)} of "
            f"its history of {self._of} (expected at {least} {amount(bound)}, "
            f"--mig-background-tolerance)"
        )


def judge_own_figures(
    config: RunSpec,
    facts: Mapping[str, str],
    figures: Sequence[Own],
    learn: Callable[..., None],
    warn: Callable[[str], None],
) -> list[str]:
    """Compare each background with itself in earlier runs of the same test.

    Args:
        config: has the results folder and the tolerance.
        facts: of the run.
        figures: of the backgrounds that have any.
        learn: takes what they were compared with, as a further fact.
        warn: told who is far below its history.

    Returns:
        Who is lower than the tolerance allows.
    """
    tolerance = config.background_tolerance
    records = list(islice(_alike(config.results_dir, facts), _RUNS)) if figures else []
    earlier = [(own, _history(records, own)) for own in figures]
    known = [_Past(own, median(old), len(old)) for own, old in earlier if old]
    compared = {past.own.launch.pair.benchmark for past in known}
    silent = [n for n in facts["backgrounds"].split(",") if n not in compared]
    if tolerance is not None and silent:
        warn(
            f"--mig-background-tolerance: not compared, for lack of a figure of "
            f"its own or of an earlier good run like this: {', '.join(silent)}"
        )
    if not known:
        return []
    learn(background_history=",".join(map(str, known)))
    main = f"{facts['benchmark']}_{facts['scenario']}"
    why = (
        f"; that is the median of good runs of {main} beside {facts['backgrounds']}, "
        f"the newest in {records[0].path.parent}. Main had less beside it: its own "
        f"figure may be too good."
    )
    problems = []
    for past in known:
        if tolerance is not None and past.worse_by > tolerance:
            problems.append(past.sentence(tolerance) + why)
        elif past.worse_by > FAR:
            warn(past.sentence(FAR) + why)
    return problems


def _alike(results: Path, facts: Mapping[str, str]) -> Iterator[Record]:
    """Yield earlier good runs of the same thing beside the same, the newest first."""
    part = f"-{facts['benchmark']}_{facts['scenario']}"
    for record in good_records(results, part, beside(facts)):
        if all(record.facts.get(each) == facts.get(each) for each in BESIDE):
            yield record


def _history(records: Sequence[Record], own: Own) -> list[float]:
    """Return what the same background came to in *records*."""
    wanted = _identity(
        own.launch.pair.benchmark,
        own.launch.pair.scenario,
        own.launch.device.profile,
        str(own.launch.run_args),
    )
    lists = (record.data.get("harnesses") for record in records)
    entries = (entry for each in lists if isinstance(each, list) for entry in each[1:])
    values = (_value(entry, wanted, own.metric.unit) for entry in entries)
    return [value for value in values if value]


def _value(entry: Mapping[str, Any], wanted: object, unit: str) -> float | None:
    try:
        metric = entry["loadgen"]["metric"]
        identity = _identity(
            entry["benchmark"],
            entry["scenario"],
            entry["device"]["profile"],
            entry["run_args"],
        )
        same = (identity, metric["unit"]) == (wanted, unit)
        damaged = entry["loadgen"].get("damage")
        return float(metric["value"]) if same and not damaged else None
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return None  # it was stopped, or an older version wrote it


def _identity(
    benchmark: str, scenario: str, profile: str | None, run_args: str
) -> tuple[object, ...]:
    """Return what makes a background the same: its length apart."""
    told = RunArgs.read(run_args).without("min_duration")
    return benchmark, scenario, profile, told
