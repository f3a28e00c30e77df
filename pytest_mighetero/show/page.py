"""A record as a page of text: outcomes, facts, harnesses, overlap, telemetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mighetero.records.record import Record
from pytest_mighetero.show import report
from pytest_mighetero.show.columns import columns
from pytest_mighetero.terms.printable import printable
from pytest_mighetero.units import significant


def page(record: Record) -> str:
    """Return what *record* says, for people."""
    return printable("\n".join(_lines(record)))


def _lines(record: Record) -> Iterator[str]:
    data = record.data
    yield record.test
    yield f"{record.path.parent}"
    yield from _phases(record)
    if record.facts:
        yield report.block(record.facts).rstrip()
    yield from _section("harnesses", _harnesses(data.get("harnesses") or []))
    yield from _section("overlap", _overlap(data.get("overlap") or []))
    for name in ("attempts", "tuning"):
        yield from _section(name, _each(data.get(name) or []))
    yield from _section("telemetry", _telemetry(data.get("telemetry") or {}))


def _section(name: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{name}:"
        yield from lines


def _phases(record: Record) -> Iterator[str]:
    for when, phase in record.phases.items():
        seconds = phase.get("seconds")
        took = "" if seconds is None else f" in {_number(seconds, '.1f')} s"
        yield f"  {when} {phase['outcome']}{took}"
        for line in str(phase.get("text") or "").splitlines():
            yield f"    {line}"
    if "teardown" not in record.phases:
        yield "  the run did not end: pytest was ended, or it still runs"


def _harnesses(harnesses: list[Mapping[str, Any]]) -> list[str]:
    headings = ("role", "benchmark", "scenario", "device", "exit code", "log")
    rows = [
        (
            *(_text(each.get(name)) for name in ("role", "benchmark", "scenario")),
            _device_of(each),
            _exit_of(each),
            _text(each.get("output")),
        )
        for each in harnesses
    ]
    return columns(headings, rows, right={"exit code"}, indent="  ") if rows else []


def _device_of(harness: Mapping[str, Any]) -> str:
    device = harness.get("device")
    if not isinstance(device, Mapping):
        return _text(device)
    return " ".join(str(device[x]) for x in ("uuid", "profile") if device.get(x))


def _exit_of(harness: Mapping[str, Any]) -> str:
    code = harness.get("exit_code")
    return "stopped" if harness.get("stopped") else "-" if code is None else str(code)


def _overlap(margins: list[Mapping[str, Any]]) -> list[str]:
    headings = ("background", "start margin s", "end margin s", "covered", "source")
    rows = [
        (
            _text(each.get("name")),
            *(_number(each.get(name), ".2f") for name in ("start_s", "end_s")),
            _number(each.get("covered"), ".1%"),
            _text(each.get("source")),
        )
        for each in margins
    ]
    return columns(headings, rows, right=headings[1:4], indent="  ") if rows else []


def _telemetry(figures: Mapping[str, Any]) -> list[str]:
    spreads = {k: v for k, v in figures.items() if isinstance(v, Mapping)}
    rows = [
        (name, *(_text(spread.get(each)) for each in ("min", "mean", "max")))
        for name, spread in spreads.items()
    ]
    headings = ("figure", "min", "mean", "max")
    table = columns(headings, rows, right=headings[1:], indent="  ") if rows else []
    plain = {k: v for k, v in figures.items() if k not in spreads}
    return [*(f"  {name}: {_text(value)}" for name, value in plain.items()), *table]


def _each(items: list[Any]) -> list[str]:
    """Show dicts of any kind: their texts and numbers, one level of what they hold."""
    lines = []
    for number, item in enumerate(items, 1):
        known = item if isinstance(item, Mapping) else {"": item}
        lines.append(f"  {number}.")
        for name, value in known.items():
            if isinstance(value, Mapping):
                lines.append(f"    {name}:")
                lines += [f"      {k}: {_text(v)}" for k, v in value.items()]
            else:
                lines.append(f"    {name}: {_text(value)}")
    return lines


def _number(value: Any, how: str) -> str:
    try:
        return format(value, how) if isinstance(value, (int, float)) else _text(value)
    except OverflowError:  # JSON's integers have no end
        return _text(value)


def _text(value: Any) -> str:
    """Return a cell: what is too large for one is only counted."""
    if value is None:
        return "-"
    if isinstance(value, Mapping) or (
        isinstance(value, list) and any(isinstance(x, (Mapping, list)) for x in value)
    ):
        return f"{len(value)}, see --json"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return significant(value, 6) if isinstance(value, float) else str(value)
