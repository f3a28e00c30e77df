"""What one pytest run is told to do: every value checked once, in this place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec import values as parsing
from pytest_mighetero.spec.checks import check_together
from pytest_mighetero.spec.names import check_option, path_rule
from pytest_mighetero.spec.offer import Wanted, offered
from pytest_mighetero.spec.options import BY_KEY, SUITE_DEFAULTS, Option
from pytest_mighetero.spec.schema import ACTIONS
from pytest_mighetero.spec.suite import Suite, load_suite
from pytest_mighetero.terms.device_kind import DeviceKind
from pytest_mighetero.terms.make import check_path
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import SCENARIOS, is_bounded
from pytest_mighetero.terms.secret import Secrets, marked_as, secrets_of
from pytest_mighetero.units import in_milliseconds, parse_duration

SCOPES = ("test", "session")

T = TypeVar("T")


@dataclass(frozen=True)
class Value:
    """A raw value and who said it.

    Attributes:
        raw: the text, True/False for a flag, or None when nobody says anything.
        said_by: for messages: ``--main-scenario``, ``main_scenario in pytest.ini``...
        base: the folder that a relative path in it starts from.
        explicit: said on the command line or in the ini file.
    """

    raw: str | bool | None
    said_by: str
    base: Path
    explicit: bool


# Says what the command line or the ini file has for an option's key, if anything.
Given = Callable[[str], "Value | None"]


@dataclass(frozen=True)
class RunSpec:
    """Everything a run needs to know; durations are seconds.

    Attributes:
        suite: the suite in use.
        harness_dir: the ``closed/<org>`` folder.
        pairs: the pairs to measure, in order.
        asked: the benchmarks that were named one by one.
        action: make target of main.
        backgrounds: benchmark names, ``all``, ``none`` or a group's name.
        background_duration: ``planned``, ``automatic``, or seconds.
        background_scope: ``test`` or ``session``: what a set of backgrounds serves.
        target_backoff: by which fraction a target is changed when main is INVALID,
            or None.
        target_backoffs: how many times.
        config_ver: explicit ``--config_ver``, or None for the suite's.
        devices: listed MIG UUIDs, or empty.
        gpu: index, UUID or PCI bus id, or None.
        main_profile: of main's MIG device, or None where all have the same.
        rotate: by how many places the placement is turned.
        lease_dir: the folder of the leases.
        lease_timeout: the longest wait for one.
        telemetry: whether to ask NVML while main runs.
        listing: whether to list what there is and run nothing.
        isolated: whether tests that are marked isolated run, too; a search runs both.
        repeat: how many times each test runs.
        tune: whether the highest VALID target QPS is searched.
        tune_resolution: a fraction of the target.
        references: the folder of the references.
        compare: ``last``, a path, or None.
        save_reference: whether to write references.
        tolerance: a fraction of what a run is compared with.
        background_tolerance: how much worse a background may be than its history, a
            fraction; None for any.
        stop_grace: from SIGTERM to SIGKILL, when a harness is stopped.
        verbose_all: whether every harness is told to say more.
        secrets: what is not printed.
        notes: what was probably not meant.
    """

    suite: Suite
    harness_dir: Path
    pairs: tuple[Pair, ...]
    asked: frozenset[str]
    action: str
    main_duration: float
    main_runargs: RunArgs = field(repr=False)
    main_cmd_prefix: tuple[str, ...] = field(repr=False)
    immediate_start: bool
    backgrounds: tuple[str, ...]
    background_scenario: str
    background_duration: Literal["planned", "automatic"] | float
    background_timeout: float
    background_scope: str
    target_backoff: float | None
    target_backoffs: int
    start_time_buffer: float
    settle_time: float
    end_time_buffer_min: float
    start_from_device: bool
    config_ver: str | None
    lenient: bool
    overlap_retries: int
    dryrun: bool
    results_dir: Path
    devices: tuple[str, ...]
    gpu: str | None
    main_profile: str | None
    rotate: int
    lease_dir: Path
    lease_timeout: float
    telemetry: bool
    listing: bool
    isolated: bool
    repeat: int
    tune: bool
    tune_resolution: float
    references: Path
    compare: Path | Literal["last"] | None
    save_reference: bool
    tolerance: float
    background_tolerance: float | None
    stop_grace: float
    verbose_all: bool
    secrets: Secrets
    notes: tuple[str, ...]

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

    def config_ver_of(self, benchmark: str) -> str:
        """Return ``--config_ver`` for *benchmark*."""
        return self.config_ver or self.suite.benchmarks[benchmark].config_ver


class _Values:
    """The value of each option: command line, else ini, else suite, else default."""

    def __init__(self, given: Given, base: Path, suite: Suite | None = None):
        self._given, self._base = given, base
        self._suite = suite.defaults if suite is not None else {}
        self._of_suite = f"[defaults] of suite {suite.name}" if suite else ""
        marked = suite.harness.secrets if suite is not None else ()
        self._secrets = marked_as(marked)

    def value(self, name: str) -> Value:
        key = name.replace("-", "_")
        if (value := self._given(key)) is not None:
            return value
        said_by = f"the default of --{name}"
        if name in self._suite:
            said_by = f"{name} in {self._of_suite}"
        raw = self._suite.get(name, BY_KEY[key].default)
        return Value(raw, said_by, self._base, explicit=False)

    def parsed(self, name: str, parse: Callable[[str], T]) -> T:
        value = self.value(name)
        try:
            check_option(str(value.raw))
            return parse(str(value.raw).strip())
        except ConfigError as error:
            text = self._secrets.mask(str(error))
            raise ConfigError(f"{value.said_by}: {text}") from None

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Return None also for an empty text, which takes an ini value back."""
        return self.parsed(name, parse) if self.value(name).raw else None

    def short(self, option: Option) -> str | None:
        """Say that a time is in milliseconds, where seconds were probably meant."""
        value = self.value(option.name)
        if option.metavar != "TIME" or not in_milliseconds(str(value.raw)):
            return None
        raw = str(value.raw).strip()
        return f"{value.said_by}: {raw} is {raw} milliseconds; write {raw}s for seconds"

    def path(self, name: str) -> Path | None:
        """Return the path with no link in it."""
        path, said_by = self.path_as_called(name), self.value(name).said_by
        try:
            path = path and path.resolve()
            if path is not None:
                path.exists()
        except (OSError, RuntimeError) as error:  # a ring, or too long
            raise ConfigError(f"{said_by}: {error}") from None
        return path

    def path_as_called(self, name: str) -> Path | None:
        """Return the path: whether a link in it is to be followed is still open."""
        value = self.value(name)
        if value.raw is None:
            return None
        if expected := path_rule(str(value.raw)):
            raise ConfigError(
                f"{value.said_by}: expected {expected}, found {value.raw!r}"
            )
        return (value.base / str(value.raw)).absolute()


