"""What runs of the same thing came to over time, and which change stands out. Pure.

A change is judged by what ``--mig-compare`` does at the end of a run: the sample of the
newest earlier pytest run, of the same thing by the same driver.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pytest_mighetero.records.comparison.figure import Measurement, figure_of
from pytest_mighetero.records.comparison.judgement import judge_change
from pytest_mighetero.records.comparison.label import label_of
from pytest_mighetero.records.comparison.samples import Figure, Sample, comparisons
from pytest_mighetero.records.comparison.sides import kind_of, why_not
from pytest_mighetero.records.facts import Facts, flag
from pytest_mighetero.records.record import SAME, Record, settings_of
from pytest_mighetero.records.run_names import order_of
from pytest_mighetero.terms.pair import audit_of
from pytest_mighetero.terms.scenario import is_bounded

_LARGEST = 1e300  # of what can be drawn
_STAMP = re.compile(r"\d{8}-\d{6}")
# What tells series apart; a change of driver is shown within one.
_APART = (*(name for name in SAME if name != "driver"), "run", "backgrounds")


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        folder: the run's; its name begins with the time of its start.
        when: that, by the local clock of the machine that ran it; None where the name
            does not say.
        value: of the series' figure; None for a run that has none.
        problem: why it has none; or "".
        flagged: what ``--mig-compare`` fails it for, a sentence; or "".
        bounds: the reference's; else what ``--mig-compare`` lets it be; None for
            neither. Either end may be missing.
    """

    folder: Path
    when: datetime | None
    driver: str
    value: float | None = None
    problem: str = ""
    flagged: str = ""
    bounds: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class Series:
    """Runs of one thing, the oldest first.

    Attributes:
        about: what all of them have in common, by the names of facts.
        points: at least one.
        apart: what tells it from series of the same name and place, in words; or "".
    """

    about: Mapping[str, str]
    figure: Figure
    points: tuple[Point, ...]
    apart: str = ""

    @property
    def name(self) -> str:
        """What was run: ``dlrm_server heterogeneous beside bert,rnnt``."""
        audit = audit_of(self.about["action"])
        pair = f"{self.about['benchmark']}_{self.about['scenario']}"
        beside = self.about["backgrounds"]
        words = (pair, audit, self.about["run"], beside and f"beside {beside}")
        return " ".join(each for each in words if each)

    @property
    def place(self) -> str:
        """Where, and what else tells it apart: profile, GPU, suite."""
        where = (self.about[name] for name in ("device_profile", "gpu", "suite"))
        return ", ".join(filter(None, (self.apart, *where)))

    @property
    def values(self) -> tuple[float, ...]:
        """The figures there are."""
        return tuple(p.value for p in self.points if p.value is not None)


@dataclass(frozen=True, slots=True)
class _Bounds:
    lower: float
    upper: float
    unit: str


@dataclass(frozen=True, slots=True)
class _Run:
    folder: Path
    session: str
    driver: str
    measured: Measurement | None
    problem: str
    reference: _Bounds | None
    good: bool  # else none is judged by it


@dataclass
class _Sessions:
    """The samples of pytest runs, of which the newest but one's own is judged by."""

    newest: str = ""
    before: str = ""
    samples: dict[str, list[_Run]] = field(default_factory=dict)

    def earlier(self, session: str) -> list[_Run]:
        """Return the sample that a run of *session* is compared with."""
        which = self.before if session == self.newest else self.newest
        return self.samples.get(which, [])

    def add(self, run: _Run) -> None:
        """Take in a run, later than all before it."""
        if self.samples and run.session != self.newest:
            self.before = self.newest
        self.newest = run.session
        self.samples.setdefault(run.session, []).append(run)


def series_of(records: Iterable[Record], tolerance: float = 0.05) -> tuple[Series, ...]:
    """Return a series for each thing that was run, sorted by their names.

    Of each record only a few figures are kept while the next is read.

    A run may be worse by *tolerance* than the ones before it, 0.05 for 5 %.
    """
    found: dict[tuple[tuple[str, str], ...], list[_Run]] = {}
    for record in records:
        key = tuple(about_of(record.facts).items())
        found.setdefault(key, []).append(_run(record))
    every = [_series(dict(key), runs, tolerance) for key, runs in found.items()]
    every.sort(key=lambda each: (each.name, *each.about.values()))
    alike: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for each in every:
        alike.setdefault((each.name, each.place), []).append(each.about)
    return tuple(
        replace(each, apart=label_of(each.about, alike[each.name, each.place]))
        for each in every
    )


def about_of(facts: Facts) -> dict[str, str]:
    """Return what runs of one series have in common: facts by their names, settings."""
    known = {**facts, "run": kind_of(facts) or ""}
    settings = settings_of(facts.get("run_args", ""))
    return {**{name: known.get(name, "") for name in _APART}, "settings": settings}


