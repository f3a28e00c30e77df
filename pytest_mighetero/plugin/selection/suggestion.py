"""What was meant where no run is selected: the nearest ids, or a test that has one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from pytest_mighetero.plan.run_plan import cells_of, ids_of
from pytest_mighetero.plugin.presence import is_run
from pytest_mighetero.plugin.session import Session
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.keyword import nearest_to, plain, words_of

_SHOWN = 3
_WHERE_FROM = (
    "add --pyargs pytest_mighetero.runs, for those that come with the package, or have "
    "mighetero init write one"
)


def hints(
    config: pytest.Config, session: Session, items: Sequence[pytest.Item]
) -> Iterator[str]:
    """Yield what to say of a selection without runs; nothing where that was meant."""
    if any(map(is_run, items)):
        return
    near = list(_misspelt(config, session)) if not items else []
    if session.deselected and not near:
        yield (
            f"{session.deselected} isolated runs are deselected; --mig-isolated or "
            f"-m isolated runs them"
        )
    yield from near
    if not near and not session.deselected and _lacks_run_test(config, session, items):
        # xdist's controller does not see what its workers collect.
        here = "where no" if config.pluginmanager.hasplugin("dsession") else "no"
        yield f"{here} test here asks for main: {_WHERE_FROM}"


def _lacks_run_test(
    config: pytest.Config, session: Session, items: Sequence[pytest.Item]
) -> bool:
    """Tell whether there is nothing to select from, though runs were meant."""
    pytests = config.pluginmanager.getplugin("session")
    if session.met_run_test or getattr(pytests, "testsfailed", False):
        return False
    selects = map(config.getoption, ("file_or_dir", "keyword", "markexpr"))
    return not items or not any(selects)


def _misspelt(config: pytest.Config, session: Session) -> Iterator[str]:
    pairs = dict.fromkeys([*session.spec.pairs, *session.bound])
    spec = replace(session.spec, pairs=tuple(pairs))
    yield from for_keywords(spec, config.getoption("keyword", "") or "")
    yield from for_markers(spec, config.getoption("markexpr", "") or "")


def for_keywords(spec: RunSpec, expression: str) -> Iterator[str]:
    """Yield a sentence for each word of ``-k`` that names no run, but nearly one."""
    accepted = [*_ids(spec), *spec.suite.benchmarks, *_markers(spec)]
    for word in words_of(expression):
        if any(word.lower() in name.lower() for name in accepted):
            continue
        if left_out := _left_out(spec, word):
            yield f"-k {word}: {left_out}"
        elif near := nearest_to(word, accepted):
            yield f"-k {word} is in no run's id; the nearest: {', '.join(near)}"


def for_markers(spec: RunSpec, expression: str) -> Iterator[str]:
    """Yield a sentence for each word of ``-m`` that is no marker of a run."""
    accepted = [*_markers(spec), "isolated"]
    for word in words_of(expression):
        if word.lower() in map(str.lower, accepted):
            continue
        if left_out := _left_out(spec, word):
            yield f"-m {word}: {left_out}"
        elif near := nearest_to(word, accepted):
            yield f"-m {word} is no run's marker; the nearest: {', '.join(near)}"
        elif any(plain(word) in plain(name) for name in _ids(spec)):
            yield f"-m {word} is no run's marker; ids are selected by -k"


def for_nodeids(spec: RunSpec, arguments: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each argument whose brackets hold no run's id."""
    ids = _ids(spec)
    for argument in arguments:
        before, bracket, name = argument.removesuffix("]").partition("[")
        if "::" not in before or not bracket or name in ids:
            continue
        if left_out := _left_out(spec, name):
            yield left_out
        elif near := nearest_to(name, ids):
            yield f"the nearest: {', '.join(f'{before}[{each}]' for each in near)}"


def _ids(spec: RunSpec) -> list[str]:
    cells = [name for name, _ in cells_of(spec)]
    return [*(name for name, _ in ids_of(spec)), *cells]


def _markers(spec: RunSpec) -> list[str]:
    return [*dict.fromkeys(pair.scenario for pair in spec.pairs), *spec.suite.groups]


def _left_out(spec: RunSpec, word: str) -> str | None:
    """Say that options leave out what *word* names, if the suite has it."""
    left_out = [pair for pair in spec.suite.pairs() if pair not in spec.pairs]
    meant = plain(word)
    pairs = [pair for pair in left_out if meant in (pair.scenario, plain(str(pair)))]
    names = ", ".join(map(str, pairs[:_SHOWN])) + ", ..." * (len(pairs) > _SHOWN)
    said = f"suite {spec.suite.name} has {names}, which --main-benchmark or"
    return f"{said} --main-scenario leave out" if pairs else None
