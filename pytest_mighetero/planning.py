"""What a run will start: durations, devices, folders and commands. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.config import RunConfig
from pytest_mighetero.devices import Gpu, MigDevice
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.suite import Pair
from pytest_mighetero.units import format_duration

# The reference script's factor on main's min_duration.
MAIN_FACTOR = 1.2


def audit_of(action: str) -> str | None:
    """Return ``test01`` for ``run_audit_test01``, None for what is no audit."""
    audit = action.removeprefix("run_audit_")
    return None if audit == action else audit


def run_name(pair: Pair, action: str) -> str:
    """Return ``dlrm_server``, or ``bert_offline-test01`` for an audit."""
    audit = audit_of(action)
    return f"{pair}-{audit}" if audit else str(pair)


@dataclass(frozen=True)
class Launch:
    """One harness to start.

    Attributes:
        pair: its benchmark and scenario.
        action: its make target.
        device: the MIG device it has to itself.
        min_duration: ``--min_duration`` in seconds.
        folder: a folder of its own, for its output and LOG_DIR.
        command: what starts it.
        audit_folder: where an audit leaves its verdict files.
    """

    pair: Pair
    action: str
    device: MigDevice
    min_duration: float
    folder: Path
    command: Command
    audit_folder: Path

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
    folder: Path
    main: Launch
    backgrounds: tuple[Launch, ...]

    def script(self) -> str:
        """Every command in launch order, as lines to paste into a shell."""
        total = len(self.backgrounds)
        lines = []
        for number, launch in enumerate(self.backgrounds, 1):
            lines += [_comment(f"background {number} of {total}", launch, self.gpu)]
            lines += [f"{launch.command} &"]
        lines += [_comment("main", self.main, self.gpu), str(self.main.command)]
        return "\n".join(lines)


def _comment(role: str, launch: Launch, gpu: Gpu) -> str:
    device = launch.device.profile or gpu.name
    return f"# {role}: {launch.name} on {device}, {launch.device.uuid}"


def background_seconds(config: RunConfig) -> float:
    """Return the backgrounds' ``--min_duration`` in seconds.

    ``planned`` is the reference script's formula: the start buffer, 1.2 times main's
    duration and the end buffer, and the settle time that the script did not have.

    Raises:
        ConfigError: that is longer than a background may run.
    """
    if config.background_duration == "automatic":
        return config.background_timeout
    if config.background_duration == "planned":
        seconds = (
            config.start_time_buffer
            + config.settle_time
            + MAIN_FACTOR * config.main_duration
            + config.end_time_buffer_min
        )
    else:
        seconds = config.background_duration
    if seconds > config.background_timeout:
        raise ConfigError(
            f"--background-benchmark-duration: {config.background_duration} comes to "
            f"{format_duration(seconds)}, more than the "
            f"{format_duration(config.background_timeout)} of "
            f"--background-benchmark-timeout; raise the timeout, or shorten main"
        )
    return seconds


def plan_run(
    config: RunConfig, pair: Pair, gpu: Gpu, folder: Path, *, alone: bool
) -> RunPlan:
    """Say what is started for *pair* on *gpu*: main on its first device.

    Args:
        config: the run's settings.
        pair: what is measured.
        gpu: has a device for main and one for each background.
        folder: where each harness gets a folder of its own.
        alone: without backgrounds.
    """
    names = () if alone else config.backgrounds_of(pair.benchmark)
    return RunPlan(
        gpu=gpu,
        folder=folder,
        main=_launch(config, pair, gpu.devices[0], folder / "main", background=False),
        backgrounds=tuple(
            _launch(
                config,
                Pair(name, config.background_scenario),
                device,
                folder / f"background-{number}-{name}",
                background=True,
            )
            for number, (name, device) in enumerate(
                zip(names, gpu.devices[1:], strict=False), 1
            )
        ),
    )


def _launch(
    config: RunConfig, pair: Pair, device: MigDevice, folder: Path, *, background: bool
) -> Launch:
    action = "run_harness" if background else config.action
    seconds = background_seconds(config) if background else config.main_duration
    run_args = [
        f"--benchmarks={pair.benchmark}",
        f"--scenarios={pair.scenario}",
        f"--config_ver={config.config_ver_of(pair.benchmark)}",
        f"--min_duration={round(seconds * 1000)}",
    ]
    if config.start_from_device:
        run_args.append("--start_from_device=true")
    run_args += ["--min_query_count=1"] if background else config.main_runargs
    spec = config.suite.harness
    values = {"{log_dir}": str(folder / "logs"), "{python}": sys.executable}
    variables = [f"{k}={_fill(v, values)}" for k, v in spec.make_variables.items()]
    command = Command(
        argv=(
            *(() if background else config.main_cmd_prefix),
            "make",
            action,
            *variables,
            f"RUN_ARGS={' '.join(run_args)}",
        ),
        cwd=config.harness_dir,
        variables={
            **{k: _fill(v, values) for k, v in spec.environment.items()},
            "CUDA_VISIBLE_DEVICES": device.uuid,
        },
    )
    audits = config.harness_dir / _fill(spec.audit_folder, values)
    return Launch(pair, action, device, seconds, folder, command, audits)


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def longest_test(config: RunConfig) -> float:
    """Return the seconds that a run test may take by its own deadlines."""
    stopping = 60.0
    ready = config.start_time_buffer + config.settle_time
    return ready + config.background_timeout + config.end_time_buffer_min + stopping
