"""GPUs, what runs on them, and the suites: ``--mig-list``, ``mighetero list``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.lease import holder_of
from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.plan.run_plan import cells_of
from pytest_mighetero.plan.seats import lacking, misfit_of, source_of
from pytest_mighetero.show.columns import columns
from pytest_mighetero.spec.device_names import unknown_to_all
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.lineage import SUITES
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.pair import Pair


@dataclass(frozen=True)
class ListedGpu:
    """A GPU, who uses it, and what of a suite runs on it.

    Attributes:
        used_by: who holds its lease, or None where it is free.
        runs: by profile of its devices, the scenarios of each benchmark that run there.
        lacking: by benchmark, the program that is not here for it.
        unknown: why the suite's harness cannot use some of its devices, by UUID.
    """

    gpu: Gpu
    suite: str
    used_by: str | None
    runs: Mapping[str | None, Mapping[str, tuple[str, ...]]]
    lacking: Mapping[str, str]
    unknown: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        """Yield the lines about it for people."""
        gpu = self.gpu
        known = [gpu.uuid, gpu.pci_bus_id, gpu.driver and f"driver {gpu.driver}"]
        yield ", ".join(filter(None, [str(gpu), *known]))
        if not gpu.devices:
            return
        yield f"  used by {self.used_by}" if self.used_by else "  free"
        for device in gpu.devices:
            yield f"  {_device(device)}{'  not usable' * (device.uuid in self.unknown)}"
        first = {device.profile: device.uuid for device in reversed(gpu.devices)}
        for uuid in reversed(first.values()):
            if uuid in self.unknown:
                yield f"  not usable: {self.unknown[uuid]}"
        for profile, benchmarks in self.runs.items():
            yield f"  suite {self.suite} on {profile or 'them'}:"
            for name, scenarios in benchmarks.items():
                why = self.lacking.get(name, "does not run")
                yield f"    {name}: {', '.join(scenarios) or why}"

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data, without the devices."""
        known = {k: v for k, v in vars(self.gpu).items() if k != "devices"}
        runs = {profile or "": dict(names) for profile, names in self.runs.items()}
        found = {"used_by": self.used_by, "suite": self.suite, "runs": runs}
        return {**known, **found, "unknown": dict(self.unknown)}


def listed_gpus(config: RunSpec) -> tuple[ListedGpu, ...]:
    """Return every GPU, or the one that ``--mig-gpu`` names.

    Raises:
        DeviceError: the source of devices, or the leases, cannot be asked; no GPU is
            called so.
    """
    gpus = source_of(config).gpus()
    wanted = [gpu for gpu in gpus if config.gpu is None or gpu.is_called(config.gpu)]
    if config.gpu is not None and not wanted:
        found = "; ".join(map(str, gpus)) or "no GPU"
        said_by = config.said_by["mig-gpu"]
        raise DeviceError(f"{said_by}: no GPU is called {config.gpu}: {found}.")
    return tuple(_listed(config, gpu) for gpu in wanted)


def _listed(config: RunSpec, gpu: Gpu) -> ListedGpu:
    first: dict[str | None, MigDevice] = {}
    for device in gpu.devices:
        first.setdefault(device.profile, device)
    runs = {profile: _fitting(config, device) for profile, device in first.items()}
    told = config.lease_dir, gpu.lease_names, config.said_by["mig-lease-dir"]
    holder = holder_of(*told) if gpu.devices else None
    known = config.suite, config.suite.benchmarks
    unknown = {
        device.uuid: problem
        for device in gpu.devices
        if (problem := unknown_to_all(*known, device.uuid, device.profile))
    }
    lacks = {
        name: said
        for name, benchmark in config.suite.benchmarks.items()
        if (said := lacking(config.suite, Pair(name, benchmark.scenarios[0])))
    }
    return ListedGpu(gpu, config.suite.name, holder, runs, lacks, unknown)


