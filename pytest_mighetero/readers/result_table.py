"""The suite's table ``result``, by which ``json`` and ``lines`` read a tool.

Each says with it what the tool is called, where its figures are, and in which units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from warnings import catch_warnings, simplefilter

from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.readers.first_query import Sign

ISO = "iso"
_UNITS = ("s", "ms", "us", "ns")
_TEXTS = ("tool", "unit", "metric")
_SPREADS = ("latency", "ttft", "tpot")
_TIMES = ("duration", "start", "end")
COUNTS = ("requests", "completed", "failed")
_NUMBERS = ("value", "tokens_per_second", "target", *COUNTS, *_TIMES)
_PERCENTILE = re.compile(r"\d{1,2}(\.\d+)?", re.ASCII)
_SIGN = "issuing"


class Place(Protocol):
    """Where a figure is to be found.

    Attributes:
        has_unit: whether its unit stands beside it.
    """

    @property
    def has_unit(self) -> bool:
        """See above."""


T = TypeVar("T")
P_co = TypeVar("P_co", bound=Place, covariant=True)


@dataclass(frozen=True)
class ResultTable(Generic[P_co]):
    """What a suite says of a tool's result.

    Attributes:
        tool: the tool's name, for sentences.
        metric: the name of its figure, and ``unit`` its unit.
        latency_unit: that of ``latency``.
        token_unit: that of ``ttft`` and ``tpot``.
        time_unit: that of ``start``, ``end`` and ``duration``; ``iso`` for texts.
        places: by key, as ``latency.99``, where its figures are.
        sign: what in its output tells that it issues requests; None for nothing.
    """

    tool: str
    unit: str
    metric: str
    higher_is_better: bool
    latency_unit: str
    token_unit: str
    time_unit: str
    places: Mapping[str, P_co]
    sign: Sign | None = None

    @property
    def has_stamps(self) -> bool:
        """Whether it says when the timed part was, and not only how long."""
        return "start" in self.places or "end" in self.places


def read_table(
    said: Mapping[str, object], place: Callable[[object], P_co], more: Collection[str]
) -> ResultTable[P_co]:
    """Read the keys that all configured readers have.

    Args:
        said: the suite's table.
        more: the reader's own keys, which it reads itself.
        place: reads one that says where a figure is, and raises ConfigError.

    Raises:
        ConfigError: naming a key, what was expected and what was found.
    """
    choices = ("higher_is_better", "latency_unit", "token_unit", "time_unit", _SIGN)
    known = {*_TEXTS, *choices, *_SPREADS, *_NUMBERS, *more}
    for key in said:
        if key not in known:
            raise ConfigError(f"{key}: no such key: {nearest(key, known)}")
    for key in ("tool", "unit", "value"):
        if key not in said:
            raise ConfigError(f"{key}: expected one in the table, found none")
    texts = {key: _text(key, said[key]) for key in _TEXTS if key in said}
    places = dict(_places(said, place))
    return ResultTable(
        tool=texts["tool"],
        unit=texts["unit"],
        metric=texts.get("metric", texts["unit"]),
        higher_is_better=_flag("higher_is_better", said.get("higher_is_better", True)),
        latency_unit=_unit("latency_unit", said, _UNITS, _SPREADS[:1], places),
        token_unit=_unit("token_unit", said, _UNITS, _SPREADS[1:], places),
        time_unit=_unit("time_unit", said, (*_UNITS, ISO), _TIMES, places),
        places=places,
        sign=at(_SIGN, _sign, said[_SIGN]) if _SIGN in said else None,
    )


def pattern_of(said: object) -> str:
    """Return a regular expression, as text.

    Raises:
        ConfigError: it is none.
    """
    try:
        if isinstance(said, str) and said and "\n" not in said:
            with catch_warnings():  # of what later Pythons may take otherwise
                simplefilter("ignore")
                re.compile(said)
            return said
        why = "it is no text of one line"
    except re.error as error:
        why = str(error)
    raise ConfigError(f"expected a regular expression, found {said!r}: {why}")


def _places(
    said: Mapping[str, object], place: Callable[[object], P_co]
) -> Iterator[tuple[str, P_co]]:
    for key in (*_NUMBERS, *_SPREADS):
        if key not in said:
            continue
        if key not in _SPREADS:
            yield key, at(key, place, said[key])
            continue
        spread = said[key]
        if not isinstance(spread, Mapping) or not spread:
            raise ConfigError(
                f'{key}: expected a table of percentiles such as {{ "99" = ... }}, '
                f"found {spread!r}"
            )
        for percentile, each in spread.items():
            if not _PERCENTILE.fullmatch(str(percentile)):
                raise ConfigError(
                    f"{key}.{percentile}: expected a percentile such as 50 or 99.9, "
                    f"found {percentile!r}"
                )
            yield f"{key}.{percentile}", at(f"{key}.{percentile}", place, each)


def at(key: str, read: Callable[[object], T], said: object) -> T:
    """Return what *read* makes of a key's value, and name the key where it raises."""
    try:
        return read(said)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from None


def _text(key: str, said: object) -> str:
    if not isinstance(said, str) or not said or "\n" in said:
        raise ConfigError(f"{key}: expected a text of one line, found {said!r}")
    return said


def _flag(key: str, said: object) -> bool:
    if not isinstance(said, bool):
        raise ConfigError(f"{key}: expected true or false, found {said!r}")
    return said


def _unit(
    key: str,
    said: Mapping[str, object],
    accepted: Collection[str],
    measured: Collection[str],
    places: Mapping[str, Place],
) -> str:
    """Return the unit of what is *measured*: what has none beside it must have one."""
    bare = [
        name
        for name, place in places.items()
        if name.partition(".")[0] in measured and not place.has_unit
    ]
    unit = said.get(key, "" if bare else "s")
    if unit not in accepted:
        what = f" of {', '.join(bare)}" if bare else ""
        found = repr(unit) if key in said else "none"
        units = ", ".join(accepted)
        raise ConfigError(f"{key}: expected the unit{what}: {units}; found {found}")
    if unit == ISO and "duration" in bare:
        raise ConfigError(f"{key}: expected the unit of duration, too, found {unit!r}")
    return str(unit)


def _sign(said: object) -> Sign:
    pattern = pattern_of(said)
    try:
        mark = re.compile(pattern.encode(), re.MULTILINE)
    except re.error as error:
        expected = "a regular expression for bytes"
        raise ConfigError(f"expected {expected}, found {said!r}: {error}") from None
    if mark.search(b""):
        raise ConfigError(
            f"expected one that an empty output does not match, found {said!r}"
        )
    return Sign("", mark, pattern)
