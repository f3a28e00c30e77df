"""What can run: a suite's benchmarks, scenarios, groups and how its harness is called.

Suites are TOML files: the built-in ones beside this module in ``suites/``, or a
site's own, which may extend one of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.spec.names import check_apart, check_names, path_rule
from pytest_mighetero.spec.schema import AUDITS, check_table, suite_schema
from pytest_mighetero.terms.device_kind import DeviceKind
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.units import parse_duration

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SUITES = Path(__file__).parent / "suites"

# Of a device that somebody listed: it could be of any profile that a suite knows.
ANY_PROFILE = "*"

# By profile, config_ver, benchmark and scenario.
Figures = Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of a suite.

    Attributes:
        name: as ``--benchmarks=`` takes it, for example ``3d-unet``.
        scenarios: the scenarios the suite runs it in, in LoadGen's order.
        config_ver: what ``--config_ver=`` says unless ``--config-ver`` is given.
        memory_gb: by scenario the memory in GB (1e9 bytes) that a device must have.
        audits: those the harness judges: ``test01``...
        configured: by ``--config_ver`` the scenarios that the harness has such a
            configuration of; one that is not named here may have all.
        query_counts: its own min_query_count per scenario, before the suite's.
    """

    name: str
    scenarios: tuple[str, ...]
    config_ver: str
    memory_gb: Mapping[str, float]
    audits: tuple[str, ...]
    configured: Mapping[str, tuple[str, ...]]
    query_counts: Mapping[str, float]


@dataclass(frozen=True)
class HarnessSpec:
    """How a suite's harness is called and what it prints.

    Attributes:
        folder: the folder with the Makefile; ``{package}`` is this package's.
        config_ver: the default of the suite's benchmarks.
        actions: the make targets the harness has.
        start_markers: texts that end the line printed just before ``StartTest``.
        finish_markers: texts that end the line printed just after it.
        audit_folder: where the audits leave their verdict files; relative to
            ``folder``, or below ``{log_dir}``.
        start_from_device: whether the harness knows ``--start_from_device``.
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

    folder: str
    config_ver: str
    actions: tuple[str, ...]
    start_markers: tuple[str, ...]
    finish_markers: tuple[str, ...]
    audit_folder: str
    start_from_device: bool = True
    reader: str = "loadgen"
    loadgen_log: bool = True
    make_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = ()
    device_names: tuple[str, ...] = ()
    device_profiles: str = ".*"
    idle_limit: float = 60.0


@dataclass(frozen=True)
class Suite:
    """Everything that can run in one MLPerf round, or at one site.

    Attributes:
        name: the built-in name, or the stem of the site's file.
        devices: the name of the source that MIG devices come from.
        kind: what there is to know of them.
        benchmarks: by name, sorted.
        groups: names for sets of backgrounds.
        profiles: per device profile the pairs known to run on it; a profile that is
            not named here has no such record.
        defaults: options' values for this suite, below ini and command line.
        query_counts: LoadGen's min_query_count per scenario.
        targets: target QPS by profile, config_ver, benchmark and scenario.
        latencies_ms: expected latency of a query of SingleStream and MultiStream,
            likewise.
    """

    name: str
    description: str
    devices: str
    kind: DeviceKind
    harness: HarnessSpec
    benchmarks: Mapping[str, Benchmark]
    groups: Mapping[str, tuple[str, ...]]
    profiles: Mapping[str, frozenset[Pair]]
    defaults: Mapping[str, str | bool]
    query_counts: Mapping[str, float]
    targets: Figures
    latencies_ms: Figures

    def pairs(self) -> Iterator[Pair]:
        """Yield every supported pair, benchmarks sorted."""
        for benchmark in self.benchmarks.values():
            for scenario in benchmark.scenarios:
                yield Pair(benchmark.name, scenario)

    def target_qps(
        self, pair: Pair, profile: str | None, config_ver: str
    ) -> float | None:
        """Return the target QPS known for *pair* there, or None."""
        found = figures_of(self.targets, pair, profile, config_ver)
        return found[0] if found else None

    def query_count(self, pair: Pair) -> float:
        """Return LoadGen's min_query_count for *pair*; 0 where that is not known."""
        own = self.benchmarks[pair.benchmark].query_counts
        return own.get(pair.scenario) or self.query_counts.get(pair.scenario, 0)

    def has_configuration(self, pair: Pair, config_ver: str) -> bool:
        """Tell whether the harness has one of *pair*, as far as is known."""
        known = self.benchmarks[pair.benchmark].configured.get(config_ver)
        return known is None or pair.scenario in known

    def misfit(
        self, pair: Pair, profile: str | None, memory_bytes: int | None = None
    ) -> str | None:
        """Say why *pair* may not run on a device, or None.

        What is not known of the device keeps nobody from it.
        """
        published = self.profiles.get(profile or "")
        if published is not None and pair not in published:
            return f"suite {self.name} does not run {pair} on {profile}"
        needed = self.benchmarks[pair.benchmark].memory_gb.get(pair.scenario, 0)
        if memory_bytes is not None and memory_bytes < needed * 1e9:
            return (
                f"suite {self.name} runs {pair} on {needed:g} GB and more, and "
                f"{profile} has {memory_bytes / 1e9:.1f} GB"
            )
        return None


