"""What there is to say of an option.

Every pytest run imports this; named tuples are made in half the time of dataclasses.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """What an option takes.

    Attributes:
        metavar: how the value is shown; None for a flag.
        parse: the function of ``parsers`` that makes the value of its text; None where
            it takes more than that text, as in ``runspec``.
    """

    metavar: str | None
    parse: str | None = None


class Option(NamedTuple):
    """One option; a flag that is off, where no more is said.

    Attributes:
        name: without the leading dashes.
        default: what holds where nobody says anything: command line, ini nor suite.
            None is the value then, whatever the kind.
        no_help: the sentence of a flag's ``--no-`` form, where it has one.
        alias: another name that works and is not in the help.
        fills: the field of ``RunSpec``, where that is not ``key`` without ``mig_``.
        in_suite: whether a suite may have a default.
        bare: what is meant where it is said without a value; empty where it takes one.
        gate: whether an empty text, where it takes nothing back, would have runs pass
            unjudged, not be run, be elsewhere, or not be written of.
        unsaid: in words, what a ``default`` of None or "" comes to.
    """

    name: str
    help: str
    kind: Kind = Kind(None, "flag")
    default: str | bool | None = False
    no_help: str = ""
    alias: str = ""
    fills: str = ""
    in_suite: bool = True
    bare: str = ""
    gate: bool = False
    unsaid: str = ""

    @property
    def told(self) -> str:
        """What it does, and what holds where nobody says anything."""
        default = self.default or self.unsaid
        if isinstance(self.default, bool):
            default = "on" if self.default else "off"
        return f"{self.help} (default: {default})"

    @property
    def key(self) -> str:
        """The name as an ini key and as an attribute."""
        return self.name.replace("-", "_")

    @property
    def metavar(self) -> str | None:
        """How the value is shown; None for a flag."""
        return self.kind.metavar

    @property
    def field(self) -> str:
        """The field of ``RunSpec`` that it fills."""
        return self.fills or self.key.removeprefix("mig_")
