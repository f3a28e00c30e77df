"""The files that keep references: TOML that people may edit and comment."""

from __future__ import annotations

import fcntl
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_mighetero.errors import ConfigError, HarnessError
from pytest_mighetero.records.comparison.references import OF_LIMIT, Key, Reference
from pytest_mighetero.spec.schema import Check, Schema, check_table
from pytest_mighetero.terms.scenario import SCENARIOS, is_bounded
from pytest_mighetero.units import significant

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_RUNS = ("heterogeneous", "isolated")
_UNITS = ("samples/s", "ms", "samples/query", "tokens/s", OF_LIMIT)
_OF_SERVER = ("ms", OF_LIMIT)


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "a text"


def _number(value: Any) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if number and 0 <= value < math.inf else "a number, 0 or more"


def _positive(value: Any) -> str | None:
    return None if not _number(value) and value > 0 else "a number over 0"


def _one_of(accepted: tuple[str, ...]) -> Check:
    expected = f"one of {', '.join(accepted)}"
    return lambda value: None if value in accepted else expected


def _tables(value: Any) -> str | None:
    ok = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return None if ok else "tables under [[reference]]"


_ENTRY: Schema = {
    "suite": _text,
    "system": _text,
    "profile": _text,
    "run": _one_of(_RUNS),
    "benchmark": _text,
    "scenario": _one_of(tuple(SCENARIOS)),
    "config_ver": _text,
    "value": _positive,
    "lower": _number,
    "upper": _positive,
    "unit": _one_of(_UNITS),
    "target_qps": _positive,
}
_OPTIONAL = {"profile", "target_qps"}


def load_references(folder: Path) -> dict[Key, Reference]:
    """Load every ``*.toml`` of *folder*; one that is not there has none.

    Raises:
        ConfigError: a file cannot be read or says what cannot be meant, or two entries
            are of the same thing.
    """
    found: dict[Key, Reference] = {}
    for path in sorted(folder.glob("*.toml")):
        for reference in _parse(_read(path), path):
            if (twin := found.get(reference.key)) is not None:
                raise ConfigError(
                    f"{path}: {reference.key} has a reference in {twin.path} already; "
                    f"delete one of them"
                )
            found[reference.key] = reference
    return found


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _parse(text: str, path: Path) -> list[Reference]:
    """Return the references of a file, in its order."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    check_table(table, {"reference": _tables}, path)
    entries = table.get("reference", [])
    return [_build(entry, path, number) for number, entry in enumerate(entries, 1)]


def _build(entry: Mapping[str, Any], path: Path, number: int) -> Reference:
    check_table(entry, _ENTRY, path, f"reference {number}.")
    where = f"{path}: reference {number}"
    if missing := [name for name in _ENTRY if name not in {*entry, *_OPTIONAL}]:
        raise ConfigError(f"{where} lacks {', '.join(missing)}")
    server, target = is_bounded(entry["scenario"]), entry.get("target_qps")
    if server and target is None:
        raise ConfigError(f"{where} lacks target_qps, which server needs")
    if not server and target is not None:
        raise ConfigError(
            f"{where}: only server has target_qps, not {entry['scenario']}; delete it"
        )
    unit = entry["unit"]
    if server and unit not in _OF_SERVER:
        raise ConfigError(
            f"{where}: expected unit ms, server's p99, or {OF_LIMIT!r} for a language "
            f"model, found {unit!r}"
        )
    if not server and unit == OF_LIMIT:
        raise ConfigError(f"{where}: only server has the unit {OF_LIMIT!r}")
    lower, value, upper = entry["lower"], entry["value"], entry["upper"]
    if not lower <= value <= upper:
        raise ConfigError(
            f"{where}: expected lower <= value <= upper, found "
            f"{', '.join(significant(x, 10) for x in (lower, value, upper))}"
        )
    key = Key(**{**_key_table(entry), "profile": entry.get("profile") or None})
    qps = None if target is None else float(target)
    return Reference(key, float(value), float(lower), float(upper), unit, qps, path)


def _key_table(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in Key.__dataclass_fields__ if name in entry}


def save_references(folder: Path, references: Iterable[Reference]) -> list[Path]:
    """Save references: each in the place of the one it replaces, else in its own path.

    Whatever else the files hold stays, comments too. Two may save at once.

    Returns:
        The files that were written.

    Raises:
        HarnessError: one cannot be written; it is as it was.
        ConfigError: a file of the folder says what cannot be meant; none is written.
    """
    new = {reference.key: reference for reference in references}
    written = []
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Not the folder itself: to be locked on NFS a file must be open for writing.
        with (folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            old = load_references(folder)
            paths = {key: old.get(key, each).path for key, each in new.items()}
            for path in sorted(set(paths.values())):
                changed = [new[key] for key in new if paths[key] == path]
                _replace(path, _edited(path, changed))
                written.append(path)
    except OSError as error:
        raise HarnessError(
            f"The references in {path} cannot be saved: {error.strerror}."
        ) from error
    return written


def _edited(path: Path, references: Sequence[Reference]) -> str:
    """Return the text of *path* with *references* in it."""
    import tomlkit

    text = _read(path) if path.exists() else ""
    places = {each.key: at for at, each in enumerate(_parse(text, path))}
    if text and any(each.key not in places for each in references):
        text += "\n" if text.endswith("\n") else "\n\n"
    document = tomlkit.parse(text)
    if "reference" not in document:
        document["reference"] = tomlkit.aot()
    entries: Any = document["reference"]
    for reference in references:
        entry = _entry(reference)
        if reference.key not in places:
            entries.append(entry)
            continue
        there = entries[places[reference.key]]
        there.update({k: v for k, v in entry.items() if there.get(k) != v})
    text = tomlkit.dumps(document)
    _parse(text, path)  # what is written can be loaded
    return text


def _entry(reference: Reference) -> dict[str, Any]:
    """Return a reference as its table, whole numbers without a point."""
    values = {**asdict(reference.key), **asdict(reference)}
    table = {name: values[name] for name in _ENTRY if values[name] is not None}
    return {
        name: int(each) if isinstance(each, float) and each.is_integer() else each
        for name, each in table.items()
    }


def _replace(path: Path, text: str) -> None:
    """Write *path* under another name, then rename it."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
