"""How many runs the search for the highest VALID target takes, on simulated devices.

Beside it: bisection at full length between 0.8 and 1.2 times the reference, widened
where that does not hold the target; and what people do by hand, 7 % down from 1.2
times the device's capacity to the first VALID. Both end with full-length runs only.
A probe counts as a tenth of a full-length run.

The search guides itself by the line that 1/p99 follows in a single queue; ``knee`` 1
is such a device, the others are not. Nothing here is measured on hardware.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean

from pytest_mighetero.plan.search import next_step
from pytest_mighetero.plan.trial import Found, Next, Trial
from tests.plan.simulated_server import FULL_S, PROBE_S, SimulatedServer

RESOLUTION = 0.01
CAPACITIES = [round(10 * 1.5**step) for step in range(21)]
LIMITS_MS = [30.0, 100.0, 300.0]
KNEES = [1.0, 3.0, 40.0]
STARTS = [0.8, 0.9, 1.0, 1.1, 1.2]
HARNESS_TARGET = 1000


@dataclass(frozen=True)
class Cost:
    """What one search took.

    Attributes:
        probes: how many short runs.
        full: how many full-length runs.
        loss: by what fraction its target lies below the highest.
        complete: whether its ends are as near as wanted.
    """

    probes: int
    full: int
    loss: float
    complete: bool

    @property
    def runs(self) -> float:
        """The cost in full-length runs."""
        return self.full + self.probes * PROBE_S / FULL_S


def searched(server: SimulatedServer, start: float | None, *, probes: bool) -> Cost:
    """Follow ``next_step`` to its end."""
    trials: list[Trial] = []
    while True:
        step = next_step(
            trials, start=start, resolution=RESOLUTION, probes=probes, whole=True
        )
        if not isinstance(step, Next):
            break
        target = HARNESS_TARGET if step.target_qps is None else step.target_qps
        trials.append(server.run(target, full=step.full))
    full = sum(trial.full for trial in trials)
    found = step.target_qps if isinstance(step, Found) else 0
    complete = isinstance(step, Found) and step.complete
    return Cost(len(trials) - full, full, _loss(server, found), complete)


def bisected(server: SimulatedServer, start: float) -> Cost:
    """Halve the gap at full length; both ends of the bracket are run, too."""
    low, high, runs = round(0.8 * start), round(1.2 * start), 2
    while not server.run(low, full=True).valid:
        low, high, runs = round(low / 1.2), low, runs + 1
    while server.run(high, full=True).valid:
        low, high, runs = high, math.ceil(high * 1.2), runs + 1
    while high - low > 1 and high > low * (1 + RESOLUTION):
        middle = round((low + high) / 2)
        if server.run(middle, full=True).valid:
            low = middle
        else:
            high = middle
        runs += 1
    return Cost(0, runs, _loss(server, low), complete=True)


def stepped(server: SimulatedServer) -> Cost:
    """Lower the target by 7 % until it is VALID."""
    target, runs = round(1.2 * server.capacity), 1
    while not server.run(target, full=True).valid:
        target, runs = math.floor(target * 0.93), runs + 1
    return Cost(0, runs, _loss(server, target), complete=False)


def _loss(server: SimulatedServer, found: float) -> float:
    return 1 - found / server.highest()


def _servers(knee: float) -> Iterator[SimulatedServer]:
    for limit in LIMITS_MS:
        for capacity in CAPACITIES:
            yield SimulatedServer(capacity, limit_ms=limit, knee=knee)


def _referenced(
    knee: float, search: Callable[[SimulatedServer, float], Cost]
) -> list[Cost]:
    return [
        search(server, off * server.highest())
        for server in _servers(knee)
        for off in STARTS
    ]


def row(name: str, costs: list[Cost]) -> str:
    """Write the mean and the worst of *costs*."""
    probes, full = [c.probes for c in costs], [c.full for c in costs]
    runs, loss = [c.runs for c in costs], [c.loss for c in costs]
    return (
        f"{name:<30} {fmean(probes):>5.1f} {max(probes):>3} {fmean(full):>6.1f} "
        f"{max(full):>3} {fmean(runs):>6.1f} {max(runs):>5.1f} {fmean(loss):>7.2%} "
        f"{max(loss):>6.2%} {sum(c.complete for c in costs):>5}/{len(costs)}"
    )


def main() -> int:
    """Print the table."""
    print(
        f"{'':<30} {'probes':>9} {'full length':>10} {'cost':>12} {'below highest':>14}"
    )
    for knee in KNEES:
        print(f"knee {knee:g}{'mean max   mean max   mean   max    mean    max':>74}")
        search = [
            ("search from +-20 %, probes", lambda s, at: searched(s, at, probes=True)),
            (
                "search from +-20 %, no probes",
                lambda s, at: searched(s, at, probes=False),
            ),
            ("bisection from +-20 %", bisected),
        ]
        for name, how in search:
            print(row(name, _referenced(knee, how)))
        for probes in (True, False):
            name = f"search from 1000, {'' if probes else 'no '}probes"
            costs = [searched(s, None, probes=probes) for s in _servers(knee)]
            print(row(name, costs))
        print(row("by hand, -7 % a run", [stepped(s) for s in _servers(knee)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
