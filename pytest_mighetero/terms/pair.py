"""What is measured: a benchmark in a scenario, beside which; and its run's name."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"-run\d+(?=\])")


@dataclass(frozen=True)
class Pair:
    """One benchmark in one scenario."""

    benchmark: str
    scenario: str

    def __str__(self) -> str:
        return f"{self.benchmark}_{self.scenario}"


@dataclass(frozen=True)
class Encounter:
    """A cell of the interference matrix: a victim, measured, and its aggressor."""

    victim: Pair
    aggressor: Pair


def audit_of(action: str) -> str | None:
    """Return ``test01`` for ``run_audit_test01``, None for what is no audit."""
    audit = action.removeprefix("run_audit_")
    return None if audit == action else audit


def run_name(pair: Pair, action: str, aggressor: Pair | None = None) -> str:
    """Return ``dlrm_server``, or ``bert_offline-test01`` for an audit.

    Of a cell of the interference matrix it is ``dlrm_server-beside-bert_offline``.
    """
    beside = f"beside-{aggressor}" if aggressor else None
    return "-".join(filter(None, [str(pair), audit_of(action), beside]))


def without_number(test: str) -> str:
    """Return the id of a *test* without what tells repeats apart: ``-run2``."""
    return _NUMBER.sub("", test)
