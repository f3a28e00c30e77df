"""The suites there are: the built-in ones, and those of sites; found, read, merged."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.spec.filled import check_placeholders
from pytest_mighetero.spec.harness_spec import HarnessSpec, whole_harness
from pytest_mighetero.spec.lineage import NO_LINEAGE, SUITES, Lineage
from pytest_mighetero.spec.names import PATH, check_apart, placed
from pytest_mighetero.spec.suite import EVERY, Suite
from pytest_mighetero.spec.tables import check_whole, read_table
from pytest_mighetero.terms.device_kind import DeviceKind
from pytest_mighetero.terms.lookup import found

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def load_suite(
    name: str, base: Path, kinds: Mapping[str, DeviceKind], said_by: str = "--mig-suite"
) -> Suite:
    """Load a built-in suite by name, or a site's own by path.

    Args:
        name: ``v1.0``, ``v6.0``, ``cpu``..., or the path of a TOML file.
        base: the folder that a relative path starts from.
        kinds: of devices, by the name of the source that has them.
        said_by: who names it, for messages.

    Raises:
        ConfigError: no such suite, or a key or value in it cannot be meant.
    """
    path = _find(name, base, said_by)
    lineage = _read(path, kinds, NO_LINEAGE)
    said = replace(read_table(Suite, lineage.merged, path), lineage=lineage)
    harness = said.every_harness or None
    found = {"devices": said.devices, "harness": harness, "benchmarks": said.benchmarks}
    for section, value in found.items():
        if value is None:
            raise _lacking(path, section)
    said = _with_harnesses(said)
    benchmarks = {
        name: replace(entry, config_ver=version) if entry.config_ver is None else entry
        for name, entry in sorted(said.benchmarks.items())
        for version in [_harness_of(said, name).config_ver]
    }
    for benchmark, entry in benchmarks.items():
        check_whole(entry, said.place("benchmarks", benchmark))
    names = [("benchmarks", name) for name in benchmarks]
    names += [("groups", name) for name in said.groups]
    added_by, files = lineage.added_by, lineage.files
    names.sort(key=lambda each: -files.index(added_by(*each)))
    check_apart(names, added_by)
    kind = kinds[said.devices]
    suite = replace(said, name=path.stem, kind=kind, benchmarks=benchmarks)
    check_placeholders(suite)
    every = frozenset(suite.pairs())
    profiles = {k: every if v == EVERY else v for k, v in suite.profiles.items()}
    suite = replace(suite, profiles=profiles)
    _check_members(suite)
    return suite


def _lacking(path: Path, section: str) -> ConfigError:
    return ConfigError(
        f"{path}: no {section!r} here nor in a suite it extends; "
        f'start from a built-in one with extends = "v1.0"'
    )


def _with_harnesses(said: Suite) -> Suite:
    """Return the suite with what its harnesses need not say."""
    every = said.every_harness.items()
    tables = {f"harnesses.{k}" if k else "harness": v for k, v in every}
    able = [name for name, spec in tables.items() if spec.command or spec.folder]

    def whole(spec: HarnessSpec, *table: str) -> HarnessSpec:
        name = ".".join(table)

        def at(*keys: str) -> str:
            return f"{said.lineage.file_of(*table, *keys)}: [{name}]"

        if able and name not in able:
            known = nearest(name if len(table) > 1 else "", able)
            raise ConfigError(
                f"{at()}: the suite has no such harness to add to, nor has this the "
                f"command or folder of a new one: {known}"
            )
        return whole_harness(spec, at)

    first = said.harness and whole(said.harness, "harness")
    harnesses = {k: whole(v, "harnesses", k) for k, v in said.harnesses.items()}
    return replace(said, harness=first, harnesses=harnesses)


def _harness_of(suite: Suite, benchmark: str) -> HarnessSpec:
    name = suite.benchmarks[benchmark].harness
    if name in (known := suite.every_harness):
        return known[name]
    if not name:
        raise _lacking(suite.lineage.file_of(), "harness")
    raise ConfigError(
        f"{suite.place('benchmarks', benchmark, 'harness')}: no [harnesses.{name}]: "
        f"{nearest(name, suite.harnesses)}"
    )


def _read(path: Path, kinds: Mapping[str, DeviceKind], seen: Lineage) -> Lineage:
    """Return what a file says, and the files that it extends."""
    if path in seen.files:
        raise ConfigError(f"{seen.files[-1]}: extends: this suite extends itself")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    said = read_table(Suite, table, path)
    if said.devices not in [None, *kinds]:
        raise ConfigError(
            f"{path}: devices: expected one of {', '.join(kinds)}, "
            f"found {said.devices!r}"
        )
    for harness, each in said.every_harness.items():
        where = f"harnesses.{harness}" if harness else "harness"
        own = dict.fromkeys(each.environment, f"{where}.environment")
        if each.server:
            servers = dict.fromkeys(each.server.environment)
            own |= dict.fromkeys(servers, f"{where}.server.environment")
        for name, place in own.items():
            if expected := placed(kinds)(name):
                raise ConfigError(
                    f"{path}: {place}: expected {expected}, found {name!r}"
                )
    found = Lineage((*seen.tables, (path, table)))
    if "extends" not in table:
        return found
    extended = _find(said.extends, path.parent, f"{path}: extends")
    return _read(extended, kinds, found)


def _find(name: str, base: Path, said_by: str) -> Path:
    if not name.strip():
        raise ConfigError(
            f"{said_by}: expected a suite's name or path, found an empty text; write "
            f"one (is a variable of it unset?), or leave it out"
        )
    nothing = f"{said_by}: no suite {name!r}"
    if expected := PATH(name):
        raise ConfigError(f"{nothing}: expected {expected}")
    builtin, path = SUITES / f"{name}.toml", base / name
    try:
        if "/" not in name and builtin.is_file():
            return builtin
        path = path.resolve()
        if path.suffix == ".toml" and found(path) and path.is_file():
            return path
    except RuntimeError as error:  # links in a ring
        raise ConfigError(f"{nothing}: {error}") from error
    except OSError as error:  # too long, no permission
        raise ConfigError(
            f"{nothing}: {path} cannot be read: {error.strerror}"
        ) from error
    known = nearest(name, (file.stem for file in SUITES.glob("*.toml")))
    raise ConfigError(
        f"{nothing}: {path} is no TOML file, and of the built-in suites: {known}"
    )


def _check_members(suite: Suite) -> None:
    """Check that what is said of benchmarks and pairs is said of the suite's own."""
    for name, place in _members(suite):
        if name not in suite.benchmarks:
            raise ConfigError(
                f"{suite.place(*place)}: unknown benchmark {name!r}: "
                f"{nearest(name, suite.benchmarks)}"
            )
    for profile, pairs in suite.profiles.items():
        for lost in sorted(pairs - {*suite.pairs()}, key=str):
            raise ConfigError(
                f"{suite.place('profiles', profile, lost.benchmark)}: {lost}: not "
                f"among the scenarios of [benchmarks]"
            )


def _members(suite: Suite) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every benchmark that is named, and the keys that lead there."""
    for group, members in suite.groups.items():
        yield from ((name, ("groups", group)) for name in members)
    for profile, pairs in suite.profiles.items():
        for name in sorted({pair.benchmark for pair in pairs}):
            yield name, ("profiles", profile, name)
    for key in ("targets", "latencies_ms"):
        for profile, versions in getattr(suite, key).items():
            for version, benchmarks in versions.items():
                for name in benchmarks:
                    yield name, (key, profile, version, name)
