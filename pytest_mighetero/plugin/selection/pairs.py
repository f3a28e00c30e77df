"""Which pairs a test measures: those selected, or those its marker binds it to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_mighetero.errors import nearest
from pytest_mighetero.plan.run_plan import cells_of, ids_of
from pytest_mighetero.plugin.outcome import Failed
from pytest_mighetero.plugin.ownership import is_ours
from pytest_mighetero.plugin.presence import run_spec, said, session_of
from pytest_mighetero.spec.markers import BINDING, MARKERS
from pytest_mighetero.spec.offer import why_not
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Encounter, Pair


def parameters(metafunc: pytest.Metafunc) -> list[object]:
    """Return what a test's ``main`` is parametrized over: the pairs to measure."""
    run = run_spec(metafunc.config)
    session_of(metafunc.config).met_run_test = True
    groups = [name for name in run.suite.groups if name not in MARKERS]
    for group in groups:
        line = f"{group}: a benchmark of suite {run.suite.name}'s group {group}"
        metafunc.config.addinivalue_line("markers", line)
    mark = metafunc.definition.get_closest_marker(BINDING)
    pairs = run.pairs if mark is None else _bound(metafunc, run, mark)
    if mark is not None and not pairs:
        reason = (
            f"bound to {', '.join(mark.args)}, and --main-benchmark, --main-scenario "
            f"or --mig-tune leave none of it to measure"
        )
        nothing = pytest.mark.skip(reason=reason)
        return [pytest.param(None, id="none-selected", marks=nothing)]
    params: list[object] = []
    mine = replace(run, pairs=pairs)
    beside = "background" in metafunc.fixturenames and is_ours(metafunc, "background")
    cells = cells_of(mine) if beside else []
    measured: list[tuple[str, Pair, Pair | Encounter]] = [
        (name, cell.victim, cell) for name, cell in cells
    ]
    if not cells:
        measured = [(name, pair, pair) for name, pair in ids_of(mine)]
    for name, pair, value in measured:
        names = [g for g in groups if pair.benchmark in run.suite.groups[g]]
        marks = [getattr(pytest.mark, name) for name in (pair.scenario, *names)]
        if why := why_not(run.suite, pair, run.action, run.config_ver):
            marks.append(pytest.mark.skip(reason=f"bound to {pair}, and {why}"))
        params.append(pytest.param(value, id=name, marks=marks))
    return params


def _bound(
    metafunc: pytest.Metafunc, run: RunSpec, mark: pytest.Mark
) -> tuple[Pair, ...]:
    """Return the pairs that *mark* names, as far as they are selected."""
    said_of = f"{metafunc.definition.nodeid}: @pytest.mark.{BINDING}"
    known = {str(pair): pair for pair in run.suite.pairs()}
    if mark.kwargs or not mark.args:
        raise Failed(
            f"{said_of} takes the pairs to measure, one after another, such as "
            f'@pytest.mark.{BINDING}("dlrm_server", "bert_offline"), and has '
            f"{mark.kwargs or 'none'}."
        )
    for name in mark.args:
        if not isinstance(name, str) or name not in known:
            raise Failed(
                f"{said_of}: suite {run.suite.name} has no pair {name!r}: "
                f"{nearest(str(name), known)}."
            )
    selected = [p for p in _selected(metafunc.config, run) if str(p) in mark.args]
    session_of(metafunc.config).bound += selected
    return tuple(selected)


def _selected(config: pytest.Config, run: RunSpec) -> tuple[Pair, ...]:
    """Return what a bound test may measure: what was said binds it, no default does."""
    if run.tune or said(config, "main_scenario"):
        return run.pairs
    pairs = run.suite.pairs()
    return tuple(p for p in pairs if not run.asked or p.benchmark in run.asked)


def possible_ids(config: pytest.Config) -> frozenset[str]:
    """Return the ids that runs of this session may have, those of bound tests, too."""
    run = run_spec(config)
    possible = replace(run, pairs=_selected(config, run))
    cells = (name for name, _ in cells_of(possible))
    return frozenset([*(name for name, _ in ids_of(possible)), *cells])