def build_spec(
    given: Given, cwd: Path, rootdir: Path, kinds: Mapping[str, DeviceKind]
) -> RunSpec:
    """Check everything that was said and return it as one value.

    Args:
        given: what command line and ini file say.
        cwd: the folder pytest was started in; the harness folder's default.
        rootdir: pytest's rootdir; the results folder's default is below it.
        kinds: of devices, by the name of the source that has them.

    Raises:
        ConfigError: a value cannot be meant; the message names who said it, what was
            expected and what was found.
    """
    name = _Values(given, cwd).value("mig-suite")
    suite = load_suite(str(name.raw), SUITE_DEFAULTS, name.base, kinds)
    values = _Values(given, rootdir, suite)
    parsed, optional = values.parsed, values.optional
    backgrounds = parsing.backgrounds_of(suite.benchmarks, suite.groups)
    tune = parsed("mig-tune", parsing.flag)
    harness_dir, results_dir = _harness_dir(values, suite, cwd), _results_dir(values)
    config = RunSpec(
        suite=suite,
        harness_dir=harness_dir,
        pairs=_pairs(values, suite),
        asked=frozenset(optional("main-benchmark", _benchmarks(suite)) or ()),
        action=parsed("main-action", parsing.one_of(suite.harness.actions)),
        main_duration=parsed("main-benchmark-duration", parsing.positive_duration),
        main_runargs=parsed("main-benchmark-runargs", parsing.run_args),
        main_cmd_prefix=parsed("main-benchmark-cmd-prefix", parsing.words),
        immediate_start=parsed("main-benchmark-immediate-start", parsing.flag),
        backgrounds=parsed("background-benchmarks", backgrounds),
        background_scenario=parsed("background-scenario", parsing.one_of(SCENARIOS)),
        background_duration=parsed(
            "background-benchmark-duration", parsing.background_duration
        ),
        background_timeout=parsed(
            "background-benchmark-timeout", parsing.positive_duration
        ),
        background_scope=parsed("background-scope", parsing.one_of(SCOPES)),
        target_backoff=optional("target-qps-backoff", parsing.percent),
        target_backoffs=_backoffs(values),
        start_time_buffer=parsed("start-time-buffer", parsing.positive_duration),
        settle_time=parsed("settle-time", parse_duration),
        end_time_buffer_min=parsed("end-time-buffer-min", parse_duration),
        start_from_device=parsed("start-from-device", parsing.flag),
        config_ver=optional("config-ver", parsing.config_ver),
        lenient=parsed("lenient", parsing.flag),
        overlap_retries=parsed("overlap-retries", parsing.count),
        dryrun=parsed("dryrun", parsing.flag),
        results_dir=results_dir,
        devices=optional("mig-devices", parsing.mig_uuids) or (),
        gpu=optional("mig-gpu", str.strip),
        main_profile=optional("main-profile", parsing.profile),
        rotate=parsed("mig-rotate", parsing.count),
        lease_dir=_lease_dir(values),
        lease_timeout=parsed("mig-lease-timeout", parse_duration),
        telemetry=parsed("mig-telemetry", parsing.flag),
        listing=parsed("mig-list", parsing.flag),
        isolated=parsed("mig-isolated", parsing.flag) or tune,
        repeat=parsed("mig-repeat", parsing.times),
        tune=tune,
        tune_resolution=parsed("mig-tune-resolution", parsing.percent),
        references=_path(values, "mig-references"),
        compare=_compared(values),
        save_reference=parsed("mig-save-reference", parsing.flag),
        tolerance=parsed("mig-tolerance", parsing.percent),
        background_tolerance=optional("mig-background-tolerance", parsing.percent),
        stop_grace=parsed("mig-stop-grace", parse_duration),
        verbose_all=parsed("verbose-all", parsing.flag),
        secrets=_secrets(values, suite, harness_dir, results_dir),
        notes=tuple(filter(None, map(values.short, BY_KEY.values()))),
    )
    check_together(config)
    return config


