"""What a worker on a node would be and see; also a program, which prints that.

Run on the node as ``python node_facts.py FILE PATH...`` by the interpreter of the
controller. It holds its place until stdin is closed.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

BEGIN = "\x02mighetero: "  # JSON has no such character, nor has a greeting
PACKAGES = ("pytest-mighetero", "pytest", "pytest-xdist", "execnet")


def facts(shared: Path, paths: Iterable[str] = ()) -> dict[str, str]:
    """Return versions, what is in the file *shared*, and which of *paths* misses."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package) or "none"
        except metadata.PackageNotFoundError:
            found[package] = "none"
    try:
        seen = shared.read_text("ascii")
    except OSError:
        seen = ""
    refused = "" if seen else _refused(shared.parent)
    unseen = next((str(Path(each).absolute()) for each in paths if not sees(each)), "")
    return found | {"seen": seen, "refused": refused, "unseen": unseen}


def sees(path: str) -> bool:
    """Tell whether there is a file or something in a folder: it may not be mounted."""
    try:
        place = Path(path)
        return any(place.iterdir()) if place.is_dir() else place.exists()
    except OSError:
        return False


def _refused(folder: Path) -> str:
    """Say why nothing can be written to *folder*, if so."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def unnamed(node: str, visible: str) -> str | None:
    """Say why MIG devices that Slurm gave by *visible* are not to be told, if so. Pure.

    Slurm's own number of one is its line in gres.conf; CUDA takes a number for a whole
    GPU. With AutoDetect it sets UUIDs (Slurm's Generic Resource Scheduling guide, MIG).
    """
    if not any(entry.strip().isdigit() for entry in visible.split(",")):
        return None
    return (
        f"{node} has MIG devices from Slurm by number (CUDA_VISIBLE_DEVICES="
        f"{visible}), which does not say which; its gres.conf needs AutoDetect=nvml"
    )


def greeted(there: dict[str, str]) -> str | None:
    """Say what a node writes before a program's own output, if it does. Pure."""
    if not (greeting := there["greeting"]):
        return None
    line = greeting.strip().partition("\n")[0]
    return (
        f"{there['node']} writes {line or greeting!r} to stdout before a worker does "
        f"(by TaskProlog or SLURM_LABELIO, perhaps); that has to be the worker's alone"
    )


def problem(
    node: str, here: dict[str, str], there: dict[str, str], folder: Path
) -> str | None:
    """Say why runs on *node* would not be those of this machine, if so. Pure."""
    differ = [
        f"{name} {there.get(name)} (here {here.get(name)})"
        for name in ("Python", *PACKAGES)
        if there.get(name) != here.get(name)
    ]
    if differ:
        return f"{node} has {', '.join(differ)}; have one virtual environment for both"
    if unseen := there["unseen"]:
        return (
            f"{node} does not see {unseen}; tests, and what they read and run, have to "
            f"be on a file system that all nodes share"
        )
    if there["seen"] != here["seen"] and there["refused"]:
        return (
            f"{node} neither sees what is written here to {folder} nor can it have "
            f"such a folder of its own ({there['refused']}); say a --results-dir that "
            f"all nodes share"
        )
    return greeted(there)


if __name__ == "__main__":
    here = facts(Path(sys.argv[1]), sys.argv[2:])
    told = {"node": os.environ["SLURMD_NODENAME"], **here}
    told["visible"] = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    print(f"{BEGIN}{json.dumps(told)}", flush=True)
    sys.stdin.read()
