"""The last results of each kind of run as metrics, for Prometheus. Pure.

The file is of both formats, the text one (0.0.4), which the node exporter's textfile
collector reads, and OpenMetrics 1.0: gauges are the same in both, and ``# EOF``, which
the second wants at the end, is a comment in the first. No sample has a time of its own,
which that collector refuses; when a run ended is a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from pytest_mighetero.records.comparison.history import about_of
from pytest_mighetero.records.facts import flag
from pytest_mighetero.records.record import Record, as_number
from pytest_mighetero.records.run_names import order_of
from pytest_mighetero.terms.pair import without_number
from pytest_mighetero.terms.printable import printable_line
from pytest_mighetero.terms.run_args import RunArgs

# Labels of other names than the facts that they are.
_NAMES = {"aggressor": "beside", "device_profile": "profile", "device_slot": "device"}
# The labels of a run that failed before it was planned what to start.
_ASKED = {
    *("test", "suite", "benchmark", "scenario", "action"),
    *("beside", "aggressor_count", "node"),
}
_Labels = tuple[tuple[str, str], ...]
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
    """Yield the lines of the metrics, of the last of *records* of each series.

    A run that has not ended is none, nor is one that was skipped and did not fail, or
    an execution that another one followed. Of the repeats in one pytest run one that is
    not good counts.
    """
    last = _last(each for each in records if _counts(each))
    for metric in _METRICS:
        samples = [*_samples(metric, last)]
        if samples:
            name = f"mighetero_run_{metric.name}"
            yield f"# HELP {name} {metric.help}"
            yield f"# TYPE {name} gauge"
            yield from (f"{name}{{{labels}}} {value}" for labels, value in samples)
    yield "# EOF"


def _counts(record: Record) -> bool:
    outcomes = {phase.outcome for phase in record.phases.values()}
    ran = "failed" in outcomes or "skipped" not in outcomes
    return ran and record.ended and not record.executed_again


def _last(records: Iterable[Record]) -> dict[_Labels, Record]:
    """Return the last run of each series; of a pytest run with a red one that one."""
    last: dict[_Labels, Record] = {}
    red: dict[tuple[_Labels, str], Record] = {}
    for each in records:
        labels, record = _labels(each), _outline(each)
        if record.session and not record.good:
            red[labels, record.session] = record
        if labels not in last or _is_later(record, last[labels]):
            last[labels] = record
    for labels, record in [*last.items()]:
        for fewer in _had_it_failed_early(labels):
            before = last.get(fewer, record)
            if before.session != record.session and _is_later(record, before):
                del last[fewer]
    return {key: red.get((key, each.session), each) for key, each in last.items()}


def _had_it_failed_early(labels: _Labels) -> Iterator[_Labels]:
    """Yield the labels before a run has logs, and before it is planned."""
    yield tuple((name, "" if name == "mode" else text) for name, text in labels)
    yield tuple((name, text if name in _ASKED else "") for name, text in labels)


def _outline(record: Record) -> Record:
    return replace(record, data={"harnesses": record.listed("harnesses")[:1]})


def _is_later(one: Record, other: Record) -> bool:
    """Tell which of two was later: local time, which names have, may go back."""
    ends = _ended(one), _ended(other)
    if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
        return ends[0] > ends[1]
    return order_of(one.folder.name) >= order_of(other.folder.name)


def _labels(record: Record) -> _Labels:
    """Return what tells series apart, as it is shown; a change of driver does not."""
    said, about = RunArgs.read(record.text("run_args")), about_of(record.facts)
    about["device_slot"] = about["device_slot"] or record.text("device_uuid")
    labels = {
        "test": without_number(record.test),
        **{_NAMES.get(name, name): text for name, text in about.items()},
        "mode": said.text("test_mode") or record.text("mode"),
        "config_ver": said.text("config_ver") or "",
        **{name: record.text(name) for name in ("aggressor_count", "node")},
    }
    return tuple((name, printable_line(text)) for name, text in labels.items())


def _samples(metric: _Metric, last: dict[_Labels, Record]) -> Iterator[tuple[str, str]]:
    for key, record in sorted(last.items(), key=lambda item: item[0]):
        if (value := metric.value(record)) is not None:
            labels = (*key, *((name, record.text(name)) for name in metric.labels))
            told = (f'{name}="{_escaped(text)}"' for name, text in labels)
            yield ",".join(told), f"{value:.10g}"


def _escaped(text: str) -> str:
    line = printable_line(text)
    return line.replace("\\", "\\\\").replace('"', '\\"')
