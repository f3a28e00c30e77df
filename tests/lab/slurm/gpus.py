"""The GPUs of the one-host Slurm's nodes, for NVML: each node has its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.devices.machines import header, machine
from tests.lab.slurm.configuration import Node

MODELS = {"a100": "NVIDIA A100-SXM4-80GB", "h100": "NVIDIA H100 80GB HBM3"}
LIBRARY = "libnvidia-ml.so.1"

# The library is one for all nodes: they share a host, whose loader finds it.
OF_NODE = """
#include <stdlib.h>
static const char *NODES[] = {%s};
static unsigned of_node(unsigned counts) {
  const char *name = getenv("SLURMD_NODENAME");
  unsigned first = 0, counted[] = {%s};
  for (unsigned n = 0; name && n < sizeof NODES / sizeof *NODES; n++) {
    if (!strcmp(name, NODES[n])) return counts ? counted[n] : first;
    first += counted[n];
  }
  return counts ? GPUS_OF_ALL : 0;
}
#define GPU_COUNT of_node(1)
#define GPUS (GPUS + of_node(0))
"""


def library(compiled: Callable[..., Path], folder: Path, nodes: Sequence[Node]) -> Path:
    """Build the library that shows a step its node's GPUs, and all outside of steps."""
    folder.mkdir()
    (folder / "machine.h").write_text(_machine(nodes))
    flags = ("-shared", "-fPIC", f"-Wl,-soname,{LIBRARY}", f"-I{folder}")
    return compiled("nvml.c", LIBRARY, *flags)


def _machine(nodes: Sequence[Node]) -> str:
    described = machine("a100-80gb") | {
        "gpus": [gpu for n, node in enumerate(nodes, 1) for gpu in _gpus(n, node)]
    }
    text = header(described).replace("GPU_COUNT", "GPUS_OF_ALL")
    names = ", ".join(f'"{node.name}"' for node in nodes)
    return text + OF_NODE % (names, ", ".join(str(node.count) for node in nodes))


def _gpus(number: int, node: Node) -> list[dict[str, Any]]:
    (like, *_) = machine("a100-80gb")["gpus"]  # an H100 may be cut like it
    like["name"] = MODELS[node.gpu]
    return [_gpu(like, f"{number:04}{index:04}", index) for index in range(node.count)]


def _gpu(like: dict[str, Any], mark: str, index: int) -> dict[str, Any]:
    devices = {
        slot: device | {"uuid": f"MIG-{mark}-0000-5000-8000-{int(slot):012}"}
        for slot, device in like["devices"].items()
    }
    uuid = f"GPU-{mark}-d268-c3f3-1b07-005d5ae1dc3f"
    place = {"uuid": uuid, "bus_id": f"00000000:{index:02X}:00.0"}
    return like | place | {"devices": devices}
