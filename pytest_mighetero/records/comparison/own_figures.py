"""What backgrounds came to themselves, and whether that is what they came to before.

Neighbours that idle make main's figure too good, and only their own figures show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pytest_mighetero.records.comparison.judgement import Judgement
from pytest_mighetero.records.comparison.samples import (
    Comparison,
    Figure,
    Sample,
    amount,
)
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.marks import beside
from pytest_mighetero.records.record import Harness, Record
from pytest_mighetero.records.results_folder import good_records, told
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs

# A neighbour has cost up to 16 % (A30 in MLPerf Inference v2.0, isolated against
# heterogeneous): less is what it depends on how long main ran beside a background.
FAR = 0.20
_RUNS = 9  # that a median is taken of, the newest ones


@dataclass(frozen=True)
class Own:
    """A background that ended by itself, and its scenario's metric by LoadGen."""

    pair: Pair
    profile: str | None
    run_args: RunArgs
    value: float
    unit: str
    lower: bool = False

    def __str__(self) -> str:
        return f"{self.pair.benchmark}={self.value:.10g} {self.unit}"

    @property
    def identity(self) -> tuple[object, ...]:
        """What it has in common with the same in another run, however long that was."""
        told = self.run_args.without("min_duration")
        return self.pair, self.profile, told, self.unit, self.lower


def judge_own_figures(
    results: Path,
    facts: Facts,
    figures: Sequence[Own],
    tolerance: float | None,
    said_by: str,
) -> Judgement:
    """Compare each background that has a figure with itself in earlier runs alike.

    It may be worse by *tolerance*, 0.1 for 10 %; without one, much is a warning. Who
    asks for that, *said_by*, is named in messages.
    """
    main = f"{facts['benchmark']}_{facts['scenario']}"
    unread: list[str] = []
    alike = good_records(results, f"-{main}", beside(facts), unread)
    records = list(islice(alike, _RUNS)) if figures else []
    earlier = [(own, _compared(own, records)) for own in figures]
    known = [(own, compared) for own, compared in earlier if compared is not None]
    with_history = {own.pair.benchmark for own, _ in known}
    silent = [n for n in facts["backgrounds"].split(",") if n not in with_history]
    problems, warnings = [], []
    if tolerance is not None and unread:
        warnings.append(f"{said_by}: not compared with all: {told(unread)}")
    if tolerance is not None and silent:
        warnings.append(
            f"{said_by}: not compared, for lack of a figure of its own or of an "
            f"earlier good run like this: {', '.join(silent)}"
        )
    for own, compared in known:
        why = (
            f"; that is the median of good runs of {main} beside "
            f"{facts['backgrounds']}, the newest in {records[0].folder}. Main had less "
            f"beside it: its own figure may be too good."
        )
        if tolerance is not None and compared.worse_by > tolerance:
            problems.append(_sentence(own, compared, tolerance) + why)
        elif compared.worse_by > FAR:
            warnings.append(_sentence(own, compared, FAR) + why)
    history = [
        f"{own.pair.benchmark}={amount(compared.base.median)} {own.unit} "
        f"({_runs(compared)})"
        for own, compared in known
    ]
    return Judgement({"background_history": history}, problems, warnings)


def _compared(own: Own, records: Sequence[Record]) -> Comparison | None:
    """Compare a background with what the same came to in *records*; None for none."""
    every = (_own_of(each) for record in records for each in record.harnesses[1:])
    before = tuple(x.value for x in every if x and x.identity == own.identity)
    if not before:
        return None
    figure = Figure(str(own.pair), own.unit, own.lower)
    return Comparison(figure, Sample(before), Sample((own.value,)))


def _sentence(own: Own, compared: Comparison, limit: float) -> str:
    """Say by how much it is worse than *limit* allows."""
    than = "below" if compared.figure.higher_is_better else "above"
    return (
        f"Background {own.pair} came to {amount(own.value)} {own.unit}, "
        f"{compared.worse_by:.1%} {than} the {amount(compared.base.median)} of its "
        f"history of {_runs(compared)} (expected {compared.expected(limit)}, "
        f"--mig-background-tolerance)"
    )


def _runs(compared: Comparison) -> str:
    count = len(compared.base.values)
    return f"{count} run" if count == 1 else f"{count} runs"


def _own_of(harness: Harness) -> Own | None:
    """Return the figure of one that has any: it was not stopped."""
    if not harness.value or harness.unit is None or harness.run_args is None:
        return None
    pair = Pair(harness.benchmark or "", harness.scenario or "")
    told = RunArgs.read(harness.run_args)
    figure = harness.value, harness.unit, harness.lower
    return Own(pair, harness.profile, told, *figure)
