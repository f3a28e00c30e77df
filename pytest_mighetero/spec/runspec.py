"""What one pytest run is told to do: every value checked once, in this place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec import folders, parsers
from pytest_mighetero.spec.aggressors import with_matrix
from pytest_mighetero.spec.checks import check_together
from pytest_mighetero.spec.hidden import secrets_in
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.markers import NEEDS
from pytest_mighetero.spec.offer import asked_pairs
from pytest_mighetero.spec.options import OPTIONS
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.spec.values import Given, Values
from pytest_mighetero.terms.device_kind import DeviceKind
from pytest_mighetero.terms.make import check_path
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.secret import Secrets


@dataclass(frozen=True)
class RunSpec:
    """Everything a run needs to know; durations are seconds, percentages fractions.

    A field that is not told of here is what the option says that fills it
    (``options``).

    Attributes:
        pairs: the pairs to measure, in order.
        asked: the benchmarks that were named one by one.
        backgrounds: benchmark names, ``all``, ``none`` or a group's name.
        config_ver: explicit ``--config_ver``, or None for the suite's.
        isolated: whether tests that are marked isolated run, too; a search and a
            matrix run both.
        aggressors: what each of the pairs is measured beside in turn; empty for no
            interference matrix.
        aggressor: of one cell of the matrix, what is on the other devices.
        harness_dirs: the Makefiles' folders, by the harness's name in the suite.
        cwd: the folder that relative paths of the suite start from.
        history_dir: where earlier runs are looked for: the results folder, or what a
            worker that does not see that has of it.
        secrets: what is not printed.
        notes: what was probably not meant.
        said_by: who says each option's value, by its name, for messages.
    """

    suite: Suite
    harness_dirs: Mapping[str, Path]
    cwd: Path
    results_dir: Path
    history_dir: Path
    secrets: Secrets
    notes: tuple[str, ...]
    said_by: Mapping[str, str] = field(repr=False)

    # Main, and how often it runs.
    pairs: tuple[Pair, ...]
    asked: frozenset[str]
    action: str
    main_duration: float
    main_runargs: RunArgs = field(repr=False)
    main_cmd_prefix: tuple[str, ...] = field(repr=False)
    immediate_start: bool
    isolated: bool
    repeat: int
    target_backoff: float | None
    target_backoffs: int
    tune: bool
    tune_resolution: float

    # What runs beside it, and what they have in common.
    backgrounds: tuple[str, ...]
    background_scenario: str
    background_duration: Literal["planned", "automatic"] | float
    background_timeout: float
    background_scope: str
    start_time_buffer: float
    settle_time: float
    end_time_buffer_min: float
    overlap_retries: int
    lenient: bool
    config_ver: str | None
    start_from_device: bool
    verbose_all: bool
    stop_grace: float
    heartbeat: float

    # Where: devices and their leases.
    devices: tuple[str, ...]
    gpu: str | None
    main_profile: str | None
    rotate: int
    lease_dir: Path
    lease_timeout: float
    telemetry: bool

    # What is written of them, besides records.
    report: Path | None

    # Workers that Slurm has a place for.
    slurm: tuple[str, ...] | None
    slurm_packed: int
    slurm_timeout: float

    # What results are compared with.
    references: Path
    save_reference: bool
    tolerance: float
    compare: Path | Literal["last"] | None
    background_tolerance: float | None

    # The interference matrix.
    aggressor_count: int | None
    max_slowdown: float | None
    resume: bool

    # Instead of runs.
    dryrun: bool
    listing: bool

    aggressors: tuple[Pair, ...] = ()
    aggressor: Pair | None = None

    # What one test needs, beyond what all do.
    model: str = ""

    def backgrounds_of(self, main: str) -> tuple[str, ...]:
        """Return the benchmarks that run beside *main*, in launch order.

        ``all`` leaves main's own benchmark out; a group or a list is taken as it is.
        """
        if self.backgrounds == ("all",):
            return tuple(name for name in self.suite.benchmarks if name != main)
        if self.backgrounds == ("none",):
            return ()
        if self.backgrounds[0] in self.suite.groups:
            return self.suite.groups[self.backgrounds[0]]
        return self.backgrounds

    @property
    def backgrounds_named(self) -> bool:
        """Whether the backgrounds were named one by one."""
        return self.backgrounds[0] not in {"all", "none", *self.suite.groups}

    @property
    def keeps_backgrounds(self) -> bool:
        """Whether one set of backgrounds serves several mains, one after another."""
        return self.background_scope == "session" or self.tune

    def beside(self, benchmark: str) -> Pair:
        """Return what *benchmark* runs as a background: of one scenario, that."""
        scenarios = self.suite.benchmarks[benchmark].scenarios
        alone = len(scenarios) == 1 and not self.suite.harness_of(benchmark).makes
        return Pair(benchmark, scenarios[0] if alone else self.background_scenario)

    def against(self, aggressor: Pair | None) -> RunSpec:
        """Return the settings of a cell: *aggressor* alone is beside main."""
        if aggressor is None:
            return self
        names = (aggressor.benchmark,)
        return replace(self, backgrounds=names, aggressor=aggressor)

    def needing(self, gpu: str, profile: str | None) -> RunSpec:
        """Return the settings of a test that needs a GPU, or a profile, of its own."""
        said_by = {**self.said_by, "main-profile": f"@pytest.mark.{NEEDS}"}
        told = replace(self, main_profile=profile, said_by=said_by) if profile else self
        return replace(told, model=gpu)

    def kept(self, folder: Path) -> Path:
        """Return where the *folder* of an earlier run is kept."""
        return self.results_dir / folder.name

    @property
    def harness_dir(self) -> Path:
        """Return the first Makefile's folder; where there is none, the present one."""
        return next(iter(self.harness_dirs.values()), self.cwd)

    def harness_dir_of(self, benchmark: str) -> Path | None:
        """Return the folder of the Makefile that runs *benchmark*; None without one."""
        return self.harness_dirs.get(self.suite.benchmarks[benchmark].harness)

    def config_ver_of(self, benchmark: str) -> str:
        """Return ``--config_ver`` for *benchmark*."""
        return self.config_ver or self.suite.benchmarks[benchmark].config_ver


