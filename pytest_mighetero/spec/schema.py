"""The keys a suite file may have, and the check that names what is wrong in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.terms.scenario import SCENARIOS
from pytest_mighetero.terms.secret import MASK
from pytest_mighetero.units import parse_duration

STREAMS = tuple(each.name for each in SCENARIOS.values() if each.figure == "latency")
ACTIONS = ("run_harness", "run_audit_test01", "run_audit_test04", "run_audit_test05")
AUDITS = tuple(a.removeprefix("run_audit_") for a in ACTIONS[1:])
DEVICE_NAMES = ("legacy", "uuid")

_VARIABLES = ("harness.environment", "harness.make_variables")

# A check returns what it expected, or None when the value is right.
Check = Callable[[Any], "str | None"]
Schema = Mapping[str, "Check | Schema"]


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "a text"


def _pattern(value: Any) -> str | None:
    try:
        re.compile(value)
    except (TypeError, re.error):
        return "a regular expression"
    return None


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _option(value: Any) -> str | None:
    return None if isinstance(value, str | bool) else 'a text such as "90s", or a flag'


def _one_of(*accepted: str) -> Check:
    expected = f"one of {', '.join(accepted)}"
    return lambda value: None if value in accepted else expected


def _list_of(*accepted: str) -> Check:
    expected = f"a list of {', '.join(accepted) or 'texts'}"

    def check(value: Any) -> str | None:
        ok = isinstance(value, list) and value != []
        ok = ok and all(isinstance(item, str) and item for item in value)
        ok = ok and (not accepted or set(value) <= set(accepted))
        return None if ok else expected

    return check


def _any_of(*accepted: str) -> Check:
    """Take a list that may be empty, too."""
    some = _list_of(*accepted)
    return lambda value: None if value == [] else some(value)


def _positive(value: Any) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if number and value > 0 else "a number over 0"


def _duration(value: Any) -> str | None:
    try:
        parse_duration(value if isinstance(value, str) else "")
    except ConfigError:
        return 'a time such as "90s"'
    return None


def _profile(value: Any) -> str | None:
    if value == "all":
        return None
    scenarios = _list_of(*SCENARIOS)
    if isinstance(value, dict) and not any(map(scenarios, value.values())):
        return None
    return f'"all", or per benchmark {scenarios(None)}'


def _memory(value: Any) -> str | None:
    each = value if isinstance(value, dict) else {"offline": value}
    known = set(each) <= set(SCENARIOS)
    if known and not any(map(_positive, each.values())):
        return None
    return "a number over 0, or one for each scenario"


def suite_schema(options: frozenset[str], sources: Collection[str]) -> Schema:
    """Return the schema of a suite file; ``*`` stands for any name.

    Args:
        options: may stand in ``[defaults]``.
        sources: where devices may come from.
    """
    return {
        "extends": _text,
        "description": _text,
        "devices": _one_of(*sources),
        "harness": {
            "folder": _text,
            "config_ver": _text,
            "actions": _list_of(*ACTIONS),
            "start_markers": _list_of(),
            "finish_markers": _list_of(),
            "audit_folder": _text,
            "start_from_device": _flag,
            "reader": _text,
            "loadgen_log": _flag,
            "make_variables": {"*": _text},
            "environment": {"*": _text},
            "secrets": _list_of(),
            "device_names": _list_of(*DEVICE_NAMES),
            "device_profiles": _pattern,
            "idle_limit": _duration,
        },
        "defaults": dict.fromkeys(options, _option),
        "groups": {"*": _list_of()},
        "benchmarks": {
            "*": {
                "scenarios": _list_of(*SCENARIOS),
                "config_ver": _text,
                "memory_gb": _memory,
                "audits": _any_of(*AUDITS),
                "config_ver_scenarios": {"*": _any_of(*SCENARIOS)},
                "query_counts": dict.fromkeys(SCENARIOS, _positive),
            }
        },
        "profiles": {"*": _profile},
        "query_counts": dict.fromkeys(SCENARIOS, _positive),
        "targets": {"*": {"*": {"*": dict.fromkeys(SCENARIOS, _positive)}}},
        "latencies_ms": {"*": {"*": {"*": dict.fromkeys(STREAMS, _positive)}}},
    }


def check_table(
    table: Mapping[str, Any], schema: Schema, file: Path, where: str = ""
) -> None:
    """Check every key and value of *table* against *schema*.

    Raises:
        ConfigError: naming the file, the key, and the nearest accepted keys or the
            expected value.
    """
    for key, value in table.items():
        expected = schema.get(key, schema.get("*"))
        if expected is None:
            raise ConfigError(
                f"{file}: unknown key {where + key!r}: {nearest(key, schema)}"
            )
        if not callable(expected) and isinstance(value, dict):
            check_table(value, expected, file, f"{where}{key}.")
            continue
        wanted = expected(value) if callable(expected) else "a table"
        if wanted is not None:
            # Variables: another suite file may mark them as secret.
            hidden = (where + key).startswith(_VARIABLES)
            found = MASK if hidden else repr(value)
            raise ConfigError(f"{file}: {where}{key}: expected {wanted}, found {found}")