def _run(record: Record) -> _Run:
    counts = record.good or _only_worse(record)
    measured = figure_of(record.facts) if counts else None
    return _Run(
        record.folder,
        record.session,
        record.text("driver"),
        measured,
        "" if measured and record.good else why_not(record),
        _of_reference(record),
        record.good,
    )


def _only_worse(record: Record) -> bool:
    """Whether ``--mig-compare`` failed a run that was good but for that."""
    ended = {when: phase.outcome for when, phase in record.phases.items()}
    held = flag(record.facts, "overlap_ok") is not False
    failed = flag(record.facts, "compared_ok") is False
    return held and failed and ended.get("teardown") == "passed"


def _series(about: Mapping[str, str], runs: list[_Run], tolerance: float) -> Series:
    runs.sort(key=lambda each: (order_of(each.folder.name), str(each.folder)))
    measured = [run.measured for run in runs if run.measured is not None]
    kinds = [(m.unit, m.lower) for m in measured]
    alike = [m for m in measured if (m.unit, m.lower) == kinds[-1]]
    figure = _figure(alike)
    judges = not audit_of(about["action"])
    drivers: dict[str, _Sessions] = {}
    points = []
    for run in runs:
        sessions = drivers.setdefault(run.driver, _Sessions())
        earlier = sessions.earlier(run.session) if judges else []
        points.append(_point(run, figure, earlier, tolerance, _pair(about)))
        if run.measured is not None and run.good:
            sessions.add(run)
    return Series(about, figure, tuple(points))


def _pair(about: Mapping[str, str]) -> str:
    return f"{about['benchmark']}_{about['scenario']}"


def _figure(measured: Sequence[Measurement]) -> Figure:
    """Return what is drawn of runs: what they are compared by, where they all can be.

    Server runs are compared by a latency at one target, by the target at several.
    """
    if not measured:
        return Figure("", "")
    compared = comparisons(measured, measured)
    last = measured[-1]
    return compared[0].figure if compared else Figure(last.unit, last.unit, last.lower)


def _value(figure: Figure, run: Measurement) -> float | None:
    """Return what a run came to by *figure*."""
    if is_bounded(run.scenario) and figure.unit == "QPS":
        return run.target_qps
    if is_bounded(run.scenario) and figure.name.startswith(
        f"{run.latencies[0].name} at "
    ):
        return run.latencies[0].ms
    return run.value if run.unit == figure.unit else None


def _point(
    run: _Run, figure: Figure, earlier: list[_Run], tolerance: float, name: str
) -> Point:
    point = Point(run.folder, _when(run.folder.name), run.driver, problem=run.problem)
    if run.measured is None:
        return point
    value = _value(figure, run.measured)
    if value is None:
        said = f"it was measured in {run.measured.unit}, the others in {figure.unit}"
        return replace(point, problem=said)
    before = [each.measured for each in earlier if each.measured is not None]
    folder = earlier[-1].folder if earlier else run.folder
    judged = judge_change(name, before, folder, run.measured, tolerance)
    flagged = " ".join(judged.problems) if judged else ""
    return replace(
        point,
        value=value,
        problem="",
        flagged=flagged or run.problem,
        bounds=_bounds(run.reference, figure, before, tolerance),
    )


def _bounds(
    reference: _Bounds | None,
    figure: Figure,
    before: Sequence[Measurement],
    tolerance: float,
) -> tuple[float | None, float | None] | None:
    """Return those of a reference of this figure, or else those of the runs before."""
    if reference is not None and reference.unit == figure.unit:
        return reference.lower, reference.upper
    return _allowed(figure, before, tolerance)


def _of_reference(record: Record) -> _Bounds | None:
    """Return the bounds that a run was held to."""
    lower, upper = map(record.number, ("reference_lower", "reference_upper"))
    if lower is None or upper is None or not abs(lower) <= abs(upper) < _LARGEST:
        return None
    return _Bounds(lower, upper, record.text("reference_unit"))


def _allowed(
    figure: Figure, before: Sequence[Measurement], tolerance: float
) -> tuple[float | None, float | None] | None:
    """Return how far a run may be from the median of those before it."""
    known = [value for m in before if (value := _value(figure, m)) is not None]
    if not known:
        return None
    median = Sample(tuple(known)).median
    if figure.higher_is_better:
        return median * (1 - tolerance), None
    return None, median * (1 + tolerance)


def _when(name: str) -> datetime | None:
    stamp = _STAMP.match(name)
    try:
        # The name does not say which zone; nor is it needed for a listing's order.
        return datetime.strptime(stamp[0], "%Y%m%d-%H%M%S") if stamp else None  # noqa: DTZ007
    except ValueError:
        return None
