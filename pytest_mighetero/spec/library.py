"""The suites there are: the built-in ones, and those of sites; found, read, merged."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.spec.filled import check_placeholders
from pytest_mighetero.spec.harness_spec import HarnessSpec, whole_harness
from pytest_mighetero.spec.lineage import NO_LINEAGE, Lineage
from pytest_mighetero.spec.names import PATH, check_apart, placed
from pytest_mighetero.spec.suite import EVERY, Suite
from pytest_mighetero.spec.tables import check_whole, read_table
from pytest_mighetero.terms.device_kind import DeviceKind

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SUITES = Path(__file__).parent / "suites"


def load_suite(name: str, base: Path, kinds: Mapping[str, DeviceKind]) -> Suite:
    """Load a built-in suite by name, or a site's own by path.

    Args:
        name: ``v1.0``, ``v6.0``, ``cpu``..., or the path of a TOML file.
        base: the folder that a relative path starts from.
        kinds: of devices, by the name of the source that has them.

    Raises:
        ConfigError: no such suite, or a key or value in it cannot be meant.
    """
    path = _find(name, base)
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
    check_apart(benchmarks, said.groups, path)
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
    first, file_of = said.harness, said.lineage.file_of
    if first is not None:
        first = whole_harness(first, f"{file_of('harness')}: [harness]")
    harnesses = {
        name: whole_harness(each, f"{file_of('harnesses', name)}: [harnesses.{name}]")
        for name, each in said.harnesses.items()
    }
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
        raise ConfigError(f"{path}: this suite extends itself")
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
    return _read(_find(table["extends"], path.parent), kinds, found)


def _find(name: str, base: Path) -> Path:
    if expected := PATH(name):
        raise ConfigError(f"no suite {name!r}: expected {expected}")
    builtin, path = SUITES / f"{name}.toml", base / name
    try:
        if "/" not in name and builtin.is_file():
            return builtin
        path = path.resolve()
        if path.suffix == ".toml" and path.is_file():
            return path
    except (OSError, RuntimeError) as error:  # too long, no permission, links in a ring
        raise ConfigError(f"no suite {name!r}: {error}") from error
    known = nearest(name, (file.stem for file in SUITES.glob("*.toml")))
    raise ConfigError(
        f"no suite {name!r}: {path} is no TOML file, and of the built-in suites: "
        f"{known}"
    )


def _check_members(suite: Suite) -> None:
    """Check that what is said of benchmarks and pairs is said of the suite's own."""
    for place, members in _members(suite):
        for name in members:
            if name not in suite.benchmarks:
                raise ConfigError(
                    f"{suite.place(*place)}: unknown benchmark {name!r}: "
                    f"{nearest(name, suite.benchmarks)}"
                )
    for profile, pairs in suite.profiles.items():
        if extra := pairs - {*suite.pairs()}:
            lost = ", ".join(sorted(map(str, extra)))
            raise ConfigError(
                f"{suite.place('profiles', profile)}: {lost}: not among the scenarios "
                f"of [benchmarks]"
            )


def _members(suite: Suite) -> Iterator[tuple[tuple[str, ...], Iterable[str]]]:
    """Yield every place that names benchmarks, and those."""
    for group, members in suite.groups.items():
        yield ("groups", group), members
    for profile, pairs in suite.profiles.items():
        yield ("profiles", profile), sorted({pair.benchmark for pair in pairs})
    for key in ("targets", "latencies_ms"):
        for profile, versions in getattr(suite, key).items():
            for version, benchmarks in versions.items():
                yield (key, profile, version), benchmarks
