"""Which run tests run, and in which order: isolated first, then set by set."""

from __future__ import annotations

import os
import re

import pytest

from pytest_mighetero.plan.run_plan import longest_test
from pytest_mighetero.plugin.ownership import beside
from pytest_mighetero.plugin.presence import aggressor_of, pair_of
from pytest_mighetero.plugin.session import Session
from pytest_mighetero.run.outlook import Turn
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair

# What identifies a set of backgrounds before there is a GPU; None for main alone.
SetKey = tuple[str, ...] | None


def arrange(config: pytest.Config, session: Session, items: list[pytest.Item]) -> None:
    """Select and order the runs among *items*, and limit how long each may take."""
    isolated = [
        item
        for item in items
        if pair_of(item) and item.get_closest_marker("isolated") is not None
    ]
    spec, named = session.spec, any("::" in str(each) for each in config.args)
    if spec.isolated and not isolated and not (spec.aggressors and named):
        asks = {"mig-tune": spec.tune, "mig-interference": spec.aggressors}
        asking = next((name for name, said in asks.items() if said), "mig-isolated")
        raise pytest.UsageError(
            f"{spec.said_by[asking]}: no test is marked isolated. Add one:\n\n"
            "    @pytest.mark.isolated\n    def test_isolated(main):\n"
            "        main.run()\n"
        )
    if spec.aggressors and not named and not any(map(aggressor_of, items)):
        raise pytest.UsageError(
            f"{spec.said_by['mig-interference']}: no test has backgrounds beside its "
            "main. Add one:\n\n"
            "    def test_heterogeneous(background, main):\n        main.run()\n"
        )
    chosen = re.search(r"\bisolated\b", config.getoption("markexpr", "") or "")
    if isolated and not session.spec.isolated and not chosen:
        session.deselected = len(isolated)
        config.hook.pytest_deselected(items=isolated)
        items[:] = [item for item in items if item not in isolated]
    _order_runs(session.spec, items)
    if _may_limit(config):
        for item in filter(pair_of, items):
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(longest_test(session.spec)))


def _order_runs(spec: RunSpec, items: list[pytest.Item]) -> None:
    """Order the runs among themselves; other tests stay where they are.

    Isolated ones come first. Where sets of backgrounds are kept up, those of one set
    stand together, the sets in the order of their first run.
    """
    places = [place for place, item in enumerate(items) if pair_of(item)]
    runs = [items[place] for place in places]
    sets: dict[SetKey, int] = {None: -1}
    for item in runs:
        sets.setdefault(set_of(spec, item), len(sets))

    def rank(item: pytest.Item) -> int:
        number = sets[set_of(spec, item)]
        return number if spec.keeps_backgrounds else min(number, 0)

    for place, item in zip(places, sorted(runs, key=rank), strict=True):
        items[place] = item


def _may_limit(config: pytest.Config) -> bool:
    """Tell whether there is pytest-timeout, and nobody has told it a limit."""
    return config.pluginmanager.hasplugin("timeout") and not (
        config.getoption("timeout", None) is not None
        or config.getini("timeout")
        or os.environ.get("PYTEST_TIMEOUT")
    )


def set_of(spec: RunSpec, item: pytest.Item) -> SetKey:
    """Return which backgrounds the run of *item* asks for."""
    pair = pair_of(item)
    if pair is None or not beside(item):
        return None
    return spec.against(aggressor_of(item)).backgrounds_of(pair.benchmark)


def turns(item: pytest.Item) -> list[Turn]:
    """Return the run of *item* and those that follow it; an xdist worker knows none."""
    items = item.session.items
    if hasattr(item.config, "workerinput"):
        items = [item]
    every = [(pair_of(each), each) for each in items[items.index(item) :]]
    return [
        Turn(pair, not beside(each), aggressor_of(each))
        for pair, each in every
        if pair is not None
    ]


def upcoming(spec: RunSpec, item: pytest.Item) -> tuple[Pair, ...]:
    """Return the pairs, that of *item* first, that one set is to serve in a row."""
    items = item.session.items
    pairs = []
    for each in items[items.index(item) :]:
        pair = pair_of(each)
        if pair is None or set_of(spec, each) != set_of(spec, item):
            break
        pairs.append(pair)
    return tuple(pairs)
