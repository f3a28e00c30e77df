"""Earlier runs by their records, and which of them may be compared with which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mighetero.records.comparison.figure import Measurement, of_facts
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import SCENARIOS

# What must be the same for two runs to be of the same thing.
SAME = (
    "suite",
    "harness_dir",
    "gpu",
    "driver",
    "device_profile",
    "device_slot",
    "benchmark",
    "scenario",
    "action",
    "tuned",
)


@dataclass(frozen=True)
class Record:
    """One run's record.

    Attributes:
        path: of the file.
        test: pytest's id of the test.
        session: which pytest run it belongs to.
        facts: flat texts with stable names.
        phases: by ``setup``, ``call``, ``teardown``: outcome, text, seconds.
        data: everything the file holds.
    """

    path: Path
    test: str
    session: str
    facts: Mapping[str, str]
    phases: Mapping[str, Mapping[str, Any]]
    data: Mapping[str, Any]

    @property
    def good(self) -> bool:
        """Whether the run passed, its overlap held, and teardown had no complaint."""
        outcomes = {when: phase["outcome"] for when, phase in self.phases.items()}
        overlap = self.facts.get("overlap_ok", "true") == "true"
        return overlap and outcomes.get("call") == "passed" == outcomes.get("teardown")

    @property
    def measurement(self) -> Measurement | None:
        """What it measured, or None unless that was VALID and the run good."""
        return of_facts(self.facts) if self.good else None


def settings_of(run_args: str) -> str:
    """Return RUN_ARGS without the words that choose a target."""
    flags = (each.target_flag for each in SCENARIOS.values() if each.target_flag)
    return str(RunArgs.read(run_args).without(*flags))


def sameness(facts: Mapping[str, str]) -> tuple[str, ...]:
    """Return what two runs must have in common to be compared."""
    same = (facts.get(name, "") for name in SAME)
    return (*same, settings_of(facts.get("run_args", "")))
