"""A record as a page of text: outcomes, facts, harnesses, overlap, telemetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_mighetero.records.record import Harness, Margin, Record
from pytest_mighetero.show import report
from pytest_mighetero.show.columns import columns
from pytest_mighetero.terms.printable import printable
from pytest_mighetero.units import significant


def page(record: Record) -> str:
    """Return what *record* says, for people."""
    return printable("\n".join(_lines(record)))


def _lines(record: Record) -> Iterator[str]:
    yield record.test
    yield f"{record.folder}"
    yield from _phases(record)
    if record.facts:
        yield report.block(record.facts).rstrip()
    yield from _section("harnesses", _harnesses(record.harnesses))
    yield from _section("overlap", _overlap(record.margins))
    yield from _section("attempts", _each(record.listed("attempts")))
    yield from _section("tuning", _each(record.listed("tuning")))
    yield from _section("telemetry", _telemetry(record.telemetry))


def _section(name: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{name}:"
        yield from lines


def _phases(record: Record) -> Iterator[str]:
    for when, phase in record.phases.items():
        took = "" if phase.seconds is None else f" in {phase.seconds:.1f} s"
        yield f"  {when} {phase.outcome}{took}"
        for line in phase.text.splitlines():
            yield f"    {line}"
    if not record.ended:
        yield "  the run did not end: pytest was ended, or it still runs"


def _harnesses(harnesses: list[Harness]) -> list[str]:
    headings = ("role", "benchmark", "scenario", "device", "exit code", "log")
    rows = [
        (
            *map(_text, (each.role, each.benchmark, each.scenario, each.device)),
            "stopped" if each.stopped else _text(each.exit_code),
            _text(each.output),
        )
        for each in harnesses
    ]
    return columns(headings, rows, right={"exit code"}, indent="  ")


def _overlap(margins: list[Margin]) -> list[str]:
    headings = ("background", "start margin s", "end margin s", "covered", "source")
    rows = [
        (
            _text(each.name),
            _number(each.start_s, ".2f"),
            _number(each.end_s, ".2f"),
            _number(each.covered, ".1%"),
            _text(each.source),
        )
        for each in margins
    ]
    return columns(headings, rows, right=headings[1:4], indent="  ")


def _telemetry(figures: Mapping[str, Any]) -> list[str]:
    spreads = {k: v for k, v in figures.items() if isinstance(v, Mapping)}
    rows = [
        (name, *(_text(spread.get(each)) for each in ("min", "mean", "max")))
        for name, spread in spreads.items()
    ]
    headings = ("figure", "min", "mean", "max")
    table = columns(headings, rows, right=headings[1:], indent="  ")
    plain = {k: v for k, v in figures.items() if k not in spreads}
    return [*(f"  {name}: {_text(value)}" for name, value in plain.items()), *table]


def _each(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Show dicts of any kind: their texts and numbers, one level of what they hold."""
    lines = []
    for number, item in enumerate(items, 1):
        lines.append(f"  {number}.")
        for name, value in item.items():
            if isinstance(value, Mapping):
                lines.append(f"    {name}:")
                lines += [f"      {k}: {_text(v)}" for k, v in value.items()]
            else:
                lines.append(f"    {name}: {_text(value)}")
    return lines


def _number(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)


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
