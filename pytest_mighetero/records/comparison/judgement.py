"""What a run is compared with, by itself and on request, and what fails it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.comparison.figure import Measurement, of_facts
from pytest_mighetero.records.comparison.price import price
from pytest_mighetero.records.comparison.reference_files import load_references
from pytest_mighetero.records.comparison.references import (
    check,
    is_held_to,
    key_of,
    shown,
)
from pytest_mighetero.records.comparison.samples import (
    Comparison,
    amount,
    comparisons,
)
from pytest_mighetero.records.facts import Facts, Value
from pytest_mighetero.records.marks import marks_of, same, sample
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.records.results_folder import good_records, named_record, told
from pytest_mighetero.terms import lookup


@dataclass(frozen=True)
class Judgement:
    """What comparing a run with others came to.

    Attributes:
        facts: what else is known of it now.
        problems: what fails it, a sentence each; ``warnings`` do not.
    """

    facts: Mapping[str, Value] = field(default_factory=dict)
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()


def compare_neighbours(
    results: Path, facts: Facts, session: str
) -> Mapping[str, Value]:
    """Return what neighbours cost; nothing until both kinds of run exist.

    This run and the good ones of its kind and pytest run are one sample; those of the
    other kind, by the newest pytest run that has any, are the other.
    """
    mine = of_facts(facts)
    if mine is None:
        return {}
    is_isolated = facts["run"] == "isolated"
    others = {**facts, "run": "heterogeneous" if is_isolated else "isolated"}
    others.pop("aggressor", None)
    newest = next(_measured(results, facts, same(others)), None)
    if newest is None:
        return {}
    own = [*(each.facts for each in sample_of(results, facts, session)), facts]
    found = sample_of(results, newest.facts, newest.session) or [newest]
    theirs = [each.facts for each in found]
    compared = price(own, theirs) if is_isolated else price(theirs, own)
    if isinstance(compared, Comparison):
        return _interference(compared)
    return {"interference": f"unknown: {compared}"}


def alone_beside(results: Path, facts: Facts, session: str) -> list[Record]:
    """Return the good runs alone, of a pytest run, of what is beside others there."""
    others = {name: facts[name] for name in facts.keys() - {"aggressor", "backgrounds"}}
    others["run"] = "isolated"
    return sample_of(results, others, session)


def _interference(compared: Comparison) -> Mapping[str, Value]:
    significant = {True: "yes", False: "no", None: "unknown: single runs"}
    return {
        "interference": str(compared),
        "interference_ratio": compared.ratio,
        "interference_figure": compared.figure.name,
        "interference_better": compared.figure.higher_is_better,
        "interference_significant": significant[compared.significant],
        "isolated_value": str(compared.base),
        "heterogeneous_value": str(compared.other),
    }


def judge_by_reference(folder: Path, facts: Facts) -> Judgement:
    """Check a VALID run that was not searched for against its reference in *folder*.

    Raises:
        ConfigError: a reference file cannot be meant.
    """
    mine = of_facts(facts)
    if mine is None or mine.tuned:
        return Judgement()
    reference = load_references(folder).get(key_of(facts))
    if reference is None:
        return Judgement()
    lower, upper = shown(reference.lower), shown(reference.upper)
    said: dict[str, Value] = {
        "reference": f"{shown(reference.value)} ({lower} to {upper} {reference.unit})"
    }
    if is_held_to(reference, mine):
        said |= {
            "reference_lower": reference.lower,
            "reference_upper": reference.upper,
            "reference_unit": reference.unit,
        }
    problem = check(reference, mine)
    return Judgement(said, [problem] if problem else [])


def judge_by_earlier(
    where: Path,
    facts: Facts,
    session: str,
    tolerance: float,
    *,
    named: bool = True,
) -> Judgement:
    """Compare a VALID run with earlier ones in *where*: a results folder, or a record.

    It may be worse by *tolerance*, 0.05 for 5 %. What cannot be read there, and may be
    what it is to be compared with, fails it where *where* was *named*.
    """
    mine = of_facts(facts)
    if mine is None:
        return Judgement()
    name = f"{facts['benchmark']}_{facts['scenario']}"
    earlier: list[Record] = []
    unread: list[str] = []
    try:
        one = named_record(where) if named else None
        earlier = _earlier(one or where, facts, session, unread)
    except (ConfigError, RecordError) as error:
        unread.append(str(error))
    folder = earlier[-1].folder if earlier else where
    judged = judge_change(name, _measurements(earlier), folder, mine, tolerance)
    if unread:
        lost = f"{name} is not compared with what may be its last run: {told(unread)}"
        judged = judged or Judgement()
        if named:
            return replace(judged, problems=[*judged.problems, lost])
        return replace(judged, warnings=[*judged.warnings, lost])
    why = f"there is no earlier good run like {name} to compare"
    return judged or Judgement(warnings=[why])


def judge_change(
    name: str,
    earlier: Sequence[Measurement],
    folder: Path,
    mine: Measurement,
    tolerance: float,
) -> Judgement | None:
    """Judge a run by the sample before it, the newest of which is in *folder*.

    None where there is nothing to compare.
    """
    compared = comparisons(earlier, [mine])
    if not compared:
        return None
    problems = [
        f"{name}: {_worse(each, folder, tolerance)}"
        for each in compared
        if each.worse_by > tolerance
    ]
    said: dict[str, Value] = {
        "compared": f"{'; '.join(map(str, compared))} than {folder}"
    }
    return Judgement(
        {**said, "compared_ok": False} if problems else said,
        problems,
        [
            f"{name}: the search was too coarse: {each}"
            for each in compared
            if each.unresolved and abs(each.change) > tolerance
        ],
    )


def _worse(compared: Comparison, earlier: Path, tolerance: float) -> str:
    unit, now, base = compared.figure.unit, compared.other.median, compared.base.median
    return (
        f"{compared.figure.name} is {amount(now)} {unit}, {compared.worse_by:.1%} "
        f"worse than the {amount(base)} of {earlier} (expected "
        f"{compared.expected(tolerance)}, --mig-tolerance)."
    )


def _earlier(
    where: Path, facts: Facts, session: str, unread: list[str]
) -> list[Record]:
    """Return the earlier good runs of the newest pytest run, the oldest first.

    *unread* gets a sentence of each that may be one of them or newer.
    """
    beside = facts.get("backgrounds", "")
    for record in _measured(where, facts, same(facts), unread):
        if record.session != session and record.text("backgrounds") == beside:
            return sample_of(where, facts, record.session)[::-1] or [record]
    return []


def sample_of(where: Path, facts: Facts, session: str) -> list[Record]:
    """Return the runs that are one sample with that of *facts*, the newest first."""
    found = _measured(where, facts, sample(facts, session))
    return [each.outline for each in found]


def _measured(
    where: Path, facts: Facts, mark: str, unread: list[str] | None = None
) -> Iterator[Record]:
    """Yield the measurements of a pair that have *mark*, the newest first."""
    if where.is_dir():
        part = f"-{facts['benchmark']}_{facts['scenario']}"
        found = good_records(where, part, mark, unread)
    else:
        alone = read_record(where) if lookup.found(where) else None
        found = iter([alone] if alone and mark in marks_of(alone) else [])
    return (record for record in found if record.measurement is not None)


def _measurements(records: Sequence[Record]) -> list[Measurement]:
    return [m for record in records if (m := record.measurement) is not None]
