"""Tables of TOML files as dataclasses: what each key takes, and what is wrong. Pure.

A key is declared once, as a field with what reads its value. pydantic does that, too:
to say what was expected and found as here took it more lines, and 0.1 s to import.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.spec.names import Rule
from pytest_mighetero.terms.secret import MASK

# Returns the value that a file's is read as, or raises MisfitError.
Read = Callable[[Any], Any]
T = TypeVar("T")


class MisfitError(Exception):
    """A value or a key that cannot be meant: a sentence on the place it stands in.

    The keys that lead there, ``place``, are filled in on its way up.
    """

    def __init__(self, sentence: Callable[[str], str], *place: str) -> None:
        self.sentence, self.place = sentence, list(place)
        super().__init__(sentence)


def misfit(expected: str, found: Any, *, hidden: bool = False) -> MisfitError:
    """Return the error that says what was expected; *hidden* may be a secret."""
    shown = MASK if hidden else repr(found)
    return MisfitError(lambda where: f"{where}: expected {expected}, found {shown}")


def as_it_is(value: Any) -> Any:
    """Read whatever it is."""
    return value


def read_by(is_right: Callable[[Any], object], expected: str) -> Read:
    """Read a value as it is, where it is right."""

    def read(value: Any) -> Any:
        if not is_right(value):
            raise misfit(expected, value)
        return value

    return read


flag = read_by(lambda value: isinstance(value, bool), "true or false")


def number(is_right: Callable[[float], object], expected: str) -> Read:
    """Read a number, where it is right."""
    check = read_by(lambda v: type(v) in (int, float) and is_right(v), expected)
    return lambda value: float(check(value))


positive = number(lambda value: value > 0, "a number over 0")
finite = number(lambda value: 0 < value < math.inf, "a number over 0")


def text(rule: Rule = lambda _: None, *, least: int = 1, hidden: bool = False) -> Read:
    """Read a text of which *rule* says nothing else that it expected."""

    def read(value: Any) -> str:
        is_text = isinstance(value, str) and len(value) >= least
        expected = rule(value) if is_text else "a text"
        if expected is not None:
            raise misfit(expected, value, hidden=hidden)
        return str(value)

    return read


def one_of(accepted: Collection[str]) -> Read:
    """Read one of these texts."""
    return read_by([*accepted].__contains__, f"one of {', '.join(accepted)}")


def list_of(
    accepted: Collection[str] = (),
    rule: Rule = lambda _: None,
    least: int = 1,
    *,
    empty: bool = False,
    hidden: bool = False,
) -> Read:
    """Read a list of so many of these texts; of any texts where none are named.

    They may be *empty* where that is said; *hidden* ones may be secrets.
    """
    known = [*accepted]

    def fits(each: Any) -> bool:
        if known:
            return each in known
        return isinstance(each, str) and (empty or each != "")

    def read(value: Any) -> tuple[str, ...]:
        items = value if isinstance(value, list) and len(value) >= least else [None]
        if not all(map(fits, items)):
            expected = f"a list of {', '.join(known) or 'texts'}"
            raise misfit(expected, value, hidden=hidden)
        return tuple(map(text(rule, least=0 if empty else 1, hidden=hidden), items))

    return read


def mapping(keys: Rule | Collection[str], read: Read, *, hidden: bool = False) -> Read:
    """Read a table by one reader; its keys are known, or fit a rule."""

    def read_all(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise misfit("a table", value, hidden=hidden)
        if callable(keys):
            for key in value:
                text(keys, least=0)(key)
        elif unknown := [key for key in value if key not in keys]:
            near = nearest(unknown[0], keys)
            raise MisfitError(lambda at: f"unknown key {at!r}: {near}", unknown[0])
        return {key: _below(key, read, each) for key, each in value.items()}

    return read_all


def table(model: type[T]) -> Read:
    """Read a table as a dataclass whose fields are its keys; None for what it lacks."""
    reads = {each.name: each.metadata["read"] for each in _keys(model)}
    lacking = {each.name: None for each in _keys(model) if _is_required(each)}
    check_keys = mapping(reads, as_it_is)

    def read(value: Any) -> T:
        found = check_keys(value)
        said = {key: _below(key, reads[key], each) for key, each in found.items()}
        return model(**{**lacking, **said})

    return read


def key(read: Read, default: Any = dataclasses.MISSING, *, shown: bool = True) -> Any:
    """Declare a key: what reads it, and what holds where a file does not say it."""
    kind = "default_factory" if default == {} else "default"
    how: dict[str, Any] = {kind: dict if default == {} else default}
    return dataclasses.field(metadata={"read": read}, repr=shown, **how)


def read_table(model: type[T], said: Any, file: Path, *place: str) -> T:
    """Read the table of a file, or at *place* in it; it may lack keys.

    Raises:
        ConfigError: naming the file, the key, and what was expected and found, or the
            nearest accepted keys.
    """
    try:
        read: T = table(model)(said)
    except MisfitError as error:
        where = ".".join([*place, *error.place])
        raise ConfigError(f"{file}: {error.sentence(where)}") from None
    return read


def check_whole(entry: Any, where: str) -> None:
    """Check that a table lacks no key.

    Raises:
        ConfigError: naming the keys.
    """
    needed = [each.name for each in _keys(type(entry)) if _is_required(each)]
    if missing := [name for name in needed if getattr(entry, name) is None]:
        raise ConfigError(f"{where} lacks {', '.join(missing)}")


def _keys(model: Any) -> list[dataclasses.Field[Any]]:
    return [each for each in dataclasses.fields(model) if "read" in each.metadata]


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _below(name: str, read: Read, value: Any) -> Any:
    try:
        return read(value)
    except MisfitError as error:
        error.place.insert(0, name)
        raise
