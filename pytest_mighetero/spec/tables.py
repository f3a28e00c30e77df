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
    """A value or a key of a table that cannot be meant.

    Attributes:
        place: the keys that lead to it, filled on its way up.
        sentence: what is said of it, by that place.
    """

    def __init__(self, sentence: Callable[[str], str], *place: str) -> None:
        self.sentence, self.place = sentence, list(place)
        super().__init__(sentence)


def misfit(expected: str, found: Any, *, hidden: bool = False) -> MisfitError:
    """Return the error that says what was expected; *hidden* may be a secret."""
    shown = MASK if hidden else repr(found)
    return MisfitError(lambda where: f"{where}: expected {expected}, found {shown}")


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

    def read(value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not is_right(value):
            raise misfit(expected, value)
        return float(value)

    return read


positive = number(lambda value: value > 0, "a number over 0")
finite = number(lambda value: 0 < value < math.inf, "a number over 0")


def text(rule: Rule = lambda _: None, *, least: int = 1, hidden: bool = False) -> Read:
    """Read a text of which *rule* says nothing else that it expected."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) < least:
            raise misfit("a text", value, hidden=hidden)
        if (expected := rule(value)) is not None:
            raise misfit(expected, value, hidden=hidden)
        return value

    return read


def one_of(accepted: Collection[str]) -> Read:
    """Read one of these texts."""
    return read_by([*accepted].__contains__, f"one of {', '.join(accepted)}")


def list_of(
    accepted: Collection[str] = (), rule: Rule = lambda _: None, least: int = 1
) -> Read:
    """Read a list of so many of these texts; of any texts where none are named."""
    known = [*accepted]

    def read(value: Any) -> tuple[str, ...]:
        items = value if isinstance(value, list) and len(value) >= least else [None]
        if not all(e in known if known else isinstance(e, str) and e for e in items):
            raise misfit(f"a list of {', '.join(known) or 'texts'}", value)
        return tuple(map(text(rule), items))

    return read


def mapping(keys: Rule | Collection[str], read: Read, *, hidden: bool = False) -> Read:
    """Read a table by one reader; its keys are known, or fit a rule."""

    def read_all(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise misfit("a table", value, hidden=hidden)
        for key in value:
            if callable(keys):
                text(keys, least=0)(key)
            elif key not in keys:
                raise _unknown(key, keys)
        return {key: _below(key, read, each) for key, each in value.items()}

    return read_all


def table(model: type[T]) -> Read:
    """Read a table as a dataclass whose fields are its keys; None for what it lacks."""
    reads = {each.name: each.metadata["read"] for each in _keys(model)}

    def read(value: Any) -> T:
        if not isinstance(value, dict):
            raise misfit("a table", value)
        for key in value:
            if key not in reads:
                raise _unknown(key, reads)
        lacking = {e.name: None for e in _keys(model) if _is_required(e)}
        said = {key: _below(key, reads[key], each) for key, each in value.items()}
        return model(**{**lacking, **said})

    return read


def key(read: Read, default: Any = dataclasses.MISSING, *, shown: bool = True) -> Any:
    """Declare a key: what reads it, and what holds where a file does not say it."""
    if isinstance(default, dict):
        kind: dict[str, Any] = {"default_factory": dict}
    else:
        kind = {"default": default}
    return dataclasses.field(metadata={"read": read}, repr=shown, **kind)


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


def _unknown(name: str, accepted: Collection[str]) -> MisfitError:
    near = nearest(name, accepted)
    return MisfitError(lambda where: f"unknown key {where!r}: {near}", name)


def _below(name: str, read: Read, value: Any) -> Any:
    try:
        return read(value)
    except MisfitError as error:
        error.place.insert(0, name)
        raise
