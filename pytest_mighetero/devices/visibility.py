"""What the caller's own environment leaves visible of the machine's GPUs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from pytest_mighetero.devices.gpu import Gpu, MigDevice


def visible_only(
    gpus: Sequence[Gpu], environment: Mapping[str, str]
) -> tuple[Gpu, ...]:
    """Return *gpus* without what the environment hides.

    CUDA stops at the first entry it does not know, and an empty list hides all
    (CUDA C Programming Guide, CUDA_VISIBLE_DEVICES). The container runtime has its own
    words: ``all``, ``none``, ``void``, and ``0:1`` for a MIG device by its slot. Inside
    a container the GPUs are numbered anew: where there are as many as were asked for by
    number, the runtime has done its work.

    What Slurm gave a step, or a batch script, by number bounds it, too, where somebody
    has unset the ``CUDA_VISIBLE_DEVICES`` that it sets to the same (srun(1)).
    """
    found = tuple(gpus)
    runtime = _entries(environment.get("NVIDIA_VISIBLE_DEVICES", "all"))
    if runtime in (["none"], ["void"]):
        found = _bounded(found, [], "NVIDIA_VISIBLE_DEVICES")
    elif runtime not in ([], ["all"]) and not _numbered_anew(gpus, runtime):
        found = _bounded(found, runtime, "NVIDIA_VISIBLE_DEVICES")
    if (cuda := environment.get("CUDA_VISIBLE_DEVICES")) is not None:
        known = takewhile(lambda entry: _is_known(entry, found), _entries(cuda))
        return _bounded(found, list(known), "CUDA_VISIBLE_DEVICES")
    for variable in ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS"):
        if given := _entries(environment.get(variable, "")):
            if _numbered_anew(found, given):  # its cgroup shows no others
                return found
            return _bounded(found, given, variable)
    return found


def not_given(uuids: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return those of *uuids* that are not among the MIG devices that Slurm gave.

    What it gave by number (its own, of a line in gres.conf) says nothing of them.
    """
    given = _entries(environment.get("CUDA_VISIBLE_DEVICES", ""))
    mig = given and all(entry.startswith("MIG-") for entry in given)
    if "SLURM_JOB_ID" not in environment or not mig:
        return ()
    return tuple(uuid for uuid in uuids if not uuid.startswith(tuple(given)))


def _numbered_anew(gpus: Sequence[Gpu], entries: Sequence[str]) -> bool:
    numbers = {entry.partition(":")[0] for entry in entries}
    return all(map(str.isdigit, numbers)) and len(numbers) >= len(gpus)


def _is_known(entry: str, gpus: Sequence[Gpu]) -> bool:
    return any(_means(entry, gpu, d) for gpu in gpus for d in (None, *gpu.devices))


def _entries(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _bounded(
    gpus: Sequence[Gpu], entries: Sequence[str], variable: str
) -> tuple[Gpu, ...]:
    bounded = []
    for gpu in gpus:
        whole = any(_means(entry, gpu, None) for entry in entries)
        devices = tuple(
            device
            for device in gpu.devices
            if whole or any(_means(entry, gpu, device) for entry in entries)
        )
        hidden = [(d.uuid, variable) for d in gpu.devices if d not in devices]
        note = f"{len(hidden)} of {len(gpu.devices)} MIG devices hidden by {variable}"
        problem = gpu.problem or (note if hidden and not devices else None)
        further = (*gpu.hidden, *hidden)
        bounded.append(replace(gpu, devices=devices, problem=problem, hidden=further))
    return tuple(bounded)


def _means(entry: str, gpu: Gpu, device: MigDevice | None) -> bool:
    """Tell whether *entry* is *device*, or the whole *gpu* where that is None.

    A UUID may be cut short, as CUDA allows it.
    """
    uuid = gpu.uuid or ""
    if device is None:
        return entry == str(gpu.index) or (
            entry.startswith("GPU-") and uuid.startswith(entry)
        )
    legacy = f"MIG-{uuid}/{device.gi}/{device.ci}"
    slots = {f"{gpu.index}:{device.slot}", f"{uuid}:{device.slot}"}
    return entry in {legacy, *slots} or (
        entry.startswith("MIG-") and device.uuid.startswith(entry)
    )
