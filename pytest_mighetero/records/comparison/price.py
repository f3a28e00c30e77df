"""What a benchmark costs beside others: its runs alone against those. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mighetero.records.comparison.figure import of_facts
from pytest_mighetero.records.comparison.samples import Comparison, compare
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.terms.scenario import is_bounded


def price(alone: Sequence[Facts], beside: Sequence[Facts]) -> Comparison | str:
    """Compare good runs of a benchmark alone with those beside others.

    Returns:
        Why they cannot be compared, where they cannot: half a sentence.
    """
    chosen = _chosen_targets([*alone, *beside])
    if len(chosen) > 1:
        return (
            f"the targets were chosen differently ({', '.join(sorted(chosen))}); run "
            f"both at one target, or with --mig-tune"
        )
    one, two = ([m for run in side if (m := of_facts(run))] for side in (alone, beside))
    return compare(one, two) or "they have no figure in common"


def _chosen_targets(runs: Sequence[Facts]) -> set[str]:
    """Return the Server targets that runs were given; a search is given none."""
    given = [f for f in runs if is_bounded(f["scenario"]) and "tuned" not in f]
    return {f.get("target_qps_first", f.get("target_qps", "")) for f in given}
