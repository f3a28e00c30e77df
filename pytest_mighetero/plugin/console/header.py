"""What the head of a pytest run says of its runs, and ``--mig-list`` of devices."""

from __future__ import annotations

import os

import pytest

from pytest_mighetero.errors import DeviceError
from pytest_mighetero.show.inventory import geometry, listing
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.environment import withheld
from pytest_mighetero.terms.printable import printable


def header(spec: RunSpec) -> list[str]:
    """Return what the runs use, and what was noted of what was asked, in lines."""
    suite = f"{spec.suite.name} ({spec.suite.description})"
    lines = [
        f"suite {suite}, harness folder {spec.harness_dir}",
        geometry(spec),
        *spec.notes,
    ]
    if names := withheld(os.environ, spec.suite.harness.environment):
        lines.append(
            f"no harness gets your {', '.join(names)}, which can change "
            f"what it exits with; [harness.environment] of a suite file can set them"
        )
    return [printable(f"mighetero: {line}") for line in lines]


def print_devices(spec: RunSpec) -> None:
    """Print GPUs, MIG devices, what runs on them and who uses them.

    Raises:
        pytest.UsageError: they cannot be asked for.
    """
    try:
        for line in listing(spec):
            print(printable(line))
    except DeviceError as error:
        raise pytest.UsageError(str(error)) from None
