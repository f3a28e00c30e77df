"""The words, folder and variables that start a workload or its server. Pure."""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.spec.filled import used_by
from pytest_mighetero.spec.folders import PACKAGE
from pytest_mighetero.spec.harness_spec import HarnessSpec, ServerSpec
from pytest_mighetero.spec.lineage import is_built_in
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.template import BUILT_IN, fill, fill_words
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import scenario_of
from pytest_mighetero.units import significant

Values = Mapping[str, "str | tuple[str, ...]"]


@dataclass(frozen=True)
class Site:
    """Where the workloads of a run are.

    Attributes:
        ports: by the UUID of a device, what the server that runs there listens on.
        servers: where the outputs of servers are that outlive their clients.
    """

    gpu: Gpu
    ports: Mapping[str, int] = field(default_factory=dict)
    servers: Path | None = None


@dataclass(frozen=True)
class Place:
    """Where one workload runs.

    Attributes:
        device: it has this to itself.
        folder: for its output and LOG_DIR.
    """

    site: Site
    device: MigDevice
    folder: Path

    @property
    def slot(self) -> int:
        """The device's place on its GPU, as NVML counts, or as they are listed."""
        known, devices = self.device.slot, self.site.gpu.devices
        return devices.index(self.device) if known is None else known

    @property
    def port(self) -> int:
        """For what listens there; 0 where nothing does."""
        return self.site.ports.get(self.device.uuid, 0)

    @property
    def log_dir(self) -> Path:
        """Its LOG_DIR: shared ones race."""
        return self.folder / "logs"


def make_command(
    config: RunSpec, pair: Pair, place: Place, action: str, run_args: RunArgs
) -> Command:
    """Return the call of make."""
    spec = config.suite.harness_of(pair.benchmark)
    values = {"{log_dir}": str(place.log_dir), "{python}": sys.executable}
    variables = [f"{k}={_replaced(v, values)}" for k, v in spec.make_variables.items()]
    return Command(
        argv=("make", action, *variables, f"RUN_ARGS={run_args}"),
        cwd=config.harness_dirs[config.suite.benchmarks[pair.benchmark].harness],
        variables={
            **{k: _replaced(v, values) for k, v in spec.environment.items()},
            config.suite.kind.variable: place.device.uuid,
        },
        secrets=config.secrets,
    )


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def own_command(
    config: RunSpec, spec: HarnessSpec | ServerSpec, place: Place, values: Values
) -> Command:
    """Return the command that a suite says, of a workload or of its server."""
    return Command(
        argv=(*place.device.prefix, *fill_words(spec.command, values)),
        cwd=(config.cwd / fill(spec.folder, values)).resolve(),
        variables={
            **{k: fill(v, values) for k, v in spec.environment.items()},
            config.suite.kind.variable: place.device.uuid,
        },
        secrets=config.secrets,
    )


def said_words(config: RunSpec, pair: Pair) -> tuple[str, ...]:
    """Return the words of a command and its server, the suite's own filled in.

    Their variables stand before them, and files by digests: runs that differ in these
    are not alike.
    """
    spec = config.suite.harness_of(pair.benchmark)
    open_ones: Values = {name: f"{{{name}}}" for name in BUILT_IN}
    known = {**open_ones, "benchmark": pair.benchmark, "scenario": pair.scenario}
    own = {k: _filled(v, known) for k, v in config.suite.values_of(pair).items()}
    every = (spec,) if spec.server is None else (spec, spec.server)
    files = [f"{name}={_digest(text)}" for name, text in spec.files.items()]
    texts = [word for each in every for word in (*_variables(each), *each.command)]
    return fill_words([*files, *texts], {**known, **own, "run_args": ()})


def _variables(spec: HarnessSpec | ServerSpec) -> list[str]:
    return [f"{name}={value}" for name, value in spec.environment.items()]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _filled(value: str | tuple[str, ...], known: Values) -> str | tuple[str, ...]:
    return fill(value, known) if isinstance(value, str) else fill_words(value, known)


def values_of(
    config: RunSpec, pair: Pair, place: Place, seconds: float, run_args: RunArgs
) -> Values:
    """Return what the placeholders of a launch stand for.

    Args:
        config: the run's settings.
        pair: what it runs.
        place: where.
        seconds: how long.
        run_args: what is said of it alone: a target, a count, further words.

    Raises:
        DeviceError: its command takes a rate that nobody has said.
    """
    own = config.suite.values_of(pair)
    used = used_by(config.suite, pair)
    rate = rate_of(config, pair, place.device.profile, run_args)
    count = run_args.number("min_query_count")
    if rate is None and used & {"rate", *([] if count else ["requests"])}:
        raise DeviceError(_no_rate(config, pair, place.device.profile))
    known: dict[str, str | tuple[str, ...]] = {
        "device": place.device.uuid,
        "slot": str(place.slot),
        "gpu": str(place.site.gpu.index or 0),
        "log_dir": str(place.log_dir),
        "seconds": str(math.ceil(round(seconds, 3))),
        "ms": str(round(seconds * 1000)),
        "requests": str(math.ceil(max(count or 1.0, (rate or 0) * seconds))),
        "rate": significant(rate or 0, 10),
        "port": str(place.port),
        "benchmark": pair.benchmark,
        "scenario": pair.scenario,
        "python": sys.executable,
        "package": PACKAGE,
        "run_args": run_args.words,
    }
    filled = {name: _filled(value, known) for name, value in own.items()}
    return {**known, **filled}


def rate_of(
    config: RunSpec, pair: Pair, profile: str | None, run_args: RunArgs
) -> float | None:
    """Return the target QPS of a launch: what RUN_ARGS say, else the suite."""
    if said := run_args.number(scenario_of(pair.scenario).target_flag):
        return said
    version = config.config_ver_of(pair.benchmark)
    known = config.suite.figures(pair, profile, version)
    return known[0] if known else None


def _no_rate(config: RunSpec, pair: Pair, profile: str | None) -> str:
    suite, flag = config.suite, scenario_of(pair.scenario).target_flag
    said = f", or --main-benchmark-runargs=--{flag}=N of main" if flag else ""
    mine = f'a suite that extends = "{suite.name}"'
    where = mine if is_built_in(suite.file) else suite.file
    return (
        f"the command of {pair} takes {{rate}} or {{requests}}, and suite {suite.name} "
        f"knows no target QPS of it on {profile or 'this device'}: say "
        f"benchmarks.{pair.benchmark}.rates.{pair.scenario} in {where}{said}"
    )
