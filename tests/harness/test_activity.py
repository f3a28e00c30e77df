"""What looks at a harness's processes say of it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_mighetero.harness.activity import Activity, Look, Seen, between


def make(**changes: Any) -> Seen:
    """Make has used next to nothing and sleeps."""
    return Seen(**{"pid": 10, "started": 100, "state": "S", "own_s": 0.01, **changes})


def worker(**changes: Any) -> Seen:
    return Seen(**{"pid": 20, "started": 200, "state": "S", "own_s": 5.0, **changes})


def look(at: float, *processes: Seen) -> Look:
    return Look(at, processes)


def seen(*looks: Look, limit: float = 60) -> Activity:
    activity = Activity(limit)
    for each in looks:
        activity.add(each)
    return activity


STOPPED = worker(state="T")


def test_all_stopped() -> None:
    interval = between(
        look(1, make(state="T"), STOPPED), look(2, make(state="T"), STOPPED)
    )
    assert interval.stopped == "2 of its 2 processes in state T"
    assert interval.idle


def test_what_works_is_stopped_and_the_rest_sleeps() -> None:
    tee = Seen(30, 300, "S", 0.5)
    interval = between(look(1, make(), STOPPED, tee), look(2, make(), STOPPED, tee))
    assert interval.stopped == "1 of its 3 processes in state T"


def test_what_works_is_stopped_and_something_small_works_on() -> None:
    before, after = Seen(30, 300, "S", 0.5), Seen(30, 300, "S", 0.6)
    interval = between(look(1, STOPPED, before), look(2, STOPPED, after))
    assert interval.stopped
    assert not interval.idle


def test_a_stopped_helper_is_not_the_harness() -> None:
    helper = make(state="T")
    interval = between(look(1, helper, worker()), look(2, helper, worker()))
    assert not interval.stopped
    assert interval.idle


def test_a_debugger_that_stops_it() -> None:
    traced = worker(state="t")
    interval = between(look(1, make(), traced), look(2, make(), traced))
    assert interval.stopped == "1 of its 2 processes in state t"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (worker(), STOPPED),  # one look is not enough
        (STOPPED, worker()),
        (STOPPED, worker(state="T", own_s=5.01)),  # it ran in between
        (STOPPED, worker(state="T", started=999)),  # the pid, used again
    ],
)
def test_not_stopped_throughout(before: Seen, after: Seen) -> None:
    assert not between(look(1, make(), before), look(2, make(), after)).stopped


@pytest.mark.parametrize(
    "after",
    [
        [make(), worker(own_s=5.01)],
        [make(waited_s=0.01), worker()],  # a child came and went
        [make(), worker(), Seen(30, 300, "S", 0.0)],  # one came
        [make()],  # one went, and its time with it: the sum drops
        [make(waited_s=5.0)],  # the same, reaped
        [make(), worker(started=201)],  # the pid, used again
    ],
)
def test_not_idle(after: list[Seen]) -> None:
    interval = between(look(1, make(), worker()), look(2, *after))
    assert not interval.idle
    assert interval.cpu_s >= 0


def test_cpu_time_outlives_a_child() -> None:
    before = look(1, make(), worker())
    assert between(before, look(2, make(waited_s=5.5))).cpu_s == pytest.approx(0.5)
    zombie = worker(state="Z", own_s=5.5)
    assert between(before, look(2, make(), zombie)).cpu_s == pytest.approx(0.5)


def test_zombies_alone_tell_nothing() -> None:
    zombies = [look(at, make(state="Z"), worker(state="Z")) for at in range(200)]
    activity = seen(*zombies)
    assert not activity.suspect
    assert activity.unloaded(0, 200) is None
    assert activity.summary(0, 200) is None


def test_a_zombie_does_not_work_any_more() -> None:
    # What is left of a crashed worker beside a parent that is stopped.
    dead, parent = worker(state="Z"), make(state="T")
    interval = between(look(1, parent, dead), look(2, parent, dead))
    assert interval.stopped == "1 of its 1 processes in state T"


def test_nothing_is_known_across_a_gap() -> None:
    activity = seen(look(0, worker()), look(1), look(80, worker()), look(81, worker()))
    assert activity.unloaded(0, 81) is None


def test_stopped_counts_within_mains_window_alone() -> None:
    activity = seen(*[look(at, STOPPED) for at in range(11)], look(11, worker()))
    assert activity.unloaded(10.5, 20) is None
    said = activity.unloaded(7.5, 20)
    assert said == (
        "was stopped (1 of its 1 processes in state T) for 2.5 s of main's window"
    )
    assert activity.unloaded(-5, 0) is None


def test_idle_needs_longer_than_the_limit() -> None:
    looks = [look(at, make(), worker()) for at in range(32)]
    short, enough = seen(*looks[:31], limit=30), seen(*looks, limit=30)
    assert not short.suspect
    assert short.unloaded(0, 100) is None
    assert enough.suspect
    assert enough.unloaded(30, 100) == (
        "used no CPU time for 31.0 s, 1.0 s of them in main's window (more than the "
        "30s of the suite's harness.idle_limit)"
    )
    assert enough.unloaded(31, 100) is None
    assert seen(*looks, limit=0).unloaded(0, 100) is None


def test_a_tick_of_cpu_time_ends_a_stretch() -> None:
    idle = [look(at, worker()) for at in range(31)]
    busy = [look(at, worker(own_s=5.01)) for at in range(31, 60)]
    activity = seen(*idle, *busy, limit=30)
    assert activity.unloaded(0, 100) is None
    summary = activity.summary(0, 100)
    assert summary is not None
    assert summary["longest_idle_s"] == 30
    assert summary["cpu_s"] == 0.01


def test_suspicion_ends_when_it_goes_on() -> None:
    activity = seen(look(1, STOPPED), look(2, STOPPED))
    assert activity.suspect
    activity.add(look(3, worker()))
    assert not activity.suspect


def test_the_summary_of_a_window() -> None:
    spent = [look(at, worker(own_s=5 + at * 0.5)) for at in range(11)]
    summary = seen(*spent).summary(2.5, 6.5)
    assert summary == {
        "looks": 6,
        "cpu_s": 1.5,
        "cpu_over_s": 3,
        "longest_idle_s": 0,
        "stopped_s": 0,
    }
