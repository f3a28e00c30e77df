"""How a run that was measured stands beside others: alone, earlier, references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_mighetero.errors import SlowError
from pytest_mighetero.records.comparison.judgement import (
    Judgement,
    compare_neighbours,
    judge_by_earlier,
    judge_by_reference,
)
from pytest_mighetero.records.comparison.matrix import (
    cell_facts,
    cell_so_far,
    limit_of,
)
from pytest_mighetero.records.comparison.own_figures import Own, judge_own_figures
from pytest_mighetero.records.comparison.reference_files import load_references
from pytest_mighetero.records.comparison.references import key_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.run.ledger import Ledger
from pytest_mighetero.run.verdict import Verdict
from pytest_mighetero.spec.runspec import RunSpec


def not_judged(config: RunSpec, record: Record) -> str:
    """Say by what a run is not judged that *record* stands in for; empty for nothing.

    Raises:
        ConfigError: a reference file cannot be meant.
    """
    cell = "aggressor" in record.facts
    own = cell and config.background_tolerance is not None
    asked = {
        config.said_by["mig-compare"]: config.compare is not None,
        config.said_by["mig-background-tolerance"]: own,
        config.said_by["mig-save-reference"]: config.save_reference and not cell,
        "its reference": not (config.save_reference or cell)
        and key_of(record.facts) in load_references(config.references),
    }
    said = ", ".join(name for name, is_asked in asked.items() if is_asked)
    return said and f"nothing was compared anew ({said})"


class Standing:
    """Holds a run of the pytest run *session* against others, and learns of it."""

    def __init__(self, config: RunSpec, ledger: Ledger, session: str):
        self._config, self._ledger, self._session = config, ledger, session

    def beside_others(self) -> None:
        """Learn what neighbours cost; in a matrix the cells do.

        Raises:
            SlowError: a cell is slower than it may be.
        """
        config, facts = self._config, self._ledger.facts
        known = config.history_dir, facts, self._session
        if not config.aggressors:
            self._ledger.learn(**compare_neighbours(*known))
        elif config.aggressor is not None:
            # Of repeats the medians count, which the end of the session judges.
            limit = None if config.repeat > 1 else limit_of(config.max_slowdown)
            cell = cell_so_far(*known, limit)
            self._ledger.learn(**cell_facts(cell))
            if cell.failed:
                raise SlowError(cell.problem)

    def against_references(self) -> Verdict:
        """Judge by the reference, and by earlier runs if asked to."""
        config, facts, verdict = self._config, self._ledger.facts, Verdict()
        if not config.save_reference and config.aggressor is None:
            verdict += self._learnt(judge_by_reference(config.references, facts))
        if config.compare is not None:
            named = config.compare != "last"
            where = config.history_dir if config.compare == "last" else config.compare
            known = where, facts, self._session, config.tolerance
            judged = judge_by_earlier(*known, named=named)
            said_by = config.said_by["mig-compare"]
            warnings = [f"{said_by}: {each}" for each in judged.warnings]
            verdict += self._learnt(replace(judged, warnings=warnings))
        return verdict

    def of_backgrounds(self, figures: Sequence[Own]) -> Verdict:
        """Judge the backgrounds' own *figures* by those of earlier runs."""
        config, facts = self._config, self._ledger.facts
        told = config.history_dir, facts, figures, config.background_tolerance
        said_by = config.said_by["mig-background-tolerance"]
        return self._learnt(judge_own_figures(*told, said_by))

    def _learnt(self, judged: Judgement) -> Verdict:
        self._ledger.learn(**judged.facts)
        return Verdict(tuple(judged.problems), tuple(judged.warnings))
