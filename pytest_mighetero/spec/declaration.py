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


FLAG = Kind(None, "flag")


class Option(NamedTuple):
    """One option.

    Attributes:
        name: without the leading dashes; the ini key has underscores instead.
        help: one sentence for ``pytest --help``.
        kind: what it takes.
        default: what holds when nobody says anything: command line, ini nor suite; for
            None the value is None, whatever the kind.
        no_help: for a flag that also has a ``--no-`` form, that form's sentence.
        alias: another name that works and is not in the help.
        fills: the field of ``RunSpec``, where that is not called as the option is,
            without ``mig-``.
        in_suite: whether a suite may have a default: not for the suite itself, nor for
            what only one invocation can mean.
    """

    name: str
    help: str
    kind: Kind = FLAG
    default: str | bool | None = None
    no_help: str = ""
    alias: str = ""
    fills: str = ""
    in_suite: bool = True

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
