"""What a run will start: durations, devices, folders and commands. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.plan.asked import asked_of
from pytest_mighetero.plan.search import MAX_FULL, MAX_PROBES
from pytest_mighetero.plan.seats import Seat
from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.reader import Asked, Reader, reader_named
from pytest_mighetero.spec.harness_spec import HarnessSpec
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, audit_of, run_name
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import scenario_of
from pytest_mighetero.units import significant


def ids_of(config: RunSpec) -> list[tuple[str, Pair]]:
    """Return the id of every test, repeats numbered, with the pair it measures."""
    return [
        (name if config.repeat == 1 else f"{name}-run{number}", pair)
        for pair in config.pairs
        for name in [run_name(pair, config.action)]
        for number in range(1, config.repeat + 1)
    ]


@dataclass(frozen=True)
class Tool:
    """How the tool of a workload shows what it does.

    Attributes:
        reader: reads what it writes.
        markers: what it prints at the start and the end of its timed test; there may
            be none.
        live: whether the reader's sign tells, while it runs, that it issues queries.
        idle_limit: the seconds for which it may use no CPU time at all; 0 for any.
    """

    reader: Reader
    markers: Markers
    live: bool = True
    idle_limit: float = 0.0

    @property
    def sign(self) -> Sign | None:
        """What tells that it issues queries, where that is promised."""
        return self.reader.sign if self.live else None


@dataclass(frozen=True)
class Launch:
    """One harness to start.

    Attributes:
        action: its make target.
        device: it has this to itself.
        min_duration: ``--min_duration`` in seconds.
        folder: a folder of its own, for its output and LOG_DIR.
        audit_folder: where an audit leaves its verdict files.
        tool: how its tool shows what it does.
    """

    pair: Pair
    action: str
    device: MigDevice
    min_duration: float
    run_args: RunArgs
    folder: Path
    command: Command
    audit_folder: Path
    tool: Tool

    @property
    def reader(self) -> Reader:
        """Reads what its tool writes."""
        return self.tool.reader

    @property
    def name(self) -> str:
        """Benchmark, scenario, and the audit if it is one."""
        return run_name(self.pair, self.action)

    @property
    def audit(self) -> str | None:
        """The audit in MLPerf's spelling, ``TEST01``, or None."""
        audit = audit_of(self.action)
        return audit and audit.upper()

    @property
    def asked(self) -> tuple[Asked, ...]:
        """What it asks of its tool."""
        return asked_of(self.pair, self.action, self.run_args, self.reader.settings)

    @property
    def log_dir(self) -> Path:
        """Its LOG_DIR: shared ones race."""
        return self.folder / "logs"

    @property
    def output(self) -> Path:
        """The file with everything it prints."""
        return self.folder / "output.log"


@dataclass(frozen=True)
class RunPlan:
    """One run: main, and the backgrounds in launch order."""

    gpu: Gpu
    main: Launch
    backgrounds: tuple[Launch, ...]


def plan_run(
    config: RunSpec,
    pair: Pair,
    gpu: Gpu,
    folder: Path,
    backgrounds: tuple[Launch, ...],
) -> RunPlan:
    """Say what is started for *pair*: main on *gpu*'s first device, below *folder*."""
    main = _launch(config, pair, gpu.devices[0], folder / "main", None)
    return RunPlan(gpu, main, backgrounds)


def plan_backgrounds(
    config: RunSpec, seated: Sequence[Seat], folder: Path, seconds: float
) -> tuple[Launch, ...]:
    """Say what is started beside a main for so many *seconds*, in launch order."""
    return tuple(
        _launch(
            config, pair, device, folder / f"background-{n}-{pair.benchmark}", seconds
        )
        for n, (pair, device) in enumerate(seated, 1)
    )


def _launch(
    config: RunSpec,
    pair: Pair,
    device: MigDevice,
    folder: Path,
    background_seconds: float | None,
) -> Launch:
    is_main = background_seconds is None
    action = config.action if is_main else "run_harness"
    run_args = run_args_of(config, pair, background_seconds)
    spec = config.suite.harness
    values = {"{log_dir}": str(folder / "logs"), "{python}": sys.executable}
    variables = [f"{k}={_fill(v, values)}" for k, v in spec.make_variables.items()]
    command = Command(
        argv=(
            *(config.main_cmd_prefix if is_main else ()),
            "make",
            action,
            *variables,
            f"RUN_ARGS={run_args}",
        ),
        cwd=config.harness_dir,
        variables={
            **{k: _fill(v, values) for k, v in spec.environment.items()},
            config.suite.kind.variable: device.uuid,
        },
        secrets=config.secrets,
    )
    audits = config.harness_dir / _fill(spec.audit_folder, values)
    seconds = background_seconds or config.main_duration
    where = (folder, command, audits, tool_of(spec))
    return Launch(pair, action, device, seconds, run_args, *where)


def tool_of(spec: HarnessSpec) -> Tool:
    """Return how what a harness starts shows what it does.

    Raises:
        ConfigError: what the suite says of it cannot be meant.
    """
    markers = Markers(spec.start_markers, spec.finish_markers)
    try:
        reader = reader_named(spec.reader)
    except ConfigError as error:
        raise ConfigError(f"harness.{error}") from error
    return Tool(reader, markers, spec.loadgen_log, spec.idle_limit)


def run_args_of(
    config: RunSpec, pair: Pair, background_seconds: float | None = None
) -> RunArgs:
    """Return RUN_ARGS of main, or of a background that runs for so many seconds."""
    seconds = background_seconds or config.main_duration
    words = [
        f"--benchmarks={pair.benchmark}",
        f"--scenarios={pair.scenario}",
        f"--config_ver={config.config_ver_of(pair.benchmark)}",
        f"--min_duration={round(seconds * 1000)}",
    ]
    if config.start_from_device:
        words.append("--start_from_device=true")
    if config.verbose_all:
        words += ["--verbose", "--verbose_nvtx"]
    if background_seconds is None:
        return RunArgs.of([*words, *config.main_runargs.words])
    return RunArgs.of([*words, "--min_query_count=1"])


def with_target(config: RunSpec, pair: Pair, target: float) -> RunSpec:
    """Return the settings with *target* QPS for main.

    NVIDIA's harness takes Server's as a whole number (v1.0 to v3.0).
    """
    flag = scenario_of(pair.scenario).target_flag or ""
    told = config.main_runargs.having(**{flag: significant(target, 10)})
    return replace(config, main_runargs=told)


def probing(config: RunSpec, seconds: float) -> RunSpec:
    """Return the settings for a short run, which no query count lengthens."""
    told = config.main_runargs.having(min_query_count="1")
    return replace(config, main_runargs=told, main_duration=seconds)


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def longest_test(config: RunSpec) -> float:
    """Return the seconds that a run test may take by its own deadlines."""
    stopping = 60.0 + config.stop_grace
    ready = config.start_time_buffer + config.settle_time
    once = ready + config.background_timeout + config.end_time_buffer_min + stopping
    runs = 1 + config.overlap_retries
    runs += config.target_backoffs if config.target_backoff else 0
    runs += MAX_FULL + MAX_PROBES if config.tune else 0
    return config.lease_timeout + (config.lease_timeout + once) * runs