def build_spec(
    given: Given, cwd: Path, rootdir: Path, kinds: Mapping[str, DeviceKind]
) -> RunSpec:
    """Check everything that was said and return it as one value.

    Args:
        given: what command line and ini file say.
        cwd: the folder that relative paths of the suite start from.
        rootdir: the folder that those of its options' defaults start from.
        kinds: of devices, by the name of the source that has them.

    Raises:
        ConfigError: a value cannot be meant; the message names who said it, what was
            expected and what was found.
    """
    name = Values(given, cwd).value("mig-suite")
    suite = load_suite(str(name.raw), name.base, kinds, name.said_by)
    values = Values(given, rootdir, suite)
    plain = {each.field: values.of(each.name) for each in OPTIONS if each.kind.parse}
    plain["isolated"] |= plain["tune"]
    _check_backoffs(values)
    named: tuple[str, ...] = ()
    if values.value("main-benchmark").raw:
        named = values.parsed("main-benchmark", parsers.names_of(suite.benchmarks))
    actions = [a for each in suite.every_harness.values() for a in each.actions]
    action = values.parsed("main-action", parsers.one_of([*dict.fromkeys(actions)]))
    backgrounds = parsers.backgrounds_of(suite.benchmarks, suite.groups)
    harness_dirs = folders.harness_dirs(values, suite, cwd)
    results = values.path("results-dir", check_path)
    spec = RunSpec(
        **plain,
        suite=suite,
        harness_dirs=harness_dirs,
        cwd=cwd,
        results_dir=results,
        history_dir=results,
        pairs=asked_pairs(suite, values, named, action),
        asked=frozenset(named),
        action=action,
        backgrounds=values.parsed("background-benchmarks", backgrounds),
        lease_dir=values.path_as_called("mig-lease-dir"),
        references=folders.references(values),
        compare=folders.compared(values),
        report=values.path("mig-report") if values.value("mig-report").raw else None,
        secrets=secrets_in(suite, plain, (*harness_dirs.values(), results)),
        notes=values.notes(),
        said_by={each.name: values.value(each.name).said_by for each in OPTIONS},
    )
    spec = with_matrix(spec, values)
    check_together(spec)
    return spec


def _check_backoffs(values: Values) -> None:
    said = values.value("target-qps-backoffs")
    if said.explicit and not values.value("target-qps-backoff").raw:
        raise ConfigError(
            f"{said.said_by}: by how much is the target to change? Say "
            f"--target-qps-backoff=7%, too"
        )
