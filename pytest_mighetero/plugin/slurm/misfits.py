"""What a worker has no GPU for, and what it has: told to the controller, test by test.

A worker has an execnet channel for that in ``workerinput``, which xdist hands on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.plan.seats import source_of
from pytest_mighetero.plugin.ownership import beside
from pytest_mighetero.plugin.presence import is_run, pair_of, run_spec, spec_of
from pytest_mighetero.run.placement import fitting_gpus
from pytest_mighetero.terms.printable import printable_line

CHANNEL = "mighetero_misfits"


@dataclass(frozen=True)
class Misfit:
    """Why a test cannot run in a worker.

    Attributes:
        asked: whether it was asked for by name, so that it fails; others are skipped.
    """

    why: str
    asked: bool


@dataclass(frozen=True)
class Misfits:
    """What a worker has, and the tests that it cannot run, by their place."""

    offer: str = ""
    tests: Mapping[int, Misfit] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as ``read`` takes it."""
        tests = {number: [each.why, each.asked] for number, each in self.tests.items()}
        return json.dumps([self.offer, tests])


def read(text: str) -> Misfits:
    """Return what a worker has told."""
    offer, tests = json.loads(text)
    told = {int(number): Misfit(*each) for number, each in tests.items()}
    return Misfits(offer, told)


class Telling:
    """Has a worker tell, once it has collected its tests; a plugin of the worker."""

    def __init__(self, channel: Any):
        self._channel = channel

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell before xdist's own plugin tells which tests there are."""
        self._channel.send(_misfits(session.config, session.items).text())


def _misfits(config: pytest.Config, items: Iterable[pytest.Item]) -> Misfits:
    runs = {number: item for number, item in enumerate(items) if is_run(item)}
    if not runs:
        return Misfits()
    spec = run_spec(config)
    try:
        gpus = source_of(spec).gpus()
    except DeviceError as error:
        told = printable_line(str(error))
        return Misfits("none", dict.fromkeys(runs, Misfit(told, asked=True)))
    offer = printable_line("; ".join(map(str, gpus)) or "no GPU")
    found = {number: _misfit(item, gpus) for number, item in runs.items()}
    return Misfits(offer, {k: misfit for k, misfit in found.items() if misfit})


def _misfit(item: pytest.Item, gpus: tuple[Gpu, ...]) -> Misfit | None:
    pair = pair_of(item)
    assert pair is not None
    try:
        spec = spec_of(item)
        found = fitting_gpus(spec, pair, gpus, alone=not beside(item))
    except (DeviceError, pytest.UsageError) as error:
        return Misfit(printable_line(str(error)), asked=True)
    if not found.problem:
        return None
    return Misfit(printable_line(found.problem), asked=pair.benchmark in spec.asked)
