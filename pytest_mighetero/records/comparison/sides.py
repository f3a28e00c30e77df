"""What ``mighetero compare`` compares: a path becomes the runs that are in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.comparison.figure import figure_of
from pytest_mighetero.records.comparison.published import LAYOUT, Entry, published_runs
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.record import SAME, Record, settings_of
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.results_folder import find_records, has_records
from pytest_mighetero.terms.pair import audit_of

KINDS = ("isolated", "heterogeneous")
_EXPECTED = f"a record.json, a run's folder, a results folder, or a tree {LAYOUT}"
_LONGEST = 160  # characters of a reason
# What else may explain a difference, as facts; settings are RUN_ARGS without a target.
NOTED = (
    *(name for name in SAME if name not in {"benchmark", "scenario", "action"}),
    "loadgen_version",
    "settings",
)
# What of a run's facts is asked for again.
_KEPT = (*NOTED, "backgrounds", "run")


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: the runs of a path.

    Attributes:
        name: ``A`` or ``B``.
        kind: which runs of it: isolated, heterogeneous; None where logs do not say.
    """

    name: str
    path: Path
    kind: str | None
    entries: tuple[Entry, ...]


def read_side(name: str, path: Path, kind: str | None, select: str = "") -> Side:
    """Read what *path* holds: records, or a tree with LoadGen's logs.

    Of a results folder it is the runs with *select* in their folders' names; of runs of
    both kinds those of *kind*.

    Raises:
        ConfigError: it holds neither, or runs of both kinds, or none of that kind.
    """
    if has_records(path):
        return _of_records(name, path, kind, select)
    if not path.exists():
        raise ConfigError(f"{path}: no such file or folder; expected {_EXPECTED}")
    if select:
        raise ConfigError(
            f"--select: {path} is no results folder, and its runs have no names to "
            f"select by; leave the option out"
        )
    entries = published_runs(path)
    if not entries:
        raise ConfigError(f"{path}: no run in it; expected {_EXPECTED}")
    if kind is not None:
        raise ConfigError(
            f"--runs-{name.lower()}: {path} holds LoadGen's logs, which do not say "
            f"what was {' or '.join(KINDS)}; leave the option out"
        )
    return Side(name, path, None, tuple(entries))


def _of_records(name: str, path: Path, kind: str | None, select: str) -> Side:
    entries, damaged = [], []
    for each in find_records([str(path)], select):
        if isinstance(each, RecordError):
            damaged.append(Entry("-", "-", each.path.parent, None, str(each), {}))
        else:
            entries.append(_of_record(each))
    kinds = {each.facts["run"] for each in entries if "run" in each.facts}
    option = f"--runs-{name.lower()}"
    if kind is None and len(kinds) > 1:
        raise ConfigError(
            f"{path} has isolated and heterogeneous runs, which are not one sample: "
            f"choose with {' or '.join(f'{option}={each}' for each in KINDS)}"
        )
    if kind is not None and kind not in kinds:
        found = " and ".join(sorted(filter(None, kinds))) or "none that say"
        raise ConfigError(
            f"{option}: {path} has no {kind} run; it has {found}; leave the option out"
        )
    kind = kind or next(iter(kinds), None)
    chosen = [each for each in entries if each.facts.get("run") in (kind, None)]
    return Side(name, path, kind, (*chosen, *damaged))


def kind_of(facts: Facts) -> str | None:
    """Return whether a run was isolated or heterogeneous; None where nothing says."""
    if "run" in facts:
        return facts["run"]
    if facts.get("backgrounds"):
        return "heterogeneous"
    return "isolated" if "command" in facts else None


def _of_record(record: Record) -> Entry:
    facts = record.facts
    audit, other = audit_of(record.text("action")), facts.get("aggressor")
    measurement = figure_of(facts) if record.good else None
    settings = settings_of(record.text("run_args"))
    known = {**facts, "run": kind_of(facts), "settings": settings}
    return Entry(
        facts.get("benchmark", "-"),
        facts.get("scenario", "-")
        + (f"-{audit}" if audit else "")
        + (f" beside {other}" if other else ""),
        record.folder,
        measurement,
        "" if measurement else why_not(record),
        {name: text for name in _KEPT if (text := known.get(name)) is not None},
    )


def why_not(record: Record) -> str:
    """Say why nothing is compared with a run."""
    audit = audit_of(record.text("action"))
    failed = [
        f"{when} {phase.outcome}: {_first_line(phase.text)}".rstrip(": ")
        for when, phase in record.phases.items()
        if phase.outcome != "passed"
    ]
    if failed:
        return failed[0]
    if not record.ended:
        return "the run did not end"
    if not record.good:
        return "the backgrounds did not cover main"
    if audit:
        return f"an audit, {audit.upper()}: {_said(record.facts)}"
    if record.text("mode") == "AccuracyOnly":
        return "accuracy run"
    return "LoadGen's log has no VALID result"


def _said(facts: Facts) -> str:
    """Say what LoadGen logged of an audit."""
    if "validity" not in facts:
        return "LoadGen's log has no verdict"
    runs = facts.get("audit_runs", "")
    figure = runs or f"{facts.get('value', 'no')} {facts.get('unit', 'figure')}"
    return f"{facts['validity']}, {figure}"


def _first_line(text: str) -> str:
    line = next(iter(text.splitlines()), "")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
