"""What can run: a suite's benchmarks, scenarios, groups and how its harness is called.

Suites are TOML files, whose schema is here, too: each key is a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec import names
from pytest_mighetero.spec.device_names import ANY_PROFILE, FORMS
from pytest_mighetero.spec.options import OPTIONS
from pytest_mighetero.spec.tables import (
    MisfitError,
    Read,
    as_it_is,
    flag,
    key,
    list_of,
    mapping,
    misfit,
    positive,
    table,
    text,
)
from pytest_mighetero.terms.device_kind import DeviceKind
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.scenario import SCENARIOS
from pytest_mighetero.units import parse_duration

STREAMS = tuple(each.name for each in SCENARIOS.values() if each.figure == "latency")

# By profile, config_ver, benchmark and scenario.
Figures = Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]

# Of a profile: what the suite runs at all, whatever another file adds to that.
EVERY = frozenset({Pair("*", "*")})

OF_SCENARIOS = mapping(SCENARIOS, positive)
OF_STREAMS = mapping(STREAMS, positive)


def _memory(value: Any) -> dict[str, float]:
    each = value if isinstance(value, dict) else dict.fromkeys(SCENARIOS, value)
    try:
        return dict(OF_SCENARIOS(each))
    except MisfitError:
        raise misfit("a number over 0, or one for each scenario", value) from None


def _pairs(value: Any) -> frozenset[Pair]:
    if value == "all":
        return EVERY
    try:
        entry = mapping(names.LINE, list_of(SCENARIOS))(value)
    except MisfitError:
        expected = f'"all", or per benchmark a list of {", ".join(SCENARIOS)}'
        raise misfit(expected, value) from None
    return frozenset(Pair(name, each) for name in entry for each in entry[name])


def _figures(read: Read) -> Read:
    return mapping(names.PROFILE, mapping(names.CONFIG_VER, mapping(names.LINE, read)))


def _seconds(value: Any) -> float:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ConfigError:
        raise misfit('a time such as "90s"', value) from None


def _default(value: Any) -> str | bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise misfit('a text such as "90s", or a flag', value)
    return str(text(names.LINES, least=0)(value))


def _pattern(value: Any) -> str:
    try:
        re.compile(value)
    except (TypeError, re.error):
        raise misfit("a regular expression", value) from None
    return str(text(names.LINE, least=0)(value))


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A benchmark of a suite.

    Attributes:
        config_ver: what ``--config_ver=`` says unless ``--config-ver`` is given.
        memory_gb: by scenario the memory in GB (1e9 bytes) that a device must have.
        audits: those the harness judges: ``test01``...
        config_ver_scenarios: by ``--config_ver`` the scenarios that the harness has
            such a configuration of; one that is not named here may have all.
        query_counts: its own min_query_count per scenario, before the suite's.
    """

    scenarios: tuple[str, ...] = key(list_of(SCENARIOS))
    config_ver: str = key(text(names.CONFIG_VER))
    memory_gb: Mapping[str, float] = key(_memory, {})
    audits: tuple[str, ...] = key(list_of(names.AUDITS, least=0), names.AUDITS)
    config_ver_scenarios: Mapping[str, tuple[str, ...]] = key(
        mapping(names.LINE, list_of(SCENARIOS, least=0)), {}
    )
    query_counts: Mapping[str, float] = key(OF_SCENARIOS, {})


