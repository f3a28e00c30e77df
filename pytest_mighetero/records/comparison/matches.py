"""Which runs of A belong to which of B, what they come to, what is left out. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.records.comparison.figure import Latency, Measurement
from pytest_mighetero.records.comparison.published import Entry
from pytest_mighetero.records.comparison.samples import Comparison, Sample, comparisons
from pytest_mighetero.records.comparison.sides import Side
from pytest_mighetero.terms.scenario import is_bounded

Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One benchmark in one scenario, in A and in B, by one figure.

    Attributes:
        comparison: of what the scenario is judged by; language models' Server has one
            row for each of several figures.
        a, b: the runs.
    """

    comparison: Comparison
    a: list[Entry]
    b: list[Entry]

    @property
    def benchmark(self) -> str:
        """As both sides call it."""
        return self.a[0].benchmark

    @property
    def scenario(self) -> str:
        """As both sides call it."""
        return self.a[0].scenario


@dataclass(frozen=True)
class LeftOut:
    """A run, or several alike, with nothing to compare it with.

    Attributes:
        side: ``A`` or ``B``.
        benchmark, scenario: what it measured.
        value: what it came to, or empty.
        reason: why it is not compared.
        path: what it was read from, in A or B; the first one's of several.
    """

    side: str
    benchmark: str
    scenario: str
    value: str
    reason: str
    path: str


def pair(a: Side, b: Side) -> tuple[list[Row], list[LeftOut]]:
    """Put the runs of A and B side by side, benchmarks sorted."""
    of_a, of_b = _by_key(a.entries), _by_key(b.entries)
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    for key in sorted({*of_a, *of_b}):
        ours, theirs = of_a.get(key, []), of_b.get(key, [])
        compared = comparisons(_measured(ours), _measured(theirs))
        if compared:
            rows += (Row(comparison, ours, theirs) for comparison in compared)
            continue
        left_out += _alone(a, ours, b, theirs)
        left_out += _alone(b, theirs, a, ours)
    for side in (a, b):
        bad = [entry for entry in side.entries if entry.measurement is None]
        left_out += [_bad(side, entry) for entry in bad]
    left_out.sort(key=lambda each: (each.benchmark, each.scenario, each.side))
    return rows, left_out


def _by_key(entries: Iterable[Entry]) -> dict[Key, list[Entry]]:
    found: dict[Key, list[Entry]] = {}
    for entry in entries:
        if entry.measurement is not None:
            found.setdefault((entry.benchmark, entry.scenario), []).append(entry)
    return found


def _measured(entries: Iterable[Entry]) -> list[Measurement]:
    return [each.measurement for each in entries if each.measurement is not None]


def _bad(side: Side, entry: Entry) -> LeftOut:
    reason = entry.problem or "nothing was measured"
    path = _inside(side, entry)
    return LeftOut(side.name, entry.benchmark, entry.scenario, "", reason, path)


def _inside(side: Side, entry: Entry) -> str:
    """Return where a run lies in its side."""
    inside = side.path in entry.path.parents
    return str(entry.path.relative_to(side.path) if inside else entry.path)


def _alone(
    side: Side, entries: list[Entry], other: Side, others: list[Entry]
) -> list[LeftOut]:
    """Say of the good runs of a side why the other has nothing to compare with."""
    if not entries:
        return []
    first, measured = entries[0], _measured(entries)
    sample = Sample(tuple(each.value for each in measured))
    value = f"{sample} {measured[0].unit}"
    reason = _reason(first, other, others)
    path = _inside(side, first)
    return [LeftOut(side.name, first.benchmark, first.scenario, value, reason, path)]


def _reason(entry: Entry, other: Side, others: list[Entry]) -> str:
    key = entry.benchmark, entry.scenario
    if others:
        return f"not comparable: no common unit, or no target and p99, in {other.name}"
    if any((each.benchmark, each.scenario) == key for each in other.entries):
        return f"no good run in {other.name}"
    stem = _stem(entry.benchmark)
    names = {each.benchmark for each in other.entries} - {entry.benchmark}
    alike = sorted(name for name in names if _stem(name) == stem)
    which = f", which has {', '.join(alike)}" if alike else ""
    return f"not in {other.name}{which}"


def _stem(benchmark: str) -> str:
    """Return a benchmark's name without its accuracy target: bert for bert-99.9."""
    return benchmark.removesuffix(".9").removesuffix("-99")


@dataclass(frozen=True)
class ServerFigures:
    """What a Server run was asked for, and how close it came to its limit.

    Attributes:
        target_qps: the highest VALID target.
        p99_ms: the median p99 of the runs at that target; of language models that of
            TTFT or TPOT, in the rows that compare these.
        limit_ms: the limit on it.
    """

    target_qps: float | None
    p99_ms: float | None
    limit_ms: float | None


def server_figures(entries: Sequence[Entry], figure: str) -> ServerFigures | None:
    """Return the figures of runs in the Server scenario; None for another one.

    Args:
        entries: the runs.
        figure: the name of what is compared.
    """
    runs = _measured(entries)
    if not runs or not is_bounded(runs[0].scenario):
        return None
    target = max((m.target_qps for m in runs if m.target_qps is not None), default=None)
    there = [_latency(m, figure) for m in runs if m.target_qps == target]
    known = [latency for latency in there if latency is not None]
    p99s = [latency.ms for latency in known if latency.ms is not None]
    p99 = statistics.median(p99s) if p99s else None
    return ServerFigures(target, p99, known[0].limit_ms if known else None)


def _latency(run: Measurement, figure: str) -> Latency | None:
    """Return the one that *figure* compares, or the only one; None of two others."""
    name = figure.partition(" at ")[0]
    only = len(run.latencies) == 1
    return next((each for each in run.latencies if only or each.name == name), None)


def as_dict(row: Row) -> dict[str, Any]:
    """Return a row as plain data."""
    comparison = row.comparison
    return {
        "benchmark": row.benchmark,
        "scenario": row.scenario,
        "figure": comparison.figure.name,
        "unit": comparison.figure.unit,
        "higher_is_better": comparison.figure.higher_is_better,
        "a": _side(row.a, comparison.base, comparison.figure.name),
        "b": _side(row.b, comparison.other, comparison.figure.name),
        "change": comparison.change,
        "worse_by": comparison.worse_by,
        "significant": comparison.significant,
        "verdict": comparison.verdict,
    }


def _side(entries: list[Entry], sample: Sample, figure: str) -> dict[str, Any]:
    figures = server_figures(entries, figure)
    return {
        "median": sample.median,
        "values": list(sample.values),
        "paths": [str(entry.path) for entry in entries],
        "server": figures and vars(figures),
    }
