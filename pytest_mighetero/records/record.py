"""Earlier runs by their records, and which of them may be compared with which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pytest_mighetero.records.comparison.figure import Measurement, of_facts
from pytest_mighetero.records.facts import Facts, flag, number
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import SCENARIOS

# What must be the same for two runs to be of the same thing.
SAME = (
    *("suite", "harness_dir", "gpu", "driver", "device_profile", "device_slot"),
    *("benchmark", "scenario", "action", "tuned", "aggressor"),
)
LONGEST_S = 1e9  # of what somebody may have measured in seconds
_LARGEST = 1e300

Outcome = Literal["passed", "failed", "skipped"]
# Of an execution that another one followed.
AGAIN = "This execution did not count: the test was executed again."


@dataclass(frozen=True)
class Phase:
    """What the ``setup``, ``call`` or ``teardown`` of a run came to."""

    outcome: Outcome
    text: str = ""  # of a failure, or a skip
    seconds: float | None = None  # that it took


@dataclass(frozen=True)
class Harness:
    """One harness of a run; what its record does not say is None.

    Attributes:
        role: ``main``, ``background-1-bert``.
        device: UUID and profile.
        output: the file with what it printed.
        value, unit: its own figure by logs that are not damaged.
        lower: whether less of it is better.
    """

    role: str | None
    benchmark: str | None
    scenario: str | None
    device: str | None
    profile: str | None
    run_args: str | None
    launched: bool
    stopped: bool
    exit_code: int | None
    output: str | None
    value: float | None
    unit: str | None
    lower: bool

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Harness:
        """Return what a record says."""
        device, loadgen = _table(said.get("device")), _table(said.get("loadgen"))
        metric = {} if loadgen.get("damage") else _table(loadgen.get("metric"))
        names = [device[x] for x in ("uuid", "profile") if _text(device.get(x))]
        code = said.get("exit_code")
        return cls(
            role=_text(said.get("role")),
            benchmark=_text(said.get("benchmark")),
            scenario=_text(said.get("scenario")),
            device=" ".join(names) or _text(said.get("device")),
            profile=_text(device.get("profile")),
            run_args=_text(said.get("run_args")),
            launched=bool(said.get("launched")),
            stopped=bool(said.get("stopped")),
            exit_code=code if isinstance(code, int) and abs(code) < LONGEST_S else None,
            output=_text(said.get("output")),
            value=as_number(metric.get("value")),
            unit=_text(metric.get("unit")),
            lower=metric.get("higher_is_better") is False,
        )


@dataclass(frozen=True)
class Margin:
    """How one background lay around main; what its record does not say is None.

    Attributes:
        start_s, end_s: by which it began before main, and outlasted it.
        covered: the fraction of main's window.
    """

    name: str | None
    start_s: float | None
    end_s: float | None
    covered: float | None
    source: str | None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Margin:
        """Return what a record says."""
        return cls(
            name=_text(said.get("name")),
            start_s=as_number(said.get("start_s"), LONGEST_S),
            end_s=as_number(said.get("end_s"), LONGEST_S),
            covered=as_number(said.get("covered")),
            source=_text(said.get("source")),
        )


@dataclass(frozen=True)
class Record:
    """One run's record.

    Attributes:
        test: pytest's id of the test.
        session: which pytest run it belongs to.
        facts: the texts of what is known, by ``facts.PROPERTIES``.
        data: everything the file holds.
    """

    path: Path
    test: str
    session: str
    facts: Facts
    phases: Mapping[str, Phase]
    data: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.path.parent

    @property
    def ended(self) -> bool:
        """Whether its teardown was reported."""
        return "teardown" in self.phases

    @property
    def good(self) -> bool:
        """Whether the run passed, its overlap held, and teardown had no complaint."""
        outcomes = {when: phase.outcome for when, phase in self.phases.items()}
        held = flag(self.facts, "overlap_ok") is not False
        return held and outcomes.get("call") == "passed" == outcomes.get("teardown")

    @property
    def measurement(self) -> Measurement | None:
        """What it measured, or None unless that was VALID and the run good."""
        return of_facts(self.facts) if self.good else None

    @property
    def executed_again(self) -> bool:
        """Whether another execution of the test counts in its place."""
        return self.data.get("executed_again") is True

    @property
    def setup(self) -> str:
        """The mark of the set-up that a run of the interference matrix is of."""
        return _text(self.data.get("setup")) or ""

    @property
    def ground(self) -> str:
        """What of that a run beside others has in common with the same alone."""
        return self.setup.partition("-")[0]

    @property
    def too_slow(self) -> str:
        """What ``--mig-max-slowdown`` failed a run for; "" unless that is all it is.

        What else went wrong while it was torn down is in its text, too.
        """
        call, end = self.phases.get("call"), self.phases.get("teardown")
        said = _text(self.data.get("too_slow")) or ""
        passed = call is not None and call.outcome == "passed"
        return said if passed and end is not None and end.text.strip() == said else ""

    @property
    def outline(self) -> Record:
        """It without what is large, to keep many of them."""
        kept = {name: self.data.get(name) for name in ("setup", "too_slow")}
        return replace(self, data=kept)

    @property
    def harnesses(self) -> list[Harness]:
        """Main, then the backgrounds."""
        return list(map(Harness.of, self.listed("harnesses")))

    @property
    def margins(self) -> list[Margin]:
        """How the backgrounds lay around main."""
        return list(map(Margin.of, self.listed("overlap")))

    def listed(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return what is listed there: ``attempts`` before, ``tuning``'s trials."""
        return self.data.get(name) or []

    @property
    def telemetry(self) -> Mapping[str, Any]:
        """What the GPU said of itself in main's window."""
        return self.data.get("telemetry") or {}

    @property
    def last_lines(self) -> Mapping[str, Sequence[str]]:
        """What harnesses of a failed run printed last, by their roles."""
        said = _table(self.data.get("last_lines"))
        lists = {role: lines for role, lines in said.items() if isinstance(lines, list)}
        return {
            role: [x for x in lines if isinstance(x, str)]
            for role, lines in lists.items()
        }

    def text(self, name: str) -> str:
        """Return a property's text; empty where it is not known."""
        return self.facts.get(name, "")

    def number(self, name: str) -> float | None:
        """Return the number that a property is; None where none is known."""
        try:
            return number(self.facts, name)
        except ValueError:
            return None


def as_number(value: object, largest: float = _LARGEST) -> float | None:
    """Return a number of JSON, which knows NaN, Infinity, and integers without end."""
    known = isinstance(value, (int, float)) and abs(value) < largest
    return float(value) if known else None  # type: ignore[arg-type]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def settings_of(run_args: str) -> str:
    """Return RUN_ARGS without the words that choose a target."""
    flags = (each.target_flag for each in SCENARIOS.values() if each.target_flag)
    return str(RunArgs.read(run_args).without(*flags))


def sameness(facts: Facts) -> tuple[str, ...]:
    """Return what two runs must have in common to be compared."""
    same = (facts.get(name, "") for name in SAME)
    return (*same, settings_of(facts.get("run_args", "")))
