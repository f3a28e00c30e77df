"""Leases and their holders: looked at, none is taken."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pytest_mighetero.cli.doctor.finding import Finding, is_there, nearest_folder
from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.devices.launch_lock import lock_places
from pytest_mighetero.devices.lease import holder_of
from pytest_mighetero.devices.lease_folder import lease_folder
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.units import format_duration

_ANY = "have all who use the GPU, containers too, share one with --mig-lease-dir"
_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


def findings(spec: RunSpec, gpus: Sequence[Gpu]) -> Iterator[Finding]:
    """Yield what there is to say of the folder of the leases, and who holds any."""
    folder, timeout_by = spec.lease_dir, spec.said_by["mig-lease-timeout"]
    found = _folder(folder, mig=spec.suite.kind.mig)
    if found.state == "bad":
        found = replace(found, says=f"{spec.said_by['mig-lease-dir']}: {found.says}")
    yield found
    wait = f"{format_duration(spec.lease_timeout)} at most ({timeout_by})"
    try:
        for gpu in gpus:
            called = f"GPU {gpu.index}" if gpu.index is not None else gpu.name
            if not gpu.devices:
                continue
            if holder := holder_of(folder, gpu.lease_names):
                said = f"{called} is used by {holder}"
                yield Finding("leases", "warning", said, f"a run waits for it, {wait}")
            else:
                yield Finding("leases", "ok", f"{called} is free")
    except DeviceError:
        return  # what is wrong with the folder is said
    for harness_dir in dict.fromkeys(spec.harness_dirs.values()):
        yield from _launches(folder, harness_dir, wait)


def _launches(folder: Path, harness_dir: Path, wait: str) -> Iterator[Finding]:
    """Yield who launches a pair, or an audit, in *harness_dir* now, if anybody does."""
    try:
        places = lock_places(folder, harness_dir)
    except DeviceError as error:
        yield Finding("leases", "bad", str(error))
        return
    except OSError:
        return  # what is wrong with the harness folder is said
    for place, first in places:
        with suppress(DeviceError, OSError):
            files = sorted(place.glob(f"{first}*.lease"))
            if holder := holder_of(place, [each.stem for each in files]):
                said = f"in {harness_dir} launches {holder}"
                remedy = f"a run of the same waits for it, {wait}"
                yield Finding("leases", "warning", said, remedy)
                return


def _folder(folder: Path, *, mig: bool) -> Finding:
    try:
        with lease_folder(folder, make=False) as opened:
            there = Path(opened.where)
    except FileNotFoundError:
        there = nearest_folder(folder)
        if not os.access(there, os.W_OK | os.X_OK):
            said = f"{folder} is not there, nor can it be made"
            return Finding("leases", "bad", said, _ANY)
        says = f"{folder} is made by the first run"
    except DeviceError as error:
        return Finding("leases", "bad", str(error))
    except OSError as error:
        said = f"{folder} cannot be opened: {error.strerror}"
        return Finding("leases", "bad", said, _ANY)
    else:
        says = f"in {folder}"
        if not os.access(there, os.W_OK | os.X_OK):
            return Finding("leases", "bad", f"{folder} cannot be written to", _ANY)
    inside = any(map(is_there, _CONTAINER))
    if mig and inside and there.stat().st_dev == Path("/").stat().st_dev:
        says += ", which is this container's own, so that nobody outside sees them"
        return Finding("leases", "warning", says, _ANY)
    return Finding("leases", "ok", says)
