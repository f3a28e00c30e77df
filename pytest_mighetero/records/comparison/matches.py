"""Which runs of A belong to which of B, what they come to, what is left out. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pytest_mighetero.records.comparison.figure import Measurement
from pytest_mighetero.records.comparison.published import Entry
from pytest_mighetero.records.comparison.samples import Comparison, Sample, comparisons
from pytest_mighetero.records.comparison.sides import NOTED, Side
from pytest_mighetero.terms.scenario import is_bounded


@dataclass(frozen=True)
class Row:
    """The runs of one benchmark in one scenario, in A and in B, by one figure.

    What several figures are judged by, a language model's Server, has several rows.
    """

    benchmark: str
    scenario: str
    comparison: Comparison
    a: list[Entry]
    b: list[Entry]


@dataclass(frozen=True)
class LeftOut:
    """A run, or several alike, with nothing to compare it with.

    Attributes:
        side: ``A`` or ``B``.
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
        rows += (Row(*key, comparison, ours, theirs) for comparison in compared)
        if not compared:
            left_out += _alone(a, ours, b, theirs)
            left_out += _alone(b, theirs, a, ours)
    for side in (a, b):
        bad = [entry for entry in side.entries if entry.measurement is None]
        left_out += [_left_out(side, entry, "", entry.problem) for entry in bad]
    left_out.sort(key=lambda each: (each.benchmark, each.scenario, each.side))
    return rows, left_out


def _by_key(entries: Iterable[Entry]) -> dict[tuple[str, str], list[Entry]]:
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.measurement is not None:
            found.setdefault(entry.key, []).append(entry)
    return found


def _measured(entries: Iterable[Entry]) -> list[Measurement]:
    return [each.measurement for each in entries if each.measurement is not None]


def _left_out(side: Side, entry: Entry, value: str, reason: str) -> LeftOut:
    inside = side.path in entry.path.parents
    path = entry.path.relative_to(side.path) if inside else entry.path
    return LeftOut(side.name, *entry.key, value, reason, str(path))


def _alone(
    side: Side, entries: list[Entry], other: Side, others: list[Entry]
) -> list[LeftOut]:
    """Say of the good runs of a side why the other has nothing to compare with."""
    if not entries:
        return []
    measured = _measured(entries)
    value = f"{Sample(tuple(m.value for m in measured))} {measured[0].unit}"
    return [_left_out(side, entries[0], value, _reason(entries[0], other, others))]


def _reason(entry: Entry, other: Side, others: list[Entry]) -> str:
    if others:
        return f"not comparable: no common unit, or no target and p99, in {other.name}"
    if any(each.key == entry.key for each in other.entries):
        return f"no good run in {other.name}"
    stem = _stem(entry.benchmark)
    names = {each.benchmark for each in other.entries} - {entry.benchmark}
    alike = sorted(name for name in names if _stem(name) == stem)
    which = f", which has {', '.join(alike)}" if alike else ""
    return f"not in {other.name}{which}"


def _stem(benchmark: str) -> str:
    """Return what folder and harness have in common: bert for bert-99.9.

    The harness writes llama3_1-8b, and the folder of its results is llama3.1-8b.
    """
    return benchmark.removesuffix(".9").removesuffix("-99").replace("_", ".")


class ServerFigures(NamedTuple):
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
    """Return what runs in the Server scenario came to beside *figure*; else None."""
    runs = _measured(entries)
    if not is_bounded(runs[0].scenario):
        return None
    target = max((m.target_qps for m in runs if m.target_qps is not None), default=None)
    name = figure.partition(" at ")[0]
    judged = [
        latency
        for m in runs
        if m.target_qps == target
        for latency in m.latencies
        if latency.name == name or len(m.latencies) == 1
    ]
    p99s = [latency.ms for latency in judged if latency.ms is not None]
    p99 = statistics.median(p99s) if p99s else None
    return ServerFigures(target, p99, judged[0].limit_ms if judged else None)


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
        "server": figures and figures._asdict(),
    }


def notes(a: Side, b: Side, rows: Sequence[Row]) -> list[str]:
    """Say what else is different between the runs that were compared, a line each."""
    names = (*NOTED, "backgrounds") if a.kind == b.kind else NOTED
    said: dict[str, list[str]] = {}
    for row in rows:
        for name in names:
            values = [_values(side, name) for side in (row.a, row.b)]
            if all(values) and len({*values[0], *values[1]}) > 1:
                found = [" and ".join(each) for each in values]
                text = f"{name}: {found[0]} in A, {found[1]} in B"
                said.setdefault(text, []).append(f"{row.benchmark} {row.scenario}")
    lines = [
        f"{text} ({'all rows' if len(pairs) == len(rows) else ', '.join(pairs)})"
        for text, pairs in said.items()
    ]
    logs = [side.name for side in (a, b) if side.kind is None]
    if len(logs) == 1:
        lines.append(f"{logs[0]} holds LoadGen's logs alone: GPU and settings unknown")
    return lines


def _values(entries: list[Entry], name: str) -> list[str]:
    return sorted({entry.facts.get(name, "") for entry in entries} - {""})
