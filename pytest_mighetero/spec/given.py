"""What pytest's command line and ini file say of the options."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.options import JUNIT_PROPERTIES
from pytest_mighetero.spec.values import Value


def given(config: pytest.Config, key: str) -> Value | None:
    """Return what the command line says of an option, else what the ini file says."""
    in_ini = said_in_ini(config, key)
    if (raw := config.getoption(key)) is not None:
        said_by, base = f"--{key.replace('_', '-')}", config.invocation_params.dir
        instead = in_ini is not None and bool(in_ini.raw)
        return Value(raw, said_by, base, explicit=True, instead=instead)
    return in_ini


def said_in_ini(config: pytest.Config, key: str) -> Value | None:
    """Return what the ini file, or ``-o``, says of a key.

    Raises:
        ConfigError: a TOML file says what is no text.
    """
    if (in_ini := _read(config, key, "a text, in quotes")) is None:
        return None
    base = (config.inipath or config.rootpath / "-o").parent
    return Value(str(in_ini), _said_by(config, key), base, explicit=True)


def publishes_facts(config: pytest.Config) -> bool:
    """Tell whether facts of runs are properties in junit's file.

    Raises:
        ConfigError: the ini file says neither true nor false.
    """
    return bool(_read(config, JUNIT_PROPERTIES, "true or false"))


def _read(config: pytest.Config, key: str, expected: str) -> Any:
    try:
        return config.getini(key)
    # The first two are what pytest before 9.2 says of a value of another type.
    except (TypeError, ValueError, pytest.UsageError) as error:
        said_by = _said_by(config, key)
        raise ConfigError(f"{said_by}: expected {expected}: {error}") from None


def _said_by(config: pytest.Config, key: str) -> str:
    overrides = config.getoption("override_ini") or ()
    if any(each.partition("=")[0] == key for each in overrides):
        return f"-o {key}"
    return f"{key} in {config.inipath.name if config.inipath else '-o'}"