def _fitting(config: RunSpec, device: MigDevice) -> dict[str, tuple[str, ...]]:
    """Say what of the suite runs on *device*, and on those of its profile."""
    return {
        name: tuple(
            scenario
            for scenario in benchmark.scenarios
            if not misfit_of(config, Pair(name, scenario), device)
        )
        for name, benchmark in config.suite.benchmarks.items()
    }


def listing(config: RunSpec) -> Iterator[str]:
    """Yield the lines about every GPU: its devices, what runs there, who uses it.

    Where an interference matrix is asked for, its cells follow.

    Raises:
        DeviceError: as ``listed_gpus``.
    """
    for listed in listed_gpus(config):
        yield from listed.lines()
    if config.aggressors:
        victims, aggressors = len(config.pairs), len(config.aggressors)
        cells = cells_of(replace(config, repeat=1))
        yield (
            f"interference: {_many(victims, 'victim')} alone, and beside "
            f"{_many(aggressors, 'aggressor')}: {_many(len(cells), 'cell')}"
        )
        yield from (f"  {name}" for name, _ in cells)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _device(device: MigDevice) -> str:
    memory = device.memory_bytes
    known = {
        "slot": device.slot,
        "GI": device.gi,
        "CI": device.ci,
        "SMs": device.multiprocessors,
        "share": device.sm_share,
    }
    cells = [device.uuid, device.profile, memory and f"{memory / 1e9:.1f} GB"]
    cells += [f"{name} {value}" for name, value in known.items() if value is not None]
    return "  ".join(str(each) for each in cells if each)


def document(
    gpus: tuple[ListedGpu, ...], problem: str | None, suites: Sequence[Suite]
) -> dict[str, Any]:
    """Return GPUs, devices and suites as plain data; *problem* is why none is there."""
    return {
        "gpus": [gpu.to_dict() for gpu in gpus],
        "devices": [
            {"gpu": place, **asdict(device)}
            for place, listed in enumerate(gpus)
            for device in listed.gpu.devices
        ],
        "problem": problem,
        "suites": [
            {
                "name": suite.name,
                "description": suite.description,
                "devices": suite.devices,
                "benchmarks": {
                    name: list(benchmark.scenarios)
                    for name, benchmark in suite.benchmarks.items()
                },
            }
            for suite in suites
        ],
    }


def lines(
    gpus: tuple[ListedGpu, ...], problem: str | None, suites: Sequence[Suite]
) -> Iterator[str]:
    """Yield the lines about GPUs, or why there are none, then those about suites."""
    if problem is not None:
        yield f"No devices: {problem}"
    elif not gpus:
        yield "No devices: there is no GPU."
    for gpu in gpus:
        yield from gpu.lines()
    for suite in suites:
        yield ""
        about = f": {suite.description}" if suite.description else ""
        yield f"suite {suite.name}{about}"
        rows = [
            (name, ", ".join(benchmark.scenarios))
            for name, benchmark in suite.benchmarks.items()
        ]
        yield from columns(("benchmark", "scenarios"), rows, indent="  ")


def built_in_suites() -> tuple[Suite, ...]:
    """Return the suites that come with the package, by name."""
    names = sorted(path.stem for path in SUITES.glob("*.toml"))
    kinds = device_kinds()
    return tuple(load_suite(name, Path(), kinds) for name in names)


def geometry(config: RunSpec) -> str:
    """Return every GPU with its MIG devices, or why there is none, in one line."""
    try:
        gpus = source_of(config).gpus()
    except DeviceError as error:
        return str(error).partition(": ")[0]
    drivers = dict.fromkeys(gpu.driver for gpu in gpus if gpu.driver)
    found = "; ".join(map(str, gpus)) or "no GPU"
    return ", driver ".join([found, *drivers])


def leasable_gpus(config: RunSpec) -> int:
    """Return how many GPUs a run with a background could lease, 1 at least."""
    try:
        gpus = source_of(config).gpus()
    except DeviceError:
        return 1
    wanted = [gpu for gpu in gpus if config.gpu is None or gpu.is_called(config.gpu)]
    return max(1, sum(len(gpu.devices) > 1 for gpu in wanted))
