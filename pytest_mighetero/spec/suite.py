"""What can run: a suite's benchmarks, scenarios, groups and how its harness is called.

Suites are TOML files, whose schema is here, too: each key is a field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_mighetero.spec import names
from pytest_mighetero.spec.device_names import ANY_PROFILE
from pytest_mighetero.spec.harness_spec import (
    PLACEHOLDERS,
    HarnessSpec,
    PlaceholderTable,
)
from pytest_mighetero.spec.limits import NO_LIMITS, Limits
from pytest_mighetero.spec.lineage import NO_LINEAGE, Lineage, is_built_in
from pytest_mighetero.spec.options import OPTIONS
from pytest_mighetero.spec.tables import (
    MisfitError,
    Read,
    as_it_is,
    finite,
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


def _default(value: Any) -> str | bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise misfit('a text such as "90s", or a flag', value)
    return str(text(names.LINES, least=0)(value))


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
        harness: the name of the one of ``[harnesses]`` that runs it; "" for
            ``[harness]``.
        values: its own placeholders for that: texts, or lists of words.
        rates: target QPS per scenario, where nothing nearer to the device says one.
        limits: per scenario what it may come to.
    """

    scenarios: tuple[str, ...] = key(list_of(SCENARIOS))
    config_ver: str = key(text(names.config_ver, least=0))
    memory_gb: Mapping[str, float] = key(_memory, {})
    audits: tuple[str, ...] = key(list_of(names.AUDITS, least=0), names.AUDITS)
    config_ver_scenarios: Mapping[str, tuple[str, ...]] = key(
        mapping(names.LINE, list_of(SCENARIOS, least=0)), {}
    )
    query_counts: Mapping[str, float] = key(OF_SCENARIOS, {})
    harness: str = key(text(names.LINE), "")
    values: PlaceholderTable = key(PLACEHOLDERS, {})
    rates: Mapping[str, float] = key(mapping(SCENARIOS, finite), {})
    limits: Mapping[str, Limits] = key(mapping(SCENARIOS, table(Limits)), {})

    def limits_in(self, scenario: str) -> Limits:
        """Return what it may come to there."""
        return self.limits.get(scenario, NO_LIMITS)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Everything that can run in one MLPerf round, or at one site.

    Attributes:
        extends: another suite's name or file.
        devices: the name of the source that MIG devices come from.
        harness: what runs the benchmarks that name none; None where all name one.
        harnesses: further ones, by the name that a benchmark says.
        groups: names for sets of backgrounds.
        profiles: per device profile the pairs known to run on it; a profile that is
            not named here has no such record.
        defaults: options' values for this suite, below ini and command line.
        query_counts: min_query_count per scenario, where RUN_ARGS do not say it.
        targets, latencies_ms: target QPS; expected latency of a stream's query.
        name: the built-in name, or the stem of the site's file.
        kind: what there is to know of its devices.
        lineage: the files that it was read from, for messages.
    """

    extends: str = key(text(names.PATH), "")
    description: str = key(text(names.LINE), "")
    devices: str = key(as_it_is)  # ``library`` knows which there are
    harness: HarnessSpec | None = key(table(HarnessSpec), None)
    harnesses: Mapping[str, HarnessSpec] = key(
        mapping(names.BENCHMARK, table(HarnessSpec)), {}
    )
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
    lineage: Lineage = NO_LINEAGE

    @property
    def file(self) -> Path:
        """The file that has its name."""
        return self.lineage.file_of()

    def place(self, *keys: str) -> str:
        """Return where the value at *keys* is said, for messages."""
        file = self.lineage.file_of(*keys)
        where = f"suite {file.stem}" if is_built_in(file) else file
        return f"{where}: {'.'.join(keys)}"

    def place_of_harness(self, name: str, *keys: str) -> str:
        """Return where what the harness of that name has at *keys* is said.

        "" is ``[harness]``.
        """
        return self.place(*(("harnesses", name) if name else ("harness",)), *keys)

    def pairs(self) -> Iterator[Pair]:
        """Yield every supported pair, benchmarks sorted."""
        for name, benchmark in self.benchmarks.items():
            for scenario in benchmark.scenarios:
                yield Pair(name, scenario)

    def without_counts(self, pair: Pair) -> Suite:
        """Return the suite without limits on how much *pair* does, and how long."""
        entry = self.benchmarks[pair.benchmark]
        limits = replace(entry.limits_in(pair.scenario), seconds=None, requests=None)
        entry = replace(entry, limits={**entry.limits, pair.scenario: limits})
        return replace(self, benchmarks={**self.benchmarks, pair.benchmark: entry})

    def harness_of(self, benchmark: str) -> HarnessSpec:
        """Return what runs *benchmark*."""
        name = self.benchmarks[benchmark].harness
        return self.every_harness[name]

    def values_of(self, pair: Pair) -> dict[str, str | tuple[str, ...]]:
        """Return what the placeholders are that only its suite knows of *pair*."""
        both = {
            **self.harness_of(pair.benchmark).values,
            **self.benchmarks[pair.benchmark].values,
        }
        said = pair.scenario
        return {name: each[said] for name, each in both.items() if said in each}

    @property
    def every_harness(self) -> dict[str, HarnessSpec]:
        """Every harness by its name; "" is that of ``[harness]``."""
        first = {} if self.harness is None else {"": self.harness}
        return {**first, **self.harnesses}

    @property
    def environment(self) -> list[str]:
        """The variables that every one of its harnesses gets from it."""
        each = [{*spec.environment} for spec in self.every_harness.values()]
        return sorted(set.intersection(*each))

    @property
    def marked_secret(self) -> list[str]:
        """What its harnesses say is secret."""
        return [name for each in self.every_harness.values() for name in each.secrets]

    def figures(self, pair: Pair, profile: str | None, config_ver: str) -> list[float]:
        """Return what is known of *pair* there; of ``ANY_PROFILE`` all there is.

        Target QPS, or of a stream the expected latency in ms. Those of a harness
        without ``--config_ver`` stand under ``default``.
        """
        known = self.latencies_ms if pair.scenario in STREAMS else self.targets
        profiles = known if profile == ANY_PROFILE else (profile or "",)
        found = (
            known.get(each, {}).get(config_ver or "default", {}).get(pair.benchmark, {})
            for each in profiles
        )
        said = [each[pair.scenario] for each in found if pair.scenario in each]
        if said or pair.scenario in STREAMS:
            return said
        own = self.benchmarks[pair.benchmark].rates.get(pair.scenario)
        return [] if own is None else [own]

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
