"""What command line and ini file say, and the checked settings made of it, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.spec.options import OPTIONS

if TYPE_CHECKING:
    from pytest_mighetero.spec.runspec import RunSpec, Value

RUN_SPEC: pytest.StashKey[RunSpec] = pytest.StashKey()


def anything_said(config: pytest.Config) -> bool:
    """Tell whether command line or ini file say anything of any option."""
    return any(said(config, option.key) for option in OPTIONS)


def said(config: pytest.Config, key: str) -> bool:
    """Tell whether command line or ini file say anything of one option."""
    return config.getoption(key) is not None or config.getini(key) is not None


def _given(config: pytest.Config, key: str) -> Value | None:
    """Return what the command line says of an option, else what the ini file says."""
    from pytest_mighetero.spec.runspec import Value

    option = f"--{key.replace('_', '-')}"
    if (raw := config.getoption(key)) is not None:
        return Value(raw, option, config.invocation_params.dir, explicit=True)
    if (raw := config.getini(key)) is not None:
        ini = config.inipath or config.rootpath / "-o"
        said_by = f"{key} in {ini.name}"
        return Value(str(raw), said_by, ini.parent, explicit=True)
    return None


def run_spec(config: pytest.Config) -> RunSpec:
    """Return the checked settings of this pytest run.

    Raises:
        pytest.UsageError: a value cannot be meant.
    """
    if RUN_SPEC not in config.stash:
        from pytest_mighetero.devices.source import device_kinds
        from pytest_mighetero.errors import ConfigError
        from pytest_mighetero.plan.durations import check_lengths
        from pytest_mighetero.readers.reader import reader_named
        from pytest_mighetero.records.comparison.reference_files import load_references
        from pytest_mighetero.spec.runspec import build_spec

        try:
            run = build_spec(
                lambda key: _given(config, key),
                config.invocation_params.dir,
                config.rootpath,
                device_kinds(),
            )
            reader_named(run.suite.harness.reader)
            check_lengths(run)
            load_references(run.references)
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[RUN_SPEC] = run
    return config.stash[RUN_SPEC]
