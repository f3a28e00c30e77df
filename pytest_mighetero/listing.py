"""What there is to run on: the text of ``--mig-list``."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mighetero.config import RunConfig
from pytest_mighetero.devices import Gpu, MigDevice, source_of
from pytest_mighetero.devices.lease import holder_of
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.seating import misfit_of
from pytest_mighetero.suite import Pair


def listing(config: RunConfig) -> Iterator[str]:
    """Yield the lines about every GPU: its devices, what runs there, who uses it.

    Raises:
        DeviceError: the source of devices, or the leases, cannot be asked.
    """
    for gpu in source_of(config).gpus():
        known = [gpu.uuid, gpu.pci_bus_id, gpu.driver and f"driver {gpu.driver}"]
        yield ", ".join(filter(None, [str(gpu), *known]))
        if not gpu.devices:
            continue
        holder = holder_of(config.lease_dir, gpu.lease_names)
        yield f"  used by {holder}" if holder else "  free"
        for device in gpu.devices:
            yield f"  {_device(device)}"
        for profile in dict.fromkeys(device.profile for device in gpu.devices):
            yield from _fitting(config, gpu, profile)


def _device(device: MigDevice) -> str:
    memory = device.memory_bytes
    known = {
        "slot": device.slot,
        "GI": device.gi,
        "CI": device.ci,
        "SMs": device.multiprocessors,
        "share": device.sm_share,
    }
    columns = [device.uuid, device.profile, memory and f"{memory / 1e9:.1f} GB"]
    columns += [f"{name} {value}" for name, value in known.items() if value is not None]
    return "  ".join(str(each) for each in columns if each)


def _fitting(config: RunConfig, gpu: Gpu, profile: str | None) -> Iterator[str]:
    """Say what of the suite runs on the devices of *profile*."""
    device = next(each for each in gpu.devices if each.profile == profile)
    yield f"  suite {config.suite.name} on {profile or 'them'}:"
    for benchmark in config.suite.benchmarks.values():
        pairs = [Pair(benchmark.name, each) for each in benchmark.scenarios]
        runs = [each.scenario for each in pairs if not misfit_of(config, each, device)]
        yield f"    {benchmark.name}: {', '.join(runs) or 'does not run'}"


def geometry(config: RunConfig) -> str:
    """Return every GPU with its MIG devices, or why there is none, in one line."""
    try:
        gpus = source_of(config).gpus()
    except DeviceError as error:
        return str(error).partition(": ")[0]
    drivers = dict.fromkeys(gpu.driver for gpu in gpus if gpu.driver)
    found = "; ".join(map(str, gpus)) or "no GPU"
    return ", driver ".join([found, *drivers])


def leasable_gpus(config: RunConfig) -> int:
    """Return how many GPUs a run with a background could lease, 1 at least."""
    try:
        gpus = source_of(config).gpus()
    except DeviceError:
        return 1
    wanted = [gpu for gpu in gpus if config.gpu is None or gpu.is_called(config.gpu)]
    return max(1, sum(len(gpu.devices) > 1 for gpu in wanted))
