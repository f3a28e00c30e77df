"""``mighetero list``: GPUs, MIG devices, who uses them, and the suites."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.show import inventory
from pytest_mighetero.spec.options import BY_KEY
from pytest_mighetero.spec.runspec import build_spec
from pytest_mighetero.spec.values import Value
from pytest_mighetero.terms.printable import printable

NAME = "list"
HELP = "GPUs, MIG devices, what runs on them, who uses them; the suites"
DESCRIPTION = """\
Print every GPU with its MIG devices, who uses it, and what of a suite runs on each
profile; then the suites with their benchmarks and scenarios. Where NVML cannot be asked
it says so, and lists the suites.

examples:
  mighetero list --mig-suite=v2.0
  mighetero list --mig-suite=cpu --json
  mighetero list --mig-suite=v2.0 --mig-devices=MIG-feb88891-...,MIG-0a1b2c-...
"""
OPTIONS = ("mig-suite", "mig-devices", "mig-gpu", "mig-lease-dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero list``; these mean what the plugin's do."""
    for name in OPTIONS:
        option = BY_KEY[name.replace("-", "_")]
        parser.add_argument(f"--{name}", metavar=option.metavar, help=option.told)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print what there is."""
    cwd = Path.cwd()

    def given(key: str) -> Value | None:
        raw = getattr(arguments, key, None)
        said_by = f"--{key.replace('_', '-')}"
        return None if raw is None else Value(raw, said_by, cwd, explicit=True)

    # Nothing is written: where a run's results would go is not to be checked here.
    config = build_spec(given, cwd, rootdir=Path("/"), kinds=device_kinds())
    gpus: tuple[inventory.ListedGpu, ...] = ()
    problem = None
    try:
        gpus = inventory.listed_gpus(config)
    except DeviceError as error:
        problem = str(error)
    suites = inventory.built_in_suites()
    if config.suite not in suites:
        suites += (config.suite,)
    if arguments.json:
        print(json.dumps(inventory.document(gpus, problem, suites), indent=2))
    else:
        print(printable("\n".join(inventory.lines(gpus, problem, suites))))
    return 0
