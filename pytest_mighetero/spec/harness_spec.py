"""How a suite's harness is called, and how it shows what it does.

Each key of ``[harness]`` is a field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec import names
from pytest_mighetero.spec.device_names import FORMS
from pytest_mighetero.spec.tables import flag, key, list_of, mapping, misfit, text
from pytest_mighetero.units import parse_duration


def _seconds(value: Any) -> float:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ConfigError:
        raise misfit('a time such as "90s"', value) from None


def _pattern(value: Any) -> str:
    try:
        re.compile(value)
    except (TypeError, re.error):
        raise misfit("a regular expression", value) from None
    return str(text(names.LINE, least=0)(value))


@dataclass(frozen=True, kw_only=True)
class HarnessSpec:
    """How a suite's harness is called and what it prints.

    Attributes:
        folder: has the Makefile; ``{package}`` is this package's.
        config_ver: the default of the suite's benchmarks.
        start_markers: texts that end the line printed just before ``StartTest``.
        finish_markers: texts that end the line printed just after it.
        audit_folder: where the audits leave their verdict files; relative to
            ``folder``, or below ``{log_dir}``.
        reader: who reads what its tool writes: the name of a file of ``readers/``.
        loadgen_log: whether it writes that tool's log; a background of one that does
            is ready when that has a first query.
        make_variables: ``NAME=value`` arguments of make; ``{log_dir}`` and
            ``{python}`` are filled in.
        environment: variables set for the harness, filled in likewise.
        secrets: variables and flags whose values are not printed, beside those whose
            names say so.
        device_names: the forms of MIG devices' names that it knows; empty for any.
        device_profiles: a regular expression for the profiles that it knows.
        idle_limit: the seconds for which a background may use no CPU time at all:
            what its slowest kernel may take; 0 for any number.
    """

    folder: str = key(text(names.PATH))
    config_ver: str = key(text(names.CONFIG_VER))
    actions: tuple[str, ...] = key(list_of(names.ACTIONS))
    start_markers: tuple[str, ...] = key(list_of(rule=names.MARKER))
    finish_markers: tuple[str, ...] = key(list_of(rule=names.MARKER))
    audit_folder: str = key(text(names.audit_folder))
    start_from_device: bool = key(flag, default=True)
    reader: str = key(text(), "loadgen")
    loadgen_log: bool = key(flag, default=True)
    make_variables: Mapping[str, str] = key(
        mapping(names.make_variable, text(names.make_value, hidden=True), hidden=True),
        {},
        shown=False,
    )
    environment: Mapping[str, str] = key(
        mapping(names.ENVIRONMENT, text(names.LINES, hidden=True), hidden=True),
        {},
        shown=False,
    )
    secrets: tuple[str, ...] = key(list_of(rule=names.SECRET), ())
    device_names: tuple[str, ...] = key(list_of(FORMS), ())
    device_profiles: str = key(_pattern, ".*")
    idle_limit: float = key(_seconds, 60.0)
