"""What pytest's command line and ini file say of the options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_mighetero.spec.values import Value

if TYPE_CHECKING:
    import pytest


def given(config: pytest.Config, key: str) -> Value | None:
    """Return what the command line says of an option, else what the ini file says."""
    in_ini = config.getini(key)
    if (raw := config.getoption(key)) is not None:
        said_by, base = f"--{key.replace('_', '-')}", config.invocation_params.dir
        return Value(raw, said_by, base, explicit=True, instead=bool(in_ini))
    if in_ini is not None:
        ini = config.inipath or config.rootpath / "-o"
        said_by = f"{key} in {ini.name}"
        overrides = config.getoption("override_ini") or ()
        if any(each.partition("=")[0] == key for each in overrides):
            said_by = f"-o {key}"
        return Value(str(in_ini), said_by, ini.parent, explicit=True)
    return None
