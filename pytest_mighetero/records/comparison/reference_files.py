"""The files that keep references: TOML that people may edit and comment."""

from __future__ import annotations

import fcntl
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pytest_mighetero.errors import ConfigError, HarnessError
from pytest_mighetero.records.comparison.figure import Measurement, of_facts
from pytest_mighetero.records.comparison.references import (
    OF_LIMIT,
    Key,
    Reference,
    key_of,
    reference_of,
    shown,
)
from pytest_mighetero.records.reserve import replace
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.tables import (
    check_whole,
    finite,
    key,
    number,
    one_of,
    read_by,
    read_table,
    text,
)
from pytest_mighetero.terms import lookup
from pytest_mighetero.terms.scenario import SCENARIOS, is_bounded
from pytest_mighetero.units import significant

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_RUNS = ("heterogeneous", "isolated")
_OF_SERVER = ("ms", OF_LIMIT)
_TEXT = text(least=0)


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


@dataclass(frozen=True)
class _File:
    """What a file holds."""

    reference: list[dict[str, Any]] = key(
        read_by(_are_tables, "tables under [[reference]]"), ()
    )


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A reference as its table says it."""

    suite: str = key(_TEXT)
    system: str = key(_TEXT)
    profile: str | None = key(_TEXT, None)
    run: str = key(one_of(_RUNS))
    benchmark: str = key(_TEXT)
    scenario: str = key(one_of(SCENARIOS))
    config_ver: str = key(_TEXT)
    value: float = key(finite)
    lower: float = key(number(lambda v: 0 <= v < math.inf, "a number, 0 or more"))
    upper: float = key(finite)
    unit: str = key(text())
    target_qps: float | None = key(finite, None)


def load_references(folder: Path) -> dict[Key, Reference]:
    """Load every ``*.toml`` of *folder*; one that is not there has none.

    Raises:
        ConfigError: the folder or a file cannot be read, a file says what cannot be
            meant, or two entries are of the same thing.
    """
    found: dict[Key, Reference] = {}
    for path in _files(folder):
        for reference in _parse(_read(path), path):
            if (twin := found.get(reference.key)) is not None:
                raise ConfigError(
                    f"{path}: {reference.key} has a reference in {twin.path} already; "
                    f"delete one of them"
                )
            found[reference.key] = reference
    return found


def _files(folder: Path) -> list[Path]:
    try:
        paths = sorted(folder.iterdir()) if lookup.found(folder) else []
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be read: {error.strerror}") from error
    return [path for path in paths if path.name.endswith(".toml")]


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
    entries = read_table(_File, table, path).reference
    return [_build(entry, path, f"reference {n}") for n, entry in enumerate(entries, 1)]


def _build(said: Mapping[str, Any], path: Path, place: str) -> Reference:
    entry = read_table(_Entry, said, path, place)
    where = f"{path}: {place}"
    check_whole(entry, where)
    if problem := _problem(entry):
        raise ConfigError(f"{where}{problem}")
    values: dict[str, Any] = {**vars(entry), "profile": entry.profile or None}
    of = Key(**{each.name: values.pop(each.name) for each in fields(Key)})
    return Reference(of, **values, path=path)


def _problem(entry: _Entry) -> str | None:
    """Say what values do not go with each other, or None."""
    server = is_bounded(entry.scenario)
    if server and entry.target_qps is None:
        return f" lacks target_qps, which {entry.scenario} needs"
    if not server and entry.target_qps is not None:
        return f": {entry.scenario} has no target_qps; delete it"
    if server and entry.unit not in _OF_SERVER:
        return (
            f": expected unit ms, {entry.scenario}'s p99, or {OF_LIMIT!r} for a "
            f"language model, found {entry.unit!r}"
        )
    if not server and entry.unit == OF_LIMIT:
        return f": {entry.scenario} has no unit {OF_LIMIT!r}"
    if not entry.lower <= entry.value <= entry.upper:
        figures = (entry.lower, entry.value, entry.upper)
        said = ", ".join(significant(each, 10) for each in figures)
        return f": expected lower <= value <= upper, found {said}"
    return None


def save_good(runs: Iterable[Mapping[str, str]], spec: RunSpec) -> list[str]:
    """Write what good runs came to as references; return what was done, in lines.

    Raises:
        HarnessError, ConfigError: as ``save_references``.
    """
    samples: dict[Key, list[Measurement]] = {}
    for facts in runs:
        measurement = of_facts(facts)
        if "aggressor" in facts or measurement is None:
            continue
        if not measurement.tuned:
            samples.setdefault(key_of(facts), []).append(measurement)
    found = (
        reference_of(key, sample, spec.tolerance, spec.references)
        for key, sample in samples.items()
    )
    references = [reference for reference in found if reference is not None]
    if not references:
        return ["no reference was saved: no run was good"]
    paths = save_references(spec.references, references)
    lines = [
        f"{each.key}: {shown(each.value)} {each.unit} ({shown(each.lower)} to "
        f"{shown(each.upper)})"
        for each in references
    ]
    return [*lines, f"written to {', '.join(map(str, paths))}"]


def save_references(folder: Path, references: Iterable[Reference]) -> list[Path]:
    """Save references: each in the place of the one it replaces, else in its own path.

    Whatever else the files hold stays, comments too. Two may save at once.

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
                text = _edited(path, changed).encode()
                replace(path, [text], durable=True, last=True)
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
    table = {k: v for k, v in values.items() if k not in ("key", "path")}
    return {
        name: int(each) if isinstance(each, float) and each.is_integer() else each
        for name, each in table.items()
        if each is not None
    }
