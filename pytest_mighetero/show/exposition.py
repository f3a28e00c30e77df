"""The last results of each kind of run as metrics, for Prometheus. Pure.

The file is of both formats, the text one (0.0.4), which the node exporter's textfile
collector reads, and OpenMetrics 1.0: gauges are the same in both, and ``# EOF``, which
the second wants at the end, is a comment in the first. No sample has a time of its own,
which that collector refuses; when a run ended is a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pytest_mighetero.records.facts import flag
from pytest_mighetero.records.record import Record, as_number
from pytest_mighetero.terms.printable import printable_line

# What tells runs apart: each has the last one's samples. By label, whose fact it is.
LABELS = {
    **{name: name for name in ("suite", "benchmark", "scenario", "action", "run")},
    "beside": "aggressor",
    "gpu": "gpu",
    "profile": "device_profile",
}
_LATEST = 1e11  # POSIX seconds: the year 5138


class _Metric(NamedTuple):
    name: str
    help: str
    value: Callable[[Record], float | None]
    labels: tuple[str, ...] = ()  # further facts


def _of_good(fact: str, factor: float = 1.0) -> Callable[[Record], float | None]:
    """Return what reads a figure, of a run that measured it alone."""

    def read(record: Record) -> float | None:
        if record.measurement is None or (value := record.number(fact)) is None:
            return None
        return value * factor

    return read


def _flag(name: str) -> Callable[[Record], float | None]:
    def read(record: Record) -> float | None:
        found = flag(record.facts, name)
        return None if found is None else float(found)

    return read


def _ended(record: Record) -> float | None:
    main = next(iter(record.listed("harnesses")), {})
    return as_number(main.get("exited"), _LATEST)


_METRICS = (
    _Metric(
        "passed",
        "Whether the test passed and its overlap held.",
        lambda record: float(record.good),
    ),
    _Metric("valid", "Whether the tool's verdict on main is VALID.", _flag("validity")),
    _Metric("overlap_ok", "Whether the backgrounds covered main.", _flag("overlap_ok")),
    _Metric("ended_timestamp_seconds", "When main exited, POSIX time.", _ended),
    _Metric(
        "value",
        "The scenario's metric, in unit, of a good and VALID run.",
        _of_good("value"),
        ("metric", "unit"),
    ),
    _Metric("target_qps", "The target that it ran at.", _of_good("target_qps")),
    _Metric("p99_seconds", "Latency, 99th percentile.", _of_good("p99_ms", 1e-3)),
    _Metric(
        "ttft_p99_seconds",
        "Time to the first token, 99th percentile.",
        _of_good("ttft_p99_ms", 1e-3),
    ),
    _Metric(
        "tpot_p99_seconds",
        "Time per output token, 99th percentile.",
        _of_good("tpot_p99_ms", 1e-3),
    ),
    _Metric("window_seconds", "Length of main's timed window.", _of_good("seconds")),
    _Metric(
        "end_margin_seconds",
        "The least time by which a background outlasted main.",
        _of_good("end_margin_s"),
    ),
    _Metric(
        "interference_ratio",
        "Heterogeneous over isolated, of the figure that counts.",
        _of_good("interference_ratio"),
    ),
)


def exposition(records: Iterable[Record]) -> Iterator[str]:
    """Yield the lines of the metrics, of the last of *records* of each kind.

    A run that has not ended is none, nor is one that was skipped, or an execution that
    another one followed.
    """
    last: dict[tuple[str, ...], Record] = {}
    for record in records:
        outcomes = {phase.outcome for phase in record.phases.values()}
        counts = record.ended and not record.executed_again
        if counts and "skipped" not in outcomes:
            key = tuple(record.text(fact) for fact in LABELS.values())
            before = last.get(key)
            if before is None or before.folder.name <= record.folder.name:
                last[key] = record
    for metric in _METRICS:
        samples = [*_samples(metric, last)]
        if samples:
            name = f"mighetero_run_{metric.name}"
            yield f"# HELP {name} {metric.help}"
            yield f"# TYPE {name} gauge"
            yield from (f"{name}{{{labels}}} {value}" for labels, value in samples)
    yield "# EOF"


def _samples(
    metric: _Metric, last: dict[tuple[str, ...], Record]
) -> Iterator[tuple[str, str]]:
    for key, record in sorted(last.items()):
        if (value := metric.value(record)) is not None:
            labels = dict(zip(LABELS, key, strict=True))
            labels |= {name: record.text(name) for name in metric.labels}
            told = (f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield ",".join(told), f"{value:.10g}"


def _escaped(text: str) -> str:
    line = printable_line(text)
    return line.replace("\\", "\\\\").replace('"', '\\"')
