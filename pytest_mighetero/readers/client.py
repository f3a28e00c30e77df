"""What clients of a service, of whatever tool, have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pytest_mighetero.readers.reader import Asked, Difference, Reader
from pytest_mighetero.readers.result import Metric, Result

# What ``target_qps`` of the settings says where requests were held back by no rate.
NO_TARGET = "no target"

# A flag of RUN_ARGS: what the settings call it, and by how much it may be off: suites
# give durations in whole seconds to clients that take no other.
_SETTINGS = {
    "server_target_qps": ("target_qps", 0.0),
    "min_duration": ("min_duration_ms", 1000.0),
}
_DIGITS = 1e-5


class Client(Reader):
    """Reads what one such tool writes.

    They have no verdict. Their results' ``settings`` have, as far as they say them,
    ``target_qps`` and ``min_duration_ms``.
    """

    judges = False
    settings = _SETTINGS.keys()

    def differences(self, asked: Iterable[Asked], result: Result) -> list[Difference]:
        """Return what a run had in place of what was asked for; unsaid is none."""
        found = (_difference(each, result) for each in asked)
        return [each for each in found if each is not None]


def _difference(asked: Asked, result: Result) -> Difference | None:
    name, step = _SETTINGS.get(asked.name, ("", 0.0))
    ran_with = result.settings.get(name)
    if ran_with is None or _equal(asked.value, ran_with, step):
        return None
    shown = f"{ran_with:.10g}" if isinstance(ran_with, float) else ran_with
    said = f"asked for {asked.name} {asked.value} ({asked.said_by})"
    return Difference(f"{said}, {result.tool} ran with {shown}", by_design=False)


def _equal(asked: str, ran_with: object, step: float) -> bool:
    try:
        wanted, found = float(asked), float(str(ran_with))
    except ValueError:
        return asked == str(ran_with)
    return math.isclose(wanted, found, rel_tol=_DIGITS, abs_tol=step)


def throughput(name: str, value: float | None, unit: str) -> Metric | None:
    """Return a metric of so much per second, as far as there is one."""
    return None if value is None else Metric(name, value, unit, higher_is_better=True)


def count(number: float | None) -> int | None:
    """Return a count as the whole number that it is."""
    return None if number is None else int(number)