def figures_of(
    figures: Figures, pair: Pair, profile: str | None, config_ver: str
) -> list[float]:
    """Return the figure of *pair* there, if it is known; of any profile all of them."""
    profiles = figures if profile == ANY_PROFILE else (profile or "",)
    found = (
        figures.get(each, {}).get(config_ver, {}).get(pair.benchmark, {})
        for each in profiles
    )
    return [each[pair.scenario] for each in found if pair.scenario in each]


def load_suite(
    name: str,
    options: frozenset[str],
    base: Path,
    kinds: Mapping[str, DeviceKind],
) -> Suite:
    """Load a built-in suite by name, or a site's own by path.

    Args:
        name: ``v1.0``, ``v1.1``, ``v2.0``, ``cpu``, or the path of a TOML file.
        options: the option names that ``[defaults]`` may hold.
        base: the folder that a relative path starts from.
        kinds: of devices, by the name of the source that has them.

    Raises:
        ConfigError: no such suite, or a key or value in it cannot be meant.
    """

    def read(name: str, base: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
        path = _find(name, base)
        if path in seen:
            raise ConfigError(f"{path}: this suite extends itself")
        table = _parse(path)
        check_table(table, suite_schema(options, kinds), path)
        check_names(table, path, [kind.variable for kind in kinds.values()])
        if "extends" not in table:
            return table
        parent = read(table.pop("extends"), path.parent, (*seen, path))
        return _merge(parent, table)

    return _build(read(name, base, ()), _find(name, base), kinds)


def _find(name: str, base: Path) -> Path:
    if expected := path_rule(name):
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


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _merge(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    merged = dict(parent)
    for key, value in child.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _build(table: dict[str, Any], path: Path, kinds: Mapping[str, DeviceKind]) -> Suite:
    for section in ("devices", "harness", "benchmarks"):
        if section not in table:
            raise ConfigError(
                f"{path}: no {section!r} here nor in a suite it extends; "
                f'start from a built-in one with extends = "v1.0"'
            )
    harness = _harness(table["harness"], path)
    benchmarks = {}
    for name, entry in sorted(table["benchmarks"].items()):
        if "scenarios" not in entry:
            raise ConfigError(f"{path}: benchmarks.{name} lacks scenarios")
        benchmarks[name] = _benchmark(name, entry, harness)
    groups = _tuples(table.get("groups", {}))
    check_apart(benchmarks, groups, path)
    for group, members in groups.items():
        _known(members, benchmarks, f"{path}: groups.{group}")
    suite = Suite(
        name=path.stem,
        description=table.get("description", ""),
        devices=table["devices"],
        kind=kinds[table["devices"]],
        harness=harness,
        benchmarks=benchmarks,
        groups=groups,
        profiles={},
        defaults=table.get("defaults", {}),
        query_counts=table.get("query_counts", {}),
        targets=table.get("targets", {}),
        latencies_ms=table.get("latencies_ms", {}),
    )
    for key in ("targets", "latencies_ms"):
        for profile, versions in table.get(key, {}).items():
            for version, names in versions.items():
                _known(names, benchmarks, f"{path}: {key}.{profile}.{version}")
    profiles = {
        profile: _profile(suite, entry, f"{path}: profiles.{profile}")
        for profile, entry in table.get("profiles", {}).items()
    }
    return Suite(**{**vars(suite), "profiles": profiles})


def _benchmark(name: str, entry: Mapping[str, Any], harness: HarnessSpec) -> Benchmark:
    scenarios, memory_gb = tuple(entry["scenarios"]), entry.get("memory_gb", {})
    if not isinstance(memory_gb, dict):
        memory_gb = dict.fromkeys(scenarios, memory_gb)
    return Benchmark(
        name,
        scenarios,
        config_ver=entry.get("config_ver", harness.config_ver),
        memory_gb=memory_gb,
        audits=tuple(entry.get("audits", AUDITS)),
        configured=_tuples(entry.get("config_ver_scenarios", {})),
        query_counts=entry.get("query_counts", {}),
    )


def _harness(table: Mapping[str, Any], path: Path) -> HarnessSpec:
    spec = _tuples(table)
    if "idle_limit" in spec:
        spec["idle_limit"] = parse_duration(spec["idle_limit"])
    try:
        return HarnessSpec(**spec)
    except TypeError as error:
        missing = str(error).partition("argument")[2].strip(" s:")
        raise ConfigError(f"{path}: [harness] lacks {missing}") from error


def _profile(suite: Suite, entry: Any, where: str) -> frozenset[Pair]:
    supported = frozenset(suite.pairs())
    if entry == "all":
        return supported
    _known(entry, suite.benchmarks, where)
    pairs = frozenset(Pair(name, each) for name in entry for each in entry[name])
    if extra := pairs - supported:
        raise ConfigError(
            f"{where}: {', '.join(sorted(map(str, extra)))}: not among the "
            f"scenarios of [benchmarks]"
        )
    return pairs


def _known(names: Any, benchmarks: Mapping[str, Any], where: str) -> None:
    for name in names:
        if name not in benchmarks:
            raise ConfigError(
                f"{where}: unknown benchmark {name!r}: {nearest(name, benchmarks)}"
            )


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in table.items()
    }
