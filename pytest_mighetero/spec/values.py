"""What is said of an option: on the command line, in the ini file, or by a suite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec import parsers
from pytest_mighetero.spec.options import BY_KEY, OPTIONS
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.lookup import found
from pytest_mighetero.terms.secret import marked_as
from pytest_mighetero.units import in_milliseconds

T = TypeVar("T")


@dataclass(frozen=True)
class Value:
    """A raw value and who said it.

    Attributes:
        raw: the text, True/False for a flag, or None when nobody says anything.
        said_by: for messages: ``--main-scenario``, ``main_scenario in pytest.ini``...
        base: the folder that a relative path in it starts from.
        explicit: said on the command line or in the ini file.
        instead: whether the ini file says something else, which this takes back.
    """

    raw: str | bool | None
    said_by: str
    base: Path
    explicit: bool
    instead: bool = False


# Says what the command line or the ini file has for an option's key, if anything.
Given = Callable[[str], "Value | None"]


def by_default(name: str) -> str:
    """Return who says the value of the option *name* where nobody does."""
    return f"the default of --{name}"


class Values:
    """The value of each option: command line, else ini, else suite, else default."""

    def __init__(self, given: Given, base: Path, suite: Suite | None = None):
        self._given, self._base, self._suite = given, base, suite

    def value(self, name: str) -> Value:
        """Return what is said of an option, and by whom.

        Raises:
            ConfigError: a gate is given an empty text, which takes nothing back.
        """
        key, suite = name.replace("-", "_"), self._suite
        in_suite = suite is not None and name in suite.defaults
        if (value := self._given(key)) is not None:
            if BY_KEY[key].gate and not (value.raw or value.instead or in_suite):
                raise ConfigError(
                    f"{value.said_by}: expected {BY_KEY[key].metavar}, found an empty "
                    f"text, which takes back what an ini file or suite says, and none "
                    f"does; write a value (is a variable of it unset?), or leave it out"
                )
            return value
        raw, said_by = BY_KEY[key].default, by_default(name)
        if suite is not None and in_suite:
            raw = suite.defaults[name]
            said_by = suite.place("defaults", name)
        return Value(raw, said_by, self._base, explicit=False)

    def named(self, name: str) -> bool:
        """Tell whether command line, ini file or suite say an option's value."""
        return self.value(name).said_by != by_default(name)

    def of(self, name: str) -> Any:
        """Return an option's value as its kind has it; None where that is its default.

        An empty text takes an ini value back.
        """
        option = BY_KEY[name.replace("-", "_")]
        if option.default is None and not self.value(name).raw:
            return None
        return self.parsed(name, getattr(parsers, option.kind.parse or ""))

    def parsed(self, name: str, parse: Callable[[str], T]) -> T:
        """Return what *parse* makes of the text that is said.

        Raises:
            ConfigError: naming who said it.
        """
        return self._made(name, lambda text: parse(parsers.checked(text).strip()))

    def path_as_called(self, name: str) -> Path:
        """Return the path: whether a link in it is to be followed is still open.

        Raises:
            ConfigError: naming who said it; an empty text would be the base itself.
        """
        base = self.value(name).base
        return (base / self._made(name, parsers.path)).absolute()

    def path(self, name: str, check: Callable[[Path], object] = found) -> Path:
        """Return the path with no link in it, which *check* may refuse.

        Raises:
            ConfigError: naming who said it.
        """
        called = self.path_as_called(name)

        def resolved(_text: str) -> Path:
            try:
                path = called.resolve()
                found(path)
            except RuntimeError as error:  # a ring
                raise ConfigError(str(error)) from None
            except OSError as error:  # too long, or not for this user
                raise ConfigError(
                    f"{called} cannot be looked at: {error.strerror}; name a path that "
                    f"this user may use"
                ) from None
            check(path)
            return path

        return self._made(name, resolved)

    def notes(self) -> tuple[str, ...]:
        """Say which times are in milliseconds where seconds were probably meant."""
        times = [self.value(each.name) for each in OPTIONS if each.metavar == "TIME"]
        short = [(each.said_by, str(each.raw).strip()) for each in times]
        return tuple(
            f"{said_by}: {text} is {text} milliseconds; write {text}s for seconds"
            for said_by, text in short
            if in_milliseconds(text)
        )

    def _made(self, name: str, make: Callable[[str], T]) -> T:
        value, suite = self.value(name), self._suite
        try:
            return make(str(value.raw))
        except ConfigError as error:
            secrets = marked_as(suite.marked_secret if suite is not None else ())
            raise ConfigError(f"{value.said_by}: {secrets.mask(str(error))}") from None
