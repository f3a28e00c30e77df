"""What a run will start: durations, devices, folders and commands. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_mighetero.errors import ConfigError, DeviceError
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.plan.asked import asked_of_command
from pytest_mighetero.plan.launch import Launch, RunPlan, ServerLaunch, Tool
from pytest_mighetero.plan.search import MAX_FULL, MAX_PROBES
from pytest_mighetero.plan.seats import Seat
from pytest_mighetero.plan.words import (
    Place,
    Site,
    Values,
    make_command,
    own_command,
    rate_of,
    said_words,
    values_of,
)
from pytest_mighetero.readers.reader import Asked, reader_named
from pytest_mighetero.spec.checks import lost_words
from pytest_mighetero.spec.filled import used_by
from pytest_mighetero.spec.harness_spec import HarnessSpec, ServerSpec
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.template import fill
from pytest_mighetero.terms.pair import Encounter, Pair, run_name
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import scenario_of
from pytest_mighetero.units import significant

# The keys below a harness's table that a message about its reader begins with.
_KEYS = re.compile(r"\A([\w.]*)")


def ids_of(config: RunSpec) -> list[tuple[str, Pair]]:
    """Return the id of every test, repeats numbered, with the pair it measures."""
    return [
        (name if config.repeat == 1 else f"{name}-run{number}", pair)
        for pair in config.pairs
        for name in [run_name(pair, config.action)]
        for number in range(1, config.repeat + 1)
    ]


def cells_of(config: RunSpec) -> list[tuple[str, Encounter]]:
    """Return the id of every cell of the interference matrix, with what it measures.

    Those of an aggressor stand together.
    """
    return [
        (name if config.repeat == 1 else f"{name}-run{number}", Encounter(pair, other))
        for other in config.aggressors
        for pair in config.pairs
        for name in [run_name(pair, config.action, other)]
        for number in range(1, config.repeat + 1)
    ]


def plan_run(
    config: RunSpec,
    pair: Pair,
    site: Site,
    folder: Path,
    backgrounds: tuple[Launch, ...],
) -> RunPlan:
    """Say what is started for *pair*: main on the first device, below *folder*.

    Raises:
        DeviceError: its command takes a rate that nobody has said, or does not take
            what is said of it.
    """
    if (lost := lost_words(config, pair)) is not None:
        raise DeviceError(f"{lost}.")
    place = Place(site, site.gpu.devices[0], folder / "main")
    return RunPlan(site.gpu, _launch(config, pair, place, None), backgrounds)


def plan_backgrounds(
    config: RunSpec, site: Site, seated: Sequence[Seat], folder: Path, seconds: float
) -> tuple[Launch, ...]:
    """Say what is started beside a main for so many *seconds*, in launch order.

    Raises:
        DeviceError: the command of one takes a rate that nobody has said.
    """
    folders = [
        folder / f"background-{n}-{pair.benchmark}"
        for n, (pair, _) in enumerate(seated, 1)
    ]
    return tuple(
        _launch(config, pair, Place(site, device, own), seconds)
        for own, (pair, device) in zip(folders, seated, strict=True)
    )


def _launch(
    config: RunSpec, pair: Pair, place: Place, background_seconds: float | None
) -> Launch:
    is_main = background_seconds is None
    action = config.action if is_main else "run_harness"
    spec = config.suite.harness_of(pair.benchmark)
    run_args = run_args_of(config, pair, background_seconds)
    seconds = background_seconds or config.main_duration
    server: ServerLaunch | None = None
    told: tuple[Asked, ...] = ()
    rate: float | None = None
    files: dict[Path, str] = {}
    if spec.makes:
        command = make_command(config, pair, place, action, run_args)
        audits = command.cwd / spec.audit_folder.replace(
            "{log_dir}", str(place.log_dir)
        )
    else:
        said = config.main_runargs if is_main else RunArgs()
        used = used_by(config.suite, pair)
        if used & {"rate", "requests"}:
            rate = rate_of(config, pair, place.device.profile, said)
        values = values_of(config, pair, place, seconds, said)
        texts = {k: v for k, v in values.items() if isinstance(v, str)}
        told = asked_of_command(pair, texts, used)
        command, audits = own_command(config, spec, place, values), place.log_dir
        filled = {k: fill(v, values) for k, v in spec.files.items()}
        files = {place.log_dir / name: each for name, each in filled.items()}
        if spec.server is not None:
            server = _server(config, spec.server, place, values, filled)
    if is_main:
        command = replace(command, argv=(*config.main_cmd_prefix, *command.argv))
    return Launch(
        pair,
        action,
        place.device,
        seconds,
        run_args,
        place.folder,
        command,
        audits,
        tool_of(spec),
        told=told,
        rate=rate,
        limits=config.suite.benchmarks[pair.benchmark].limits_in(pair.scenario),
        files=files,
        server=server,
    )


def _server(
    config: RunSpec,
    spec: ServerSpec,
    place: Place,
    values: Values,
    files: Mapping[str, str],
) -> ServerLaunch:
    command = own_command(config, spec, place, values)
    named = (f"{k}={v}" for k, v in command.variables.items())
    words = [*command.argv, str(command.cwd), *named, str(place.port)]
    words += [text for name, text in files.items() if name in " ".join(words)]
    return ServerLaunch(
        tuple(word.replace(str(place.folder), "") for word in words),
        command,
        place.port,
        (place.site.servers or place.folder) / f"server-{place.slot}.log",
        fill(spec.ready_url, values),
        spec.ready_line,
        spec.ready_timeout,
    )


def tool_of(spec: HarnessSpec) -> Tool:
    """Return how what a harness starts shows what it does.

    Raises:
        ConfigError: what the suite says of it cannot be meant.
    """
    markers = Markers(spec.start_markers, spec.finish_markers)
    reader = reader_named(spec.reader, spec.result)
    whole = spec.whole_targets
    return Tool(reader, markers, spec.is_live, spec.idle_limit, whole)


def check_tools(config: RunSpec) -> None:
    """Check that each harness can be read, and seen where it runs beside a main.

    Raises:
        ConfigError: naming the file, the key and what would have been accepted.
    """
    suite = config.suite
    mains = {pair.benchmark for pair in config.pairs}
    beside = {name for main in mains for name in config.backgrounds_of(main)}
    seen = {suite.benchmarks[name].harness for name in beside}
    for name, spec in suite.every_harness.items():
        try:
            tool = tool_of(spec)
        except ConfigError as error:
            keys, found = _KEYS.split(str(error), maxsplit=1)[1:]
            place = suite.place_of_harness(name, *keys.split("."))
            raise ConfigError(f"{place}{found}") from error
        if name in seen and not tool.markers.start and tool.sign is None:
            raise ConfigError(
                f"{suite.place_of_harness(name)}: nothing tells when it issues "
                f"queries beside a main: expected start_markers, or a reader that sees "
                f"it live (reader = {spec.reader!r} does not, as it is told)"
            )
    for name, entry in suite.benchmarks.items():
        reader = tool_of(suite.harness_of(name)).reader
        for scenario, limits in entry.limits.items():
            if reader.judges and (lost := limits.counts):
                raise ConfigError(
                    f"{suite.place('benchmarks', name, 'limits', scenario, lost[0])}: "
                    f"expected no such limit, since {reader.tool} has a verdict of its "
                    f"own"
                )


def run_args_of(
    config: RunSpec, pair: Pair, background_seconds: float | None = None
) -> RunArgs:
    """Return RUN_ARGS of main, or of a background that runs for so many seconds.

    Those of a command are its words as its suite has them, what differs from run to run
    not filled in: runs with the same ones are alike.
    """
    seconds = background_seconds or config.main_duration
    said = config.main_runargs.words if background_seconds is None else ()
    if not config.suite.harness_of(pair.benchmark).makes:
        own = (*said_words(config, pair), f"--min_duration={round(seconds * 1000)}")
        return RunArgs.of([*own, *said])
    version = config.config_ver_of(pair.benchmark)
    words = [
        f"--benchmarks={pair.benchmark}",
        f"--scenarios={pair.scenario}",
        *([f"--config_ver={version}"] if version else []),
        f"--min_duration={round(seconds * 1000)}",
    ]
    if config.start_from_device:
        words.append("--start_from_device=true")
    if config.verbose_all:
        words += ["--verbose", "--verbose_nvtx"]
    if background_seconds is None:
        return RunArgs.of([*words, *said])
    return RunArgs.of([*words, "--min_query_count=1"])


def with_target(config: RunSpec, pair: Pair, target: float) -> RunSpec:
    """Return the settings with *target* QPS for main."""
    flag = scenario_of(pair.scenario).target_flag or ""
    told = config.main_runargs.having(**{flag: significant(target, 10)})
    return replace(config, main_runargs=told)


def probing(config: RunSpec, pair: Pair, seconds: float) -> RunSpec:
    """Return the settings for a short run of *pair*, for which no count is too low."""
    spec, told = config.suite.harness_of(pair.benchmark), config.main_runargs
    if spec.makes or "requests" in used_by(config.suite, pair):
        told = told.having(min_query_count="1")
    suite = config.suite.without_counts(pair)
    return replace(config, suite=suite, main_runargs=told, main_duration=seconds)


def longest_test(config: RunSpec) -> float:
    """Return the seconds that a run test may take by its own deadlines."""
    stopping = 60.0 + config.stop_grace
    every = config.suite.every_harness.values()
    loading = max((e.server.ready_timeout for e in every if e.server), default=0.0)
    ready = loading + config.start_time_buffer + config.settle_time
    once = ready + config.background_timeout + config.end_time_buffer_min + stopping
    runs = 1 + config.overlap_retries
    runs += config.target_backoffs if config.target_backoff else 0
    runs += MAX_FULL + MAX_PROBES if config.tune else 0
    return config.lease_timeout + (config.lease_timeout + once) * runs
