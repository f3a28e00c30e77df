"""What a run is compared with, by itself and on request, and what fails it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_mighetero.errors import RunError
from pytest_mighetero.records.comparison.figure import Measurement, of_facts
from pytest_mighetero.records.comparison.reference_files import load_references
from pytest_mighetero.records.comparison.references import check, key_of, shown
from pytest_mighetero.records.comparison.samples import (
    Comparison,
    amount,
    compare,
    comparisons,
)
from pytest_mighetero.records.marks import same, sample
from pytest_mighetero.records.record import Record, sameness
from pytest_mighetero.records.record_file import RecordError, read_record
from pytest_mighetero.records.results_folder import good_records, light
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.scenario import is_bounded

Facts = Mapping[str, str]


def compare_neighbours(
    config: RunSpec, facts: Facts, session: str
) -> dict[str, str] | None:
    """Return the facts of what neighbours cost; None until both kinds of run exist.

    This run and the good ones of its kind and pytest run are one sample; those of the
    other kind, by the newest pytest run that has any, are the other.
    """
    mine = of_facts(facts)
    if mine is None:
        return None
    results = config.results_dir
    heterogeneous_now = facts["run"] == "heterogeneous"
    others = {**facts, "run": "isolated" if heterogeneous_now else "heterogeneous"}
    newest = next(_same(results, others, same(others)), None)
    if newest is None:
        return None
    own = _sample(results, facts, session)
    theirs = _sample(results, newest.facts, newest.session) or [newest]
    samples = [*_measurements(own), mine], _measurements(theirs)
    chosen = _chosen_targets([facts, *(r.facts for r in [*own, *theirs])])
    if len(chosen) > 1:
        return {
            "interference": f"unknown: the targets were chosen differently "
            f"({', '.join(sorted(chosen))}); run both at one target, or with --mig-tune"
        }
    isolated, heterogeneous = (
        samples if facts["run"] == "isolated" else reversed(samples)
    )
    compared = compare(isolated, heterogeneous)
    return None if compared is None else _interference(compared)


def _chosen_targets(runs: Sequence[Facts]) -> set[str]:
    """Return the Server targets that runs were given; a search is given none."""
    given = [f for f in runs if is_bounded(f["scenario"]) and "tuned" not in f]
    return {f.get("target_qps_first", f.get("target_qps", "")) for f in given}


def _interference(compared: Comparison) -> dict[str, str]:
    significant = {True: "yes", False: "no", None: "unknown: single runs"}
    figure = compared.figure
    return {
        "interference": str(compared),
        "interference_ratio": f"{compared.ratio:.4f}",
        "interference_figure": figure.name,
        "interference_better": "higher" if figure.higher_is_better else "lower",
        "interference_significant": significant[compared.significant],
        "isolated_value": str(compared.base),
        "heterogeneous_value": str(compared.other),
    }


def judge_against_others(
    config: RunSpec,
    facts: Facts,
    session: str,
    learn: Callable[..., None],
    warn: Callable[[str], None],
) -> None:
    """Check a VALID run against its reference, and against earlier runs if asked to.

    Args:
        config: has the folders and the tolerance.
        facts: what is known of the run.
        session: which pytest run it belongs to.
        learn: takes further facts.
        warn: told where there is nothing to compare with.

    Raises:
        RunError: it misses its reference, or is worse than an earlier run.
        ConfigError: a reference file cannot be meant.
    """
    mine = of_facts(facts)
    if mine is None:
        return
    name = f"{facts['benchmark']}_{facts['scenario']}"
    problems: list[str | None] = []
    reference = load_references(config.references).get(key_of(facts))
    if reference is not None and not (config.save_reference or mine.tuned):
        lower, upper = shown(reference.lower), shown(reference.upper)
        bounds = f"{lower} to {upper} {reference.unit}"
        learn(reference=f"{shown(reference.value)} ({bounds})")
        problems.append(check(reference, mine))
    if config.compare is not None:
        why = f"there is no earlier good run like {name} to compare"
        try:
            earlier = _earlier(config.compare, config.results_dir, facts, session)
        except RecordError as error:  # of the one record that was named
            earlier, why = [], str(error)
        compared = comparisons(_measurements(earlier), [mine])
        if not compared:
            warn(f"--mig-compare: {why}")
        else:
            said = "; ".join(map(str, compared))
            learn(compared=f"{said} than {earlier[-1].path.parent}")
            for each in compared:
                if each.unresolved and abs(each.change) > config.tolerance:
                    warn(f"--mig-compare: {name}: the search was too coarse: {each}")
            problems += (
                _worse(each, earlier[-1], config.tolerance, name) for each in compared
            )
    if found := [problem for problem in problems if problem]:
        raise RunError("\n".join(found))


def _worse(
    compared: Comparison, earlier: Record, tolerance: float, name: str
) -> str | None:
    if compared.worse_by <= tolerance:
        return None
    figure, base = compared.figure, compared.base.median
    bound = base * (1 - tolerance if figure.higher_is_better else 1 + tolerance)
    least = "at least" if figure.higher_is_better else "at most"
    return (
        f"{name}: {figure.name} is {amount(compared.other.median)} {figure.unit}, "
        f"{compared.worse_by:.1%} worse than the {amount(base)} of "
        f"{earlier.path.parent} (expected {least} {amount(bound)}, --mig-tolerance)."
    )


def _earlier(
    where: Path | str, results: Path, facts: Facts, session: str
) -> list[Record]:
    """Return the earlier good runs of the newest pytest run, the oldest first."""
    folder = results if isinstance(where, str) else where
    for record in _same(folder, facts, same(facts)):
        if record.session != session and _same_run(record.facts, facts):
            return _sample(folder, facts, record.session)[::-1] or [record]
    return []


def _sample(folder: Path, facts: Facts, session: str) -> list[Record]:
    """Return the measurements that are one sample, the newest first."""
    return [
        light(record)
        for record in _same(folder, facts, sample(facts, session))
        if record.session == session and _same_run(record.facts, facts)
    ]


def _same(folder: Path, facts: Facts, mark: str) -> Iterator[Record]:
    """Yield the measurements of the same thing and kind, the newest first."""
    wanted, run = sameness(facts), facts.get("run")
    for record in _candidates(folder, facts, mark):
        alike = record.facts.get("run") == run and sameness(record.facts) == wanted
        if alike and record.measurement is not None:
            yield record


def _candidates(folder: Path, facts: Facts, mark: str) -> Iterator[Record]:
    if folder.is_dir():
        part = f"-{facts['benchmark']}_{facts['scenario']}"
        yield from good_records(folder, part, mark)
    elif folder.exists():
        yield read_record(folder)


def _same_run(one: Facts, other: Facts) -> bool:
    return all(one.get(name) == other.get(name) for name in ("run", "backgrounds"))


def _measurements(records: Sequence[Record]) -> list[Measurement]:
    return [m for record in records if (m := record.measurement) is not None]
