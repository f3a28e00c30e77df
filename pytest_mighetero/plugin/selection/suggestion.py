"""What was meant by a selection that selects no run: the nearest ids. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from pytest_mighetero.plan.launch import ids_of
from pytest_mighetero.spec.runspec import RunSpec

_WORD = re.compile(r"[\w:+\-.\[\]/\\=]+")
_OPERATORS = {"and", "or", "not", "true", "false", "none"}
_SHOWN = 3


def for_keywords(config: RunSpec, expression: str) -> Iterator[str]:
    """Yield a sentence for each word of ``-k`` that names no run, but nearly one."""
    suite = config.suite
    ids = [name for name, _ in ids_of(config)]
    scenarios = dict.fromkeys(pair.scenario for pair in config.pairs)
    accepted = [*ids, *suite.benchmarks, *scenarios, *suite.groups]
    for word in _words(expression, accepted):
        if others := _unselected(config, word):
            yield f"-k {word}: {_left_out(config, others)}"
        elif near := _nearest(word, accepted):
            yield f"-k {word} is in no run's id; the nearest: {', '.join(near)}"


def for_markers(config: RunSpec, expression: str) -> Iterator[str]:
    """Yield a sentence for each word of ``-m`` that is no marker of a run."""
    ids = [name for name, _ in ids_of(config)]
    scenarios = dict.fromkeys(pair.scenario for pair in config.pairs)
    accepted = [*scenarios, *config.suite.groups, "isolated"]
    for word in _words(expression, accepted, whole=True):
        if near := _nearest(word, accepted):
            yield f"-m {word} is no run's marker; the nearest: {', '.join(near)}"
        elif any(_plain(word) in _plain(name) for name in ids):
            yield f"-m {word} is no run's marker; ids are selected by -k"


def for_nodeids(config: RunSpec, arguments: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each argument whose brackets hold no run's id."""
    ids = [name for name, _ in ids_of(config)]
    for argument in arguments:
        before, bracket, name = argument.removesuffix("]").partition("[")
        if "::" not in before or not bracket or name in ids:
            continue
        if others := _unselected(config, name):
            yield _left_out(config, others)
        elif near := _nearest(name, ids):
            yield f"the nearest: {', '.join(f'{before}[{each}]' for each in near)}"


def _words(
    expression: str, accepted: Iterable[str], *, whole: bool = False
) -> Iterator[str]:
    """Yield the words of an expression that none of *accepted* is, or has in it."""
    names = [name.lower() for name in accepted]
    for word in dict.fromkeys(_WORD.findall(expression)):
        low = word.lower()
        known = low in names if whole else any(low in name for name in names)
        if low not in _OPERATORS and not known:
            yield word


def _unselected(config: RunSpec, word: str) -> list[str]:
    """Return the suite's pairs that *word* names and options leave out."""
    left_out = [str(pair) for pair in config.suite.pairs() if pair not in config.pairs]
    return [name for name in left_out if _plain(name) == _plain(word)]


def _left_out(config: RunSpec, names: Sequence[str]) -> str:
    return (
        f"suite {config.suite.name} has {', '.join(names)}, which --main-benchmark or "
        f"--main-scenario leave out"
    )


def _nearest(word: str, accepted: Iterable[str]) -> list[str]:
    plain: Mapping[str, str] = {_plain(name): name for name in accepted}
    inside = [name for low, name in plain.items() if _plain(word) in low]
    near = get_close_matches(_plain(word), plain, n=_SHOWN, cutoff=0.7)
    return inside[:_SHOWN] or [plain[low] for low in near]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
