"""``mighetero doctor``: can runs be here, and if not, what is to be done."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mighetero.cli.argument import named_path
from pytest_mighetero.cli.doctor.finding import Finding, to_the_end, worst_of
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.options import BY_KEY

if TYPE_CHECKING:
    from pytest_mighetero.cli.doctor.fit import Fits
    from pytest_mighetero.spec.runspec import RunSpec

NAME = "doctor"
HELP = "whether runs can be here, and what to do where not"
DESCRIPTION = """\
Look at what runs need and say of each whether it is well, in a line: driver, NVML, MIG,
devices, GPU clocks, leases, harness folder, make, LoadGen, the suite's pairs, disk,
clocks, limits. What pytest would be told in FOLDER (here), by its ini file as well,
decides what is needed. It looks only: nothing is leased, started or written.

A line begins with ok; - for what this suite does without; warning for what runs, but
perhaps not all, or not well; bad for what keeps every run from being. The exit code is
1 where one is bad.

examples:
  mighetero doctor mig
  mighetero doctor --mig-suite=v2.0 --mig-harness-dir=/mlperf/closed/MyOrg
  mighetero doctor mig --json | jq '.findings[] | select(.state == "bad")'
"""
OPTIONS = (
    "mig-suite",
    "mig-harness-dir",
    "mig-devices",
    "mig-gpu",
    "main-profile",
    "background-benchmarks",
    "mig-lease-dir",
    "results-dir",
)
_FEWEST = 2  # main and a background


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero doctor``; these mean what the plugin's do."""
    parser.add_argument("folder", nargs="?", metavar="FOLDER", type=named_path)
    for name in OPTIONS:
        option = BY_KEY[name.replace("-", "_")]
        parser.add_argument(f"--{name}", metavar=option.metavar, help=option.told)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found, and return whether something is bad."""
    if arguments.folder is not None and not Path(arguments.folder).is_dir():
        raise ConfigError(f"{arguments.folder}: no such folder")
    said = {name: getattr(arguments, name.replace("-", "_")) for name in OPTIONS}
    words = [f"--{name}={value}" for name, value in said.items() if value is not None]
    if arguments.folder is not None:
        # No option of pytest's, nor a file of such, whatever it is called.
        words.append(os.path.join(os.curdir, arguments.folder))  # noqa: PTH118
    suite, pairs = None, {}
    try:
        spec = _told(words)
    except ConfigError as error:
        found = [Finding("options", "bad", str(error)), *_of_any_suite()]
    else:
        found, fits = _examined(spec)
        suite, pairs = spec.suite.name, {str(pair): why for pair, why in fits.items()}
    bad = worst_of([each.state for each in found]) == "bad"
    if arguments.json:
        document = {
            "ok": not bad,
            "suite": suite,
            "findings": [vars(each) for each in found],
            "pairs": pairs,
        }
        print(json.dumps(document, indent=2))
    else:
        print("\n".join(each.line() for each in found))
    return 1 if bad else 0


def _told(words: list[str]) -> RunSpec:
    """Return what pytest is told with *words*.

    Raises:
        ConfigError: pytest, or the plugin, refuses it.
    """
    from pytest_mighetero.cli.pytest_config import pytest_config
    from pytest_mighetero.devices.source import device_kinds
    from pytest_mighetero.plan.durations import check_lengths
    from pytest_mighetero.plan.run_plan import check_tools
    from pytest_mighetero.records.comparison.reference_files import load_references
    from pytest_mighetero.records.results_folder import check_compared
    from pytest_mighetero.spec.folders import check_results
    from pytest_mighetero.spec.given import given, publishes_facts
    from pytest_mighetero.spec.runspec import build_spec

    config = pytest_config(words)
    here = config.invocation_params.dir
    spec = build_spec(partial(given, config), here, config.rootpath, device_kinds())
    check_tools(spec)
    check_lengths(spec)
    load_references(spec.references)
    check_compared(spec.compare, spec.said_by["mig-compare"])
    check_results(spec.results_dir, spec.said_by["results-dir"])
    publishes_facts(config)
    return spec


def _examined(spec: RunSpec) -> tuple[list[Finding], Fits]:
    """Look at all that runs of *spec* need."""
    from pytest_mighetero.cli.doctor import fit, gpus, leases, tools

    seen, mig = gpus.look(spec), spec.suite.kind.mig
    looked = tools.look(spec)
    fits = fit.fits(spec, seen, tools.unable(looked))
    found = [
        _python(spec),
        *to_the_end("devices", gpus.findings(spec, seen)),
        *to_the_end("leases", leases.findings(spec, seen.gpus)),
        *tools.findings(spec, looked),
        *fit.findings(spec, fits, seen),
    ]
    harnesses = max((len(gpu.devices) for gpu in seen.gpus), default=0)
    disk = _disk(spec.results_dir, spec.said_by["results-dir"])
    found += to_the_end("disk", disk)
    found += _of_machine(max(harnesses, _FEWEST), mig=mig)
    return found, fits


def _of_any_suite() -> Iterator[Finding]:
    """Look at what does not depend on what pytest is told."""
    try:
        yield from to_the_end("disk", _disk(Path.cwd(), "the present folder"))
    except FileNotFoundError:
        yield Finding("disk", "bad", "the present folder is gone", "cd to another")
    yield from _of_machine(_FEWEST, mig=False)


def _disk(results: Path, said_by: str) -> Iterator[Finding]:
    from pytest_mighetero.cli.doctor import host

    yield host.disk(results, said_by)


def _of_machine(harnesses: int, *, mig: bool) -> Iterator[Finding]:
    from pytest_mighetero.cli.doctor import host
    from pytest_mighetero.cli.doctor.cgroup import cgroup_limits

    yield from to_the_end("clock", host.clocks())
    yield from to_the_end("cores", host.limits(cgroup_limits(), harnesses, mig=mig))


def _python(spec: RunSpec) -> Finding:
    """Say what would run, and by which file it is so."""
    import pytest

    import pytest_mighetero

    python = ".".join(map(str, sys.version_info[:3]))
    said = (
        f"suite {spec.suite.name} ({spec.suite.file}), pytest-mighetero "
        f"{pytest_mighetero.__version__}, pytest {pytest.__version__}, Python {python}"
    )
    notes = "; ".join(spec.notes)
    return Finding("options", "warning" if notes else "ok", said, notes)