def _benchmarks(suite: Suite) -> Callable[[str], tuple[str, ...]]:
    return parsing.names_of(suite.benchmarks)


def _pairs(values: _Values, suite: Suite) -> tuple[Pair, ...]:
    """Return the supported pairs among those asked for.

    A pair whose benchmark and scenario were both named must be supported; where only
    one of them was, the unsupported ones are not meant.
    """
    every = values.value("main-scenario").raw == "all"
    tune = values.parsed("mig-tune", parsing.flag)
    benchmarks = values.optional("main-benchmark", _benchmarks(suite))
    scenarios = SCENARIOS if every else values.parsed("main-scenario", _scenario_names)
    supported = tuple(suite.pairs())
    wanted = [
        Pair(name, scenario)
        for name in benchmarks or tuple(suite.benchmarks)
        for scenario in scenarios
    ]
    missing = [str(pair) for pair in wanted if pair not in supported]
    pairs = tuple(dict.fromkeys(pair for pair in wanted if pair in supported))
    scenarios_named = values.value("main-scenario").explicit and not every
    if missing and ((benchmarks and scenarios_named) or not pairs):
        raise ConfigError(
            f"--main-benchmark, --main-scenario: suite {suite.name} does not run "
            f"{', '.join(missing)}; supported: {', '.join(map(str, supported))}"
        )
    wanted_pairs = Wanted(
        pairs,
        action=values.parsed("main-action", parsing.one_of(suite.harness.actions)),
        config_ver=values.optional("config-ver", parsing.config_ver),
        benchmarks_named=bool(benchmarks),
        scenarios_named=scenarios_named,
    )
    pairs = offered(suite, wanted_pairs)
    if tune and not (pairs := tuple(p for p in pairs if is_bounded(p.scenario))):
        raise ConfigError(
            "--mig-tune: Server alone has a target QPS to search, and none of the "
            "selected pairs is a Server pair; see --main-benchmark, --main-scenario"
        )
    return pairs


_scenario_names = parsing.names_of(SCENARIOS)


def _secrets(values: _Values, suite: Suite, *paths: Path) -> Secrets:
    spec = suite.harness
    prefix = values.parsed("main-benchmark-cmd-prefix", parsing.words)
    run_args = values.parsed("main-benchmark-runargs", parsing.run_args)
    given = (spec.environment, spec.make_variables)
    public = [*suite.benchmarks, *suite.groups, *SCENARIOS, *ACTIONS, *map(str, paths)]
    public += [each.config_ver for each in suite.benchmarks.values()]
    return secrets_of(
        spec.secrets, given, (*prefix, *run_args.words), os.environ, public
    )


def _harness_dir(values: _Values, suite: Suite, cwd: Path) -> Path:
    if (path := values.path("mig-harness-dir")) is not None:
        if not path.is_dir():
            said_by = values.value("mig-harness-dir").said_by
            raise ConfigError(
                f"{said_by}: {path} is no folder; expected the closed/<org> "
                f"folder with the Makefile"
            )
        return path
    package = str(Path(__file__).parents[1])
    return (cwd / suite.harness.folder.replace("{package}", package)).resolve()


def _backoffs(values: _Values) -> int:
    said = values.value("target-qps-backoffs")
    if said.explicit and not values.value("target-qps-backoff").raw:
        raise ConfigError(
            f"{said.said_by}: by how much is the target to change? Say "
            f"--target-qps-backoff=7%, too"
        )
    return values.parsed("target-qps-backoffs", parsing.times)


def _compared(values: _Values) -> Path | Literal["last"] | None:
    said = values.value("mig-compare")
    if said.raw in ("", "last"):
        return "last" if said.raw else None
    path = _path(values, "mig-compare")
    if not path.exists():
        raise ConfigError(
            f"{said.said_by}: expected last, a results folder or a record.json, and "
            f"{path} does not exist"
        )
    return path


def _path(values: _Values, name: str) -> Path:
    path = values.path(name)
    assert path is not None
    return path


def _lease_dir(values: _Values) -> Path:
    path = values.path_as_called("mig-lease-dir")
    assert path is not None
    return path


def _results_dir(values: _Values) -> Path:
    path = _path(values, "results-dir")
    try:
        check_path(path)
    except ConfigError as error:
        said_by = values.value("results-dir").said_by
        raise ConfigError(f"{said_by}: {error}") from None
    return path
