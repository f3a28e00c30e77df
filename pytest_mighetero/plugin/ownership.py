"""Whose fixtures a test asks for: ours, or others of the same common names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from pytest_mighetero.plugin.outcome import Failed
from pytest_mighetero.plugin.presence import is_pair, is_run
from pytest_mighetero.terms.scenario import SCENARIOS

_OURS = "pytest_mighetero.plugin.fixtures"
_PARAMETER = "_pytest.python"  # of what pytest makes of a direct parameter
_RUN = "def test_heterogeneous(background, main): main.run()"
_UNPARAMETRIZED = {"TestCaseFunction": "unittest.TestCase", "DoctestItem": "doctest"}
_CHOOSES = {
    "main": 'bind the test to pairs with @pytest.mark.mighetero("dlrm_server", ...)',
    "background": "choose backgrounds with --background-benchmarks",
    "mig_gpu": "choose a GPU with --mig-gpu",
}
_PAIR = re.compile(rf"[\w.-]+_({'|'.join(SCENARIOS)})(-\w+)?")


def is_ours(node: pytest.Item | pytest.Metafunc, name: str) -> bool:
    """Tell whether a test's fixture *name* is ours, or an override that asks for it."""
    return any(_module_of(each) == _OURS for each in _reached(node, name))


def beside(item: pytest.Item) -> bool:
    """Tell whether *item* has our backgrounds beside its main."""
    asked = "background" in getattr(item, "fixturenames", ())
    return asked and is_ours(item, "background")


def stranger(item: pytest.Item, name: str) -> str | None:
    """Return what the fixture *name* of *item* is, if it is not ours, or None."""
    definitions = _definitions(item, name)
    if not definitions or is_ours(item, name):
        return None
    if _module_of(definitions[-1]) == _PARAMETER:
        return "a parameter"
    code = getattr(definitions[-1].func, "__code__", None)
    if code is None:
        return f"a fixture of {_module_of(definitions[-1])}"
    path, root = Path(code.co_filename), item.config.rootpath
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return f"the fixture of {shown}:{code.co_firstlineno}"


def refusal(item: pytest.Item, name: str) -> str | None:
    """Say why our fixture *name* cannot serve *item*, and what to write, or None."""
    bound = is_run(item)
    if not bound and (kind := _UNPARAMETRIZED.get(type(item).__name__)):
        return (
            f"A run measures a pair, and pytest cannot give a pair to a {kind}. "
            f"Write a test function: {_RUN}"
        )
    for needed in ("main", "mig_gpu"):
        if found := stranger(item, needed):
            return (
                f"{name} needs pytest-mighetero's {needed}, and {needed} is {found} "
                f"here. Rename that, or have it ask for the one it overrides: "
                f"def {needed}({needed}): ..."
            )
    if not bound:
        return (
            f"This test asks for a run without naming main among its arguments, which "
            f"says in time what it measures. Write: {_RUN}"
        )
    if name == "background" and not beside(item):
        return (
            f"This test asks for background without naming it among its arguments, so "
            f"main was prepared to run alone. Write: {_RUN}"
        )
    return None


def refuse_method(item: pytest.Item) -> None:
    """Refuse a method of unittest, which hands no fixtures, that asks for ours."""
    function = getattr(item, "function", None)
    if code := getattr(function, "__code__", None):
        given = code.co_argcount - len(getattr(function, "__defaults__", None) or ())
        for name in _CHOOSES.keys() & set(code.co_varnames[1:given]):
            raise Failed(refusal(item, name) or "")


def takes_pairs(metafunc: pytest.Metafunc) -> bool:
    """Tell whether a test's ``main`` is ours; refuse it if others parametrize that."""
    ours = is_ours(metafunc, "main")
    if ours or _means_a_run(metafunc):
        _refuse_parameters(metafunc)
    return ours


def _refuse_parameters(metafunc: pytest.Metafunc) -> None:
    taken = {name for call in metafunc._calls for name in call.params}  # noqa: SLF001
    for mark in metafunc.definition.iter_markers("parametrize"):
        taken.update(_argnames(mark))
    refused = [
        name
        for name in taken & _CHOOSES.keys() & set(metafunc.fixturenames)
        if not (definitions := _definitions(metafunc, name))
        or _module_of(definitions[-1]) in {_OURS, _PARAMETER}
    ]
    if any(each.params is not None for each in _reached(metafunc, "main")):
        refused.append("main")
    for name in refused:
        raise Failed(
            f"{metafunc.definition.nodeid}: {name} is parametrized, which "
            f"pytest-mighetero does itself. Instead, {_CHOOSES[name]}."
        )


def _means_a_run(metafunc: pytest.Metafunc) -> bool:
    """Tell whether a test that parametrizes ``main`` directly means ours by it."""
    if any(is_ours(metafunc, name) for name in ("background", "mig_gpu")):
        return True
    return any(
        _PAIR.fullmatch(value) if isinstance(value, str) else is_pair(value)
        for mark in metafunc.definition.iter_markers("parametrize")
        if "main" in _argnames(mark)
        for value in _values(mark, _argnames(mark).index("main"))
    )


def _definitions(
    node: pytest.Item | pytest.Metafunc, name: str
) -> Sequence[pytest.FixtureDef[Any]]:
    if isinstance(node, pytest.Metafunc):
        return node._arg2fixturedefs.get(name, ())  # noqa: SLF001
    info = getattr(node, "_fixtureinfo", None)
    return info.name2fixturedefs.get(name, ()) if info is not None else ()


def _reached(
    node: pytest.Item | pytest.Metafunc, name: str
) -> Iterator[pytest.FixtureDef[Any]]:
    """Yield the fixture *name* that is used, and those that it overrides and uses."""
    for definition in reversed(_definitions(node, name)):
        yield definition
        if name not in definition.argnames:
            return


def _module_of(definition: pytest.FixtureDef[Any]) -> str:
    return getattr(definition.func, "__module__", "")


def _said(mark: pytest.Mark, place: int, name: str) -> Any:
    return mark.kwargs.get(name, mark.args[place] if len(mark.args) > place else ())


def _argnames(mark: pytest.Mark) -> list[str]:
    names = _said(mark, 0, "argnames")
    words = names.split(",") if isinstance(names, str) else names
    return [word.strip() for word in words]


def _values(mark: pytest.Mark, place: int) -> Iterator[object]:
    """Yield the values for the name at *place*; those of an iterator are left in it."""
    rows = _said(mark, 1, "argvalues")
    bare = isinstance(_said(mark, 0, "argnames"), str) and len(_argnames(mark)) == 1
    for row in rows if isinstance(rows, list | tuple) else ():
        values = ParameterSet.extract_from(row, force_tuple=bare).values
        if isinstance(values, list | tuple) and place < len(values):
            yield values[place]
