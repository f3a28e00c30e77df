"""What becomes known of a run, published fact by fact, and what a try adds to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_mighetero.records.comparison.own_figures import Own
from pytest_mighetero.records.facts import Value, texts
from pytest_mighetero.run import facts as found
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.description import describe, own_figures
from pytest_mighetero.run.facts import Known
from pytest_mighetero.run.workload import Measured
from pytest_mighetero.terms.secret import Secrets


class Ledger:
    """Facts as flat texts with stable names, masked.

    Attributes:
        facts: what is known so far.
        attempts: what a record says of the tries before the present one.
        trials: what it says of every trial of a search.

    Args:
        secrets: what is not published.
        publish: told of every fact that is new or changes, and with None of one that
            is taken back.
    """

    def __init__(self, secrets: Secrets, publish: Callable[[str, str | None], None]):
        self._secrets, self._publish = secrets, publish
        self.facts: dict[str, str] = {}
        self.attempts: list[dict[str, Any]] = []
        self.trials: list[dict[str, Any]] = []
        self._of_try: set[str] = set()

    def learn(self, **facts: Value) -> None:
        """Keep facts and publish them; one that changes is published again."""
        for name, text in texts(facts).items():
            self._keep(name, self._secrets.mask(text))

    def _keep(self, name: str, text: str) -> None:
        if self.facts.get(name) != text:
            self.facts[name] = text
            self._publish(name, text)

    def learn_of_try(self, **facts: Value) -> None:
        """Learn what the present try has come to, until the next one begins."""
        self._of_try.update(facts)
        self.learn(**facts)

    def next_try(self) -> None:
        """Take back what the try before has come to."""
        self._forget(self._of_try)
        self._of_try.clear()

    def restore(self, facts: Mapping[str, str]) -> None:
        """Go back to *facts*, as they were known once."""
        self._forget(set(self.facts) - set(facts))
        for name, text in facts.items():
            self._keep(name, text)

    def _forget(self, names: set[str]) -> None:
        for name in [each for each in self.facts if each in names]:
            del self.facts[name]
            self._publish(name, None)


def measured_facts(measured: Measured) -> Known:
    """Return what main came to."""
    main = measured.main
    facts: Known = {
        "seconds": main.window.seconds,
        "throttled_by": measured.telemetry.get("throttled_by", ()),
        "audit_overrides": main.audit.meant,
        **found.audit_facts(main.audit.runs),
    }
    if main.result is not None:
        facts |= found.result_facts(main.result) | found.accuracy_facts(main.accuracy)
    return facts


def end_facts(attempt: Attempt) -> Known:
    """Return how the backgrounds ended, what they came to, and clock steps."""
    backgrounds = attempt.backgrounds
    names = [each.pair.benchmark for each in backgrounds.launches]
    return {
        "clock_steps": attempt.clock_steps,
        "background_exit_codes": found.exit_codes(names, backgrounds.harnesses),
        "background_values": [str(each) for each in figures_beside(attempt)],
    }


def overlap_facts(attempt: Attempt) -> Known:
    """Return the verdict on the overlap and how the backgrounds ended."""
    facts = end_facts(attempt)
    if attempt.overlap is not None:
        facts |= found.overlap_facts(attempt.overlap)
    if attempt.measured is not None and attempt.measured.unloaded:
        facts["overlap_ok"] = False
    return facts


def figures_beside(attempt: Attempt) -> list[Own]:
    """Return what the backgrounds came to that have ended by themselves."""
    backgrounds = attempt.backgrounds
    return own_figures(backgrounds.launches, backgrounds.harnesses)


def described(attempt: Attempt, *, read_logs: bool = True) -> dict[str, Any]:
    """Return what a record says of a try.

    Args:
        attempt: the try, at whatever point it is.
        read_logs: whether LoadGen's logs, which take their time, are read for it.
    """
    measured, overlap = attempt.measured, attempt.overlap
    activity = measured.activity if measured else {}
    runs = measured.main.audit.runs.items() if measured else ()
    return {
        "overlap": overlap and [vars(each) for each in overlap.margins],
        "telemetry": measured.telemetry if measured else {},
        "audit": {part: result.to_dict() for part, result in runs},
        "harnesses": [
            describe(launch, harness, read_logs=read_logs)
            | {"activity": activity.get(launch.folder.name)}
            for launch, harness in attempt.workloads
        ],
    }
