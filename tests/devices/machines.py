"""Machines with GPUs: a JSON description becomes a driver's library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

MACHINES = Path(__file__).with_name("machines")
FIGURES = ("power_mw", "temperature", "sm_mhz", "memory_mhz", "reasons", "sms")
MODES = {"off": "OFF", "on": "ON", "pending": "PENDING", "unsupported": "UNSUPPORTED"}


def machine(name: str) -> dict[str, Any]:
    """Return the description in ``machines/NAME.json``."""
    described: dict[str, Any] = json.loads((MACHINES / f"{name}.json").read_text())
    return described


def header(described: dict[str, Any]) -> str:
    """Return ``machine.h`` for nvml.c.

    Args:
        described: ``driver``; ``init``: what nvmlInit returns (0); ``missing``: the
            functions it does not have; ``gpus``, each with its MIG ``devices`` by slot.
    """
    lines = [f"#define WITHOUT_{name}" for name in described.get("missing", ())]
    lines.append(f"#define DRIVER {json.dumps(described['driver'])}")
    lines.append(f"#define INIT {described.get('init', 0)}")
    lines.append(f"#define GPU_COUNT {len(described['gpus'])}")
    for number, gpu in enumerate(described["gpus"]):
        devices = "".join(
            _device(slot, device) for slot, device in gpu["devices"].items()
        )
        lines.append(f"static struct device devices_{number}[] = {{{devices}{{0}}}};")
    gpus = "".join(_gpu(number, gpu) for number, gpu in enumerate(described["gpus"]))
    return "\n".join([*lines, f"static struct gpu GPUS[] = {{{gpus}{{0}}}};"])


def _device(slot: str, device: dict[str, Any]) -> str:
    slices = [int(each) for each in re.findall(r"(\d+)[cg]", device["profile"])]
    numbers = (int(slot), device["gi"], device["ci"], device["sm"])
    counts = (slices[-1], slices[0], device["memory_mb"])
    return _braced(*numbers, *counts, _text(device["profile"]), _text(device["uuid"]))


def _gpu(number: int, gpu: dict[str, Any]) -> str:
    texts = map(_text, (gpu["name"], gpu["uuid"], gpu["bus_id"]))
    figures = (gpu.get(name, 0) for name in FIGURES)
    counts = (gpu.get("lost", 0), *figures, gpu["slots"], len(gpu["devices"]))
    return _braced(*texts, MODES[gpu["mig"]], *counts, f"devices_{number}")


_text = json.dumps


def _braced(*fields: object) -> str:
    return "{" + ", ".join(map(str, fields)) + "},\n"