@dataclass(frozen=True, kw_only=True)
class HarnessSpec:
    """How a suite's harness is called and what it prints.

    Attributes:
        folder: has the Makefile; ``{package}`` is this package's.
        config_ver: the default of the suite's benchmarks.
        start_markers: texts that end the line printed just before ``StartTest``.
        finish_markers: texts that end the line printed just after it.
        audit_folder: where the audits leave their verdict files; relative to
            ``folder``, or below ``{log_dir}``.
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

    folder: str = key(text(names.PATH))
    config_ver: str = key(text(names.CONFIG_VER))
    actions: tuple[str, ...] = key(list_of(names.ACTIONS))
    start_markers: tuple[str, ...] = key(list_of(rule=names.MARKER))
    finish_markers: tuple[str, ...] = key(list_of(rule=names.MARKER))
    audit_folder: str = key(text(names.audit_folder))
    start_from_device: bool = key(flag, default=True)
    reader: str = key(text(), "loadgen")
    loadgen_log: bool = key(flag, default=True)
    make_variables: Mapping[str, str] = key(
        mapping(names.make_variable, text(names.make_value, hidden=True), hidden=True),
        {},
        shown=False,
    )
    environment: Mapping[str, str] = key(
        mapping(names.ENVIRONMENT, text(names.LINES, hidden=True), hidden=True),
        {},
        shown=False,
    )
    secrets: tuple[str, ...] = key(list_of(rule=names.SECRET), ())
    device_names: tuple[str, ...] = key(list_of(FORMS), ())
    device_profiles: str = key(_pattern, ".*")
    idle_limit: float = key(_seconds, 60.0)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Everything that can run in one MLPerf round, or at one site.

    Attributes:
        extends: another suite's name or file.
        devices: the name of the source that MIG devices come from.
        groups: names for sets of backgrounds.
        profiles: per device profile the pairs known to run on it; a profile that is
            not named here has no such record.
        defaults: options' values for this suite, below ini and command line.
        query_counts: min_query_count per scenario, where RUN_ARGS do not say it.
        targets, latencies_ms: target QPS; expected latency of a stream's query.
        name: the built-in name, or the stem of the site's file.
        kind: what there is to know of its devices.
    """

    extends: str = key(text(names.PATH), "")
    description: str = key(text(names.LINE), "")
    devices: str = key(as_it_is)  # ``library`` knows which there are
    harness: HarnessSpec = key(table(HarnessSpec))
    benchmarks: Mapping[str, Benchmark] = key(
        mapping(names.BENCHMARK, table(Benchmark))
    )
    groups: Mapping[str, tuple[str, ...]] = key(mapping(names.group, list_of()), {})
    profiles: Mapping[str, frozenset[Pair]] = key(mapping(names.PROFILE, _pairs), {})
    defaults: Mapping[str, str | bool] = key(
        mapping([each.name for each in OPTIONS if each.in_suite], _default), {}
    )
    query_counts: Mapping[str, float] = key(OF_SCENARIOS, {})
    targets: Figures = key(_figures(OF_SCENARIOS), {})
    latencies_ms: Figures = key(_figures(OF_STREAMS), {})
    name: str = ""
    kind: DeviceKind = DeviceKind("")

    def pairs(self) -> Iterator[Pair]:
        """Yield every supported pair, benchmarks sorted."""
        for name, benchmark in self.benchmarks.items():
            for scenario in benchmark.scenarios:
                yield Pair(name, scenario)

    def figures(self, pair: Pair, profile: str | None, config_ver: str) -> list[float]:
        """Return what is known of *pair* there; of ``ANY_PROFILE`` all there is.

        Target QPS, or of a stream the expected latency in ms.
        """
        known = self.latencies_ms if pair.scenario in STREAMS else self.targets
        profiles = known if profile == ANY_PROFILE else (profile or "",)
        found = (
            known.get(each, {}).get(config_ver, {}).get(pair.benchmark, {})
            for each in profiles
        )
        return [each[pair.scenario] for each in found if pair.scenario in each]

    def query_count(self, pair: Pair) -> float:
        """Return min_query_count for *pair*; 0 where that is not known."""
        own = self.benchmarks[pair.benchmark].query_counts
        return own.get(pair.scenario) or self.query_counts.get(pair.scenario, 0)

    def has_configuration(self, pair: Pair, config_ver: str) -> bool:
        """Tell whether the harness has one of *pair*, as far as is known."""
        benchmark = self.benchmarks[pair.benchmark]
        known = benchmark.config_ver_scenarios.get(config_ver)
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
