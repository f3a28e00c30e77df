"""The search for the highest VALID target, on a simulated device."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from pytest_mighetero.plan.search import next_step
from pytest_mighetero.plan.trial import Found, GaveUp, Next, Trial
from tests.plan.simulated_server import SimulatedServer

RESOLUTION = 0.01
CAPACITIES = [3, 4, 5, 8, 17, 55, 210, 700, 1777, 5500, 12345, 40000]
HARNESS_TARGET = 100


def search(
    server: SimulatedServer,
    start: float | None = None,
    *,
    probes: bool = True,
    max_full: int = 6,
    max_probes: int = 16,
    whole: bool = True,
) -> tuple[Found | GaveUp, list[Trial]]:
    """Run what is proposed until the end; no proposal may repeat."""
    trials: list[Trial] = []
    while True:
        step = next_step(
            trials,
            start=start,
            resolution=RESOLUTION,
            probes=probes,
            max_full=max_full,
            max_probes=max_probes,
            whole=whole,
        )
        if not isinstance(step, Next):
            return step, trials
        target = HARNESS_TARGET if step.target_qps is None else step.target_qps
        assert target >= 1 or not whole
        assert (target, step.full) not in {(t.target_qps, t.full) for t in trials}
        trials.append(server.run(target, full=step.full))


def full_runs(trials: list[Trial]) -> int:
    return sum(trial.full for trial in trials)


def check(found: Found | GaveUp, highest: int) -> None:
    """Its ends are at full length, near enough, and the true target lies between."""
    assert isinstance(found, Found)
    above = found.invalid_above
    assert found.complete
    assert above is not None
    assert above.full
    assert found.trial.valid
    assert found.trial.target_qps == found.target_qps
    assert found.target_qps <= highest < above.target_qps
    gap = above.target_qps - found.target_qps
    assert gap <= 1 or gap / found.target_qps <= RESOLUTION
    assert found.resolution == pytest.approx(gap / found.target_qps)


@pytest.mark.parametrize("limit_ms", [30, 100, 1000])
@pytest.mark.parametrize("probes", [True, False])
@pytest.mark.parametrize("off", [None, 1.0, 0.8, 1.2])
@pytest.mark.parametrize("capacity", CAPACITIES)
def test_finds_the_highest_target(
    capacity: int, off: float | None, probes: bool, limit_ms: float
) -> None:
    server = SimulatedServer(capacity, limit_ms=limit_ms)
    highest = server.highest()
    found, trials = search(server, off and off * highest, probes=probes)
    check(found, highest)
    assert full_runs(trials) <= (6 if off or probes else 22)
    assert probes or full_runs(trials) == len(trials)


@pytest.mark.parametrize("knee", [3, 40])
@pytest.mark.parametrize("off", [None, 0.8, 1.2])
@pytest.mark.parametrize("capacity", CAPACITIES)
def test_probes_also_close_in_where_p99_rises_steeply(
    capacity: int, off: float | None, knee: float
) -> None:
    server = SimulatedServer(capacity, limit_ms=15, knee=knee)
    highest = server.highest()
    check(search(server, off and off * highest)[0], highest)


@pytest.mark.parametrize("highest", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("start", [None, 1, 3, 40])
@pytest.mark.parametrize("probes", [True, False])
def test_small_targets(highest: int, start: float | None, probes: bool) -> None:
    server = SimulatedServer((highest + 0.5) / 0.9)
    check(search(server, start, probes=probes)[0], highest)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("off", [None, 1.0, 0.8, 1.2])
def test_noise(seed: int, off: float | None) -> None:
    """Unequal runs and disturbed probes cost resolution, never the truth."""
    server = SimulatedServer(1000, noise=0.02, spike=0.1, seed=seed)
    found, trials = search(server, off and off * 900)
    assert isinstance(found, Found)
    assert found.trial.full
    assert found.trial.valid
    assert found.target_qps > 0.8 * 900
    assert full_runs(trials) <= 6
    above = found.invalid_above
    if found.complete:
        assert above is not None
        assert above.full
        assert found.resolution <= RESOLUTION


def test_without_latency_the_verdict_counts() -> None:
    class Silent(SimulatedServer):
        def run(self, target: float, *, full: bool) -> Trial:
            trial = super().run(target, full=full)
            return replace(
                trial,
                valid=bool(trial.p99_ms and trial.p99_ms <= self.limit_ms),
                p99_ms=None,
                scheduled_qps=None,
            )

    server = Silent(1000)
    check(search(server, 1100)[0], server.highest())


def trial(target: float, *, full: bool, holds: bool) -> Trial:
    p99 = 80.0 if holds else 150.0
    return Trial(target, full, full and holds, p99, 100.0, target, target, "LoadGen")


def test_a_disturbed_probe_does_not_bound_the_target() -> None:
    trials = [
        trial(900, full=False, holds=True),
        trial(907, full=False, holds=False),
        trial(900, full=True, holds=True),
    ]

    def following() -> Next:
        step = next_step(trials, start=900, resolution=RESOLUTION, probes=True)
        assert isinstance(step, Next)
        return step

    assert following() == Next(907, full=True, why="proves 907 INVALID")
    trials.append(trial(907, full=True, holds=True))
    assert following() == Next(925, full=True, why="above 907")


def test_the_highest_valid_target_counts_not_an_invalid_one_below() -> None:
    trials = [
        trial(900, full=True, holds=False),
        trial(890, full=True, holds=True),
        trial(950, full=True, holds=True),
        trial(955, full=True, holds=False),
    ]
    found = next_step(trials, start=900, resolution=RESOLUTION, probes=False)
    assert isinstance(found, Found)
    assert (found.target_qps, found.invalid_above) == (950, trials[3])


@pytest.mark.parametrize("max_full", [1, 2, 3])
def test_the_budget_ends_the_search(max_full: int) -> None:
    server = SimulatedServer(1000, limit_ms=15, knee=40)
    found, trials = search(server, 600, probes=False, max_full=max_full)
    assert full_runs(trials) == max_full
    assert isinstance(found, Found)
    assert not found.complete
    assert found.trial.valid
    assert found.invalid_above is None or found.resolution > RESOLUTION


def test_a_probe_bounds_what_the_budget_left_open() -> None:
    found, trials = search(SimulatedServer(1000), 900, max_full=1)
    assert isinstance(found, Found)
    assert found.invalid_above is not None
    assert not found.invalid_above.full
    assert not found.complete
    assert full_runs(trials) == 1


@pytest.mark.parametrize("probes", [True, False])
@pytest.mark.parametrize(
    ("server", "start", "said"),
    [
        (
            SimulatedServer(1000, base_ms=200),
            None,
            "the lowest was target 1 (p99 200.2 ms, limit 100 ms; p99 over the limit)",
        ),
        (
            SimulatedServer(10, base_ms=200),
            30,
            "p99 over the limit); give a larger device: this harness takes whole",
        ),
        (SimulatedServer(1e12), None, "it still holds at target"),
    ],
)
def test_gives_up(
    server: SimulatedServer, start: float | None, said: str, probes: bool
) -> None:
    end, trials = search(server, start, probes=probes)
    assert isinstance(end, GaveUp)
    assert said in end.reason
    assert len(trials) <= 22


def test_gives_up_where_latency_is_not_the_reason() -> None:
    server = SimulatedServer(1000, refusal="min_query_count not met")
    end, trials = search(server, 500)
    assert isinstance(end, GaveUp)
    assert "lowering the target does not help" in end.reason
    assert "min_query_count not met" in end.reason
    assert full_runs(trials) == 3


@pytest.mark.parametrize("served", [500, 5000])
def test_gives_up_where_the_target_does_not_reach_loadgen(served: float) -> None:
    class Deaf(SimulatedServer):
        def run(self, target: float, *, full: bool) -> Trial:
            return replace(super().run(served, full=full), target_qps=target)

    end, trials = search(Deaf(1000))
    assert isinstance(end, GaveUp)
    assert "something else sets the target" in end.reason
    assert len(trials) <= 4


def test_the_first_step_leaves_an_unknown_target_to_the_harness() -> None:
    for probes in (True, False):
        step = next_step([], start=None, resolution=RESOLUTION, probes=probes)
        assert step == Next(None, not probes, "the harness's own target")


@dataclass(frozen=True)
class Slow(SimulatedServer):
    """The same device where each query is so many: its rates are a fraction."""

    queries: float = 1000.0

    def run(self, target: float, *, full: bool) -> Trial:
        trial = super().run(target * self.queries, full=full)
        scheduled, completed = trial.scheduled_qps, trial.completed_qps
        assert scheduled is not None
        assert completed is not None
        return replace(
            trial,
            target_qps=target,
            scheduled_qps=scheduled / self.queries,
            completed_qps=completed / self.queries,
        )


@pytest.mark.parametrize("limit_ms", [30, 100, 1000])
@pytest.mark.parametrize("probes", [True, False])
@pytest.mark.parametrize("off", [None, 1.0, 0.8, 1.2])
@pytest.mark.parametrize("capacity", CAPACITIES[3:])
def test_fractions_are_targets_like_others(
    capacity: int, off: float | None, probes: bool, limit_ms: float
) -> None:
    """0.8 queries/s are found as near, and in as many runs, as 800 are."""
    highest = SimulatedServer(capacity, limit_ms=limit_ms).highest() / 1000
    server = Slow(capacity, limit_ms=limit_ms)
    found, trials = search(server, off and off * highest, probes=probes, whole=False)
    assert isinstance(found, Found)
    above = found.invalid_above
    assert found.complete
    assert above is not None
    assert above.full
    assert found.trial.target_qps == found.target_qps
    assert server.run(found.target_qps, full=True).valid
    assert not server.run(above.target_qps, full=True).valid
    assert 0 < found.resolution <= RESOLUTION * (1 + 1e-6)
    assert full_runs(trials) <= (6 if off or probes else 22)
    chosen = {trial.target_qps for trial in trials} - {trials[0].target_qps}
    assert all(float(f"{target:.4g}") == target for target in chosen), chosen


def test_a_reference_is_the_first_target_as_it_is() -> None:
    def first(start: float, *, whole: bool) -> float | None:
        step = next_step(
            [], start=start, resolution=RESOLUTION, probes=True, whole=whole
        )
        assert isinstance(step, Next)
        return step.target_qps

    assert [first(x, whole=False) for x in (0.8, 1234.5678)] == [0.8, 1234.5678]
    assert [first(x, whole=True) for x in (0.8, 1234.5678)] == [1, 1235]


@pytest.mark.parametrize("whole", [True, False])
def test_a_run_without_an_answer_leads_to_half_its_target(whole: bool) -> None:
    silent = replace(trial(8, full=False, holds=False), completed_qps=0.0)
    step = next_step([silent], start=8, resolution=0.01, probes=True, whole=whole)
    assert isinstance(step, Next)
    assert step.target_qps is not None
    assert 0 < step.target_qps < 8
