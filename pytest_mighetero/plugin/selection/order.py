"""Which run tests run, and in which order: isolated first, then set by set."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_mighetero.plugin.ownership import beside
from pytest_mighetero.plugin.settings import RUN_SPEC
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair

# What identifies a set of backgrounds before there is a GPU; None for main alone.
SetKey = tuple[str, ...] | None

DESELECTED: pytest.StashKey[int] = pytest.StashKey()


def pair_of(item: pytest.Item | None) -> Pair | None:
    """Return what *item* measures, or None for a test that is no run."""
    callspec = getattr(item, "callspec", None)
    main = callspec and callspec.params.get("main")
    return main if isinstance(main, Pair) else None


def set_of(config: RunSpec, item: pytest.Item) -> SetKey:
    """Return which backgrounds the run of *item* asks for."""
    pair = pair_of(item)
    if item is None or pair is None or not beside(item):
        return None
    return config.backgrounds_of(pair.benchmark)


def deselect_isolated(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the isolated runs, unless options or ``-m`` ask for them."""
    if re.search(r"\bisolated\b", config.getoption("markexpr", "") or ""):
        return
    isolated = {item for item in items if _is_isolated(item)}
    if isolated:
        config.stash[DESELECTED] = len(isolated)
        config.hook.pytest_deselected(items=[i for i in items if i in isolated])
        items[:] = [item for item in items if item not in isolated]


def isolated_hint(config: pytest.Config, items: list[pytest.Item]) -> str | None:
    """Return what to say where only isolated runs were selected, and taken out."""
    number = config.stash.get(DESELECTED, 0)
    if not number or any(map(pair_of, items)):
        return None
    return (
        f"{number} isolated runs are deselected; --mig-isolated or "
        f"-m isolated runs them"
    )


def hints(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Return what to say of a selection without runs; nothing where that was meant."""
    if (isolated := isolated_hint(config, items)) is not None:
        return [isolated]
    if items:
        return []
    from pytest_mighetero.plugin.selection.pairs import BOUND
    from pytest_mighetero.plugin.selection.suggestion import for_keywords, for_markers

    run = config.stash[RUN_SPEC]
    pairs = dict.fromkeys([*run.pairs, *config.stash.get(BOUND, [])])
    run = replace(run, pairs=tuple(pairs))
    return [
        *for_keywords(run, config.getoption("keyword", "") or ""),
        *for_markers(run, config.getoption("markexpr", "") or ""),
    ]


def check_isolated(items: list[pytest.Item]) -> None:
    """Fail where isolated runs are asked for and no test is one.

    Raises:
        pytest.UsageError: with what such a test looks like.
    """
    runs = [item for item in items if pair_of(item)]
    if runs and not any(map(_is_isolated, runs)):
        raise pytest.UsageError(
            "--mig-isolated, --mig-tune: no test is marked isolated. Add one:\n\n"
            "    @pytest.mark.isolated\n    def test_isolated(main):\n"
            "        main.run()\n"
        )


def _is_isolated(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("isolated") is not None
    return pair_of(item) is not None and marked


def order_runs(config: RunSpec, items: list[pytest.Item]) -> None:
    """Order the runs among themselves; other tests stay where they are.

    Isolated ones come first. Where sets of backgrounds are kept up, those of one set
    stand together, the sets in the order of their first run.
    """
    places = [place for place, item in enumerate(items) if pair_of(item)]
    runs = [items[place] for place in places]
    sets: dict[SetKey, int] = {None: -1}
    for item in runs:
        sets.setdefault(set_of(config, item), len(sets))
    keeps = config.keeps_backgrounds

    def rank(item: pytest.Item) -> int:
        number = sets[set_of(config, item)]
        return number if keeps else min(number, 0)

    for place, item in zip(places, sorted(runs, key=rank), strict=True):
        items[place] = item


def upcoming(config: RunSpec, item: pytest.Item) -> tuple[Pair, ...]:
    """Return the pairs, that of *item* first, that one set is to serve in a row."""
    items = item.session.items
    pairs = []
    for each in items[items.index(item) :]:
        pair = pair_of(each)
        if pair is None or set_of(config, each) != set_of(config, item):
            break
        pairs.append(pair)
    return tuple(pairs)
