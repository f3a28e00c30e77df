"""What backgrounds came to themselves, and whether that is what they came to before.

Neighbours that idle make main's figure too good, and only their own figures show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

from pytest_mighetero.records.comparison.judgement import Judgement
from pytest_mighetero.records.comparison.samples import amount
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.marks import beside
from pytest_mighetero.records.record import Harness, Record
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs

# A neighbour has cost up to 16 % (A30 in MLPerf Inference v2.0, isolated against
# heterogeneous): less is what it depends on how long main ran beside a background.
FAR = 0.20
_RUNS = 9  # that a median is taken of, the newest ones


@dataclass(frozen=True)
class Own:
    """A background that ended by itself, and its scenario's metric by LoadGen.

    Attributes:
        pair: what it ran.
        profile: of its device.
        run_args: what it was told; by how long it ran it is no other background.
        value: of the metric, in ``unit``.
    """

    pair: Pair
    profile: str | None
    run_args: RunArgs
    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.pair.benchmark}={self.value:.10g} {self.unit}"

    def is_like(self, other: Own) -> bool:
        """Tell whether *other* is the same background's, in another run."""
        return self._identity == other._identity

    @property
    def _identity(self) -> tuple[object, ...]:
        told = self.run_args.without("min_duration")
        return self.pair, self.profile, told, self.unit


@dataclass(frozen=True)
class _Past:
    """A background beside its own history: *runs* runs with that *median*."""

    own: Own
    median: float
    runs: int

    @property
    def _lower_is_worse(self) -> bool:
        return self.own.unit != "ms"

    @property
    def worse_by(self) -> float:
        """The relative change for the worse."""
        change = self.own.value / self.median - 1
        return -change if self._lower_is_worse else change

    @property
    def _of(self) -> str:
        return f"{self.runs} run" if self.runs == 1 else f"{self.runs} runs"

    def __str__(self) -> str:
        value = f"{amount(self.median)} {self.own.unit}"
        return f"{self.own.pair.benchmark}={value} ({self._of})"

    def sentence(self, limit: float) -> str:
        """Say by how much it is worse than *limit* allows."""
        own, sign = self.own, -1 if self._lower_is_worse else 1
        than, least = ("below", "least") if self._lower_is_worse else ("above", "most")
        bound = self.median * (1 + sign * limit)
        return (
            f"Background {own.pair} came to {amount(own.value)} {own.unit}, "
            f"{self.worse_by:.1%} {than} the {amount(self.median)} of its history of "
            f"{self._of} (expected at {least} {amount(bound)}, "
            f"--mig-background-tolerance)"
        )


def judge_own_figures(
    results: Path, facts: Facts, figures: Sequence[Own], tolerance: float | None
) -> Judgement:
    """Compare each background with itself in earlier runs of the same test.

    Args:
        results: the results folder.
        facts: of the run.
        figures: of the backgrounds that have any.
        tolerance: by how much one may be worse, 0.1 for 10 %; None for any amount, of
            which much is a warning.
    """
    main = f"{facts['benchmark']}_{facts['scenario']}"
    records: list[Record] = []
    if figures:
        alike = good_records(results, f"-{main}", beside(facts))
        records = list(islice(alike, _RUNS))
    earlier = [(own, [*_history(records, own)]) for own in figures]
    known = [_Past(own, median(old), len(old)) for own, old in earlier if old]
    compared = {past.own.pair.benchmark for past in known}
    silent = [n for n in facts["backgrounds"].split(",") if n not in compared]
    problems, warnings = [], []
    if tolerance is not None and silent:
        warnings.append(
            f"--mig-background-tolerance: not compared, for lack of a figure of "
            f"its own or of an earlier good run like this: {', '.join(silent)}"
        )
    for past in known:
        why = (
            f"; that is the median of good runs of {main} beside "
            f"{facts['backgrounds']}, the newest in {records[0].folder}. Main had less "
            f"beside it: its own figure may be too good."
        )
        if tolerance is not None and past.worse_by > tolerance:
            problems.append(past.sentence(tolerance) + why)
        elif past.worse_by > FAR:
            warnings.append(past.sentence(FAR) + why)
    return Judgement({"background_history": [*map(str, known)]}, problems, warnings)


def _history(records: Sequence[Record], own: Own) -> Iterator[float]:
    """Yield what the same background came to in *records*."""
    for record in records:
        for harness in record.harnesses[1:]:
            found = _own_of(harness)
            if found is not None and found.value and found.is_like(own):
                yield found.value


def _own_of(harness: Harness) -> Own | None:
    """Return the figure of one that has any: it was not stopped."""
    if harness.value is None or harness.unit is None or harness.run_args is None:
        return None
    pair = Pair(harness.benchmark or "", harness.scenario or "")
    told = RunArgs.read(harness.run_args)
    return Own(pair, harness.profile, told, harness.value, harness.unit)
