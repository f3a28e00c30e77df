"""What pytest's command line and ini file say of the options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec import parsers
from pytest_mighetero.spec.options import JUNIT_PROPERTIES
from pytest_mighetero.spec.values import Value

if TYPE_CHECKING:
    import pytest


def given(config: pytest.Config, key: str) -> Value | None:
    """Return what the command line says of an option, else what the ini file says."""
    in_ini = said_in_ini(config, key)
    if (raw := config.getoption(key)) is not None:
        said_by, base = f"--{key.replace('_', '-')}", config.invocation_params.dir
        instead = in_ini is not None and bool(in_ini.raw)
        return Value(raw, said_by, base, explicit=True, instead=instead)
    return in_ini


def said_in_ini(config: pytest.Config, key: str) -> Value | None:
    """Return what the ini file, or ``-o``, says of a key."""
    if (in_ini := config.getini(key)) is None:
        return None
    ini = config.inipath or config.rootpath / "-o"
    said_by = f"{key} in {ini.name}"
    overrides = config.getoption("override_ini") or ()
    if any(each.partition("=")[0] == key for each in overrides):
        said_by = f"-o {key}"
    return Value(str(in_ini), said_by, ini.parent, explicit=True)


def publishes_facts(config: pytest.Config) -> bool:
    """Tell whether facts of runs are properties in junit's file.

    Raises:
        ConfigError: the ini file says neither true nor false.
    """
    if (said := said_in_ini(config, JUNIT_PROPERTIES)) is None:
        return True
    try:
        return parsers.flag(str(said.raw).strip())
    except ConfigError as error:
        raise ConfigError(f"{said.said_by}: {error}") from None
