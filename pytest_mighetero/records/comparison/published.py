"""Trees of LoadGen logs, laid out as MLPerf publishes them. Pure apart from reading."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.readers.loadgen import READER
from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.comparison.figure import Measurement, of_result
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.terms.scenario import SCENARIOS, scenario_of

LAYOUT = "<benchmark>/<Scenario>/[performance/run_1/]mlperf_log_*.txt"
_AUDIT = re.compile(r"TEST\d\d.*")  # beside performance in results, from v6.0 on
_MEASURING = ("PerformanceOnly", "SubmissionRun")


@dataclass(frozen=True, slots=True)
class Entry:
    """One run, and what of it is compared.

    Attributes:
        benchmark: as its folder, or its record, calls it: ``bert-99``, ``bert``.
        scenario: likewise: ``interactive``, ``offline-test01`` for an audit.
        problem: why there is nothing to compare; empty where there is something.
    """

    benchmark: str
    scenario: str
    path: Path
    measurement: Measurement | None
    problem: str
    facts: Facts

    @property
    def key(self) -> tuple[str, str]:
        """What it is a run of: only equal ones are compared."""
        return self.benchmark, self.scenario


@dataclass(frozen=True)
class _Place:
    """Where a folder with logs lies.

    Attributes:
        system: the folder that the benchmarks' folders are in; None of one that does
            not lie as ``LAYOUT`` says.
        below: the folders between the scenario's one and the logs.
    """

    system: Path | None
    benchmark: str
    scenario: str
    below: tuple[str, ...]


def published_runs(tree: Path) -> list[Entry]:
    """Return the runs, but for accuracy, below ``closed/NVIDIA/results/<system>``.

    Raises:
        ConfigError: it has the results of several systems.
    """
    entries, systems = _hidden_in(tree), set()
    for folder in READER.find(tree):
        place = _place(folder, tree)
        entry = None if _is_no_run(place.below) else _entry(folder, place)
        if entry is not None:
            entries.append(entry)
            if entry.measurement is not None:
                systems.add(place.system)
    if len(systems) > 1:
        names = ", ".join(sorted(map(str, systems)))
        raise ConfigError(
            f"{tree} has LoadGen logs of {len(systems)} systems, expected one: choose "
            f"among {names}"
        )
    return entries


def _hidden_in(tree: Path) -> list[Entry]:
    """Return the folders that cannot be listed: there may be runs in them."""
    hidden = []

    def note(error: OSError) -> None:
        folder, why = Path(error.filename), f"cannot be read: {error.strerror}"
        place = _place(folder, tree)
        of = place.benchmark, place.scenario
        hidden.append(Entry(*of, folder, None, why, {}))

    for _ in os.walk(tree, onerror=note):
        pass
    return hidden


def _place(folder: Path, tree: Path) -> _Place:
    parts = folder.absolute().parts
    for at in range(len(parts) - 1, 1, -1):
        if parts[at].lower() in SCENARIOS:
            system, below = Path(*parts[: at - 1]), parts[at + 1 :]
            return _Place(system, parts[at - 1], parts[at].lower(), below)
    return _Place(None, folder.relative_to(tree).as_posix(), "-", ())


def _is_no_run(below: tuple[str, ...]) -> bool:
    """Tell accuracy runs, and the rehearsals of the power meter, from runs."""
    return below[:1] == ("accuracy",) or below[:2] == ("performance", "ranging")


def _entry(folder: Path, place: _Place) -> Entry | None:
    """Return the run that logged to *folder*, or None where it was for accuracy."""
    try:
        result = READER.read(folder)
    except OSError as error:
        result = Result(folder, READER.tool)
        problem = f"cannot be read: {error.strerror}"
    else:
        problem = _problem(result, place)
    if result.mode == "AccuracyOnly":
        return None
    measurement = None if problem else of_result(result, place.scenario)
    facts = {result.version_name: result.version} if result.version else {}
    return Entry(place.benchmark, place.scenario, folder, measurement, problem, facts)


def _problem(result: Result, place: _Place) -> str:
    """Say why nothing is compared with a run; nothing where something is."""
    if place.below and _AUDIT.fullmatch(place.below[0]):
        return f"an audit, {place.below[0]}"
    if place.system is None or (place.below and place.below[0] != "performance"):
        return f"expected {LAYOUT}, found another place"
    said, of = result.scenario, scenario_of(place.scenario)
    if said is not None and said != of.logged:
        return f"folder says {of.spelled}, LoadGen's log says {said}"
    if result.mode is not None and result.mode not in _MEASURING:
        return f"LoadGen's mode is {result.mode}, expected {' or '.join(_MEASURING)}"
    return _no_result(result)


def _no_result(result: Result) -> str:
    """Say why a run in its place came to nothing that is compared."""
    if result.damage:
        return " ".join(["damaged:", *result.damage]).rstrip(".")
    if result.valid is False:
        return " ".join(["INVALID:", *result.invalid_reasons]).rstrip(":.")
    if result.valid is None:
        return "LoadGen's log is cut off: it has no verdict"
    if of_result(result) is None:
        return "LoadGen says VALID and gives no metric"
    return ""
