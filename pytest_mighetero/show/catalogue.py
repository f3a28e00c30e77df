"""GPUs and suites together: as lines for people, as one document for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pytest_mighetero.show.columns import columns
from pytest_mighetero.show.inventory import ListedGpu, listed_devices
from pytest_mighetero.spec.suite import Suite


def document(
    gpus: tuple[ListedGpu, ...], problem: str | None, suites: Sequence[Suite]
) -> dict[str, Any]:
    """Return GPUs, devices and suites as plain data; *problem* is why none is there."""
    return {
        "gpus": [gpu.to_dict() for gpu in gpus],
        "devices": listed_devices(gpus),
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
        yield f"suite {suite.name}: {suite.description}"
        rows = [
            (name, ", ".join(benchmark.scenarios))
            for name, benchmark in suite.benchmarks.items()
        ]
        yield from columns(("benchmark", "scenarios"), rows, indent="  ")
