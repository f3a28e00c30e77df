"""Which of Slurm's workers gets which test, as workers come and go."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_mighetero.plugin.slurm.dealer import Dealer
from pytest_mighetero.plugin.slurm.misfits import Misfit, Misfits, read

TESTS = ["a", "b", "any1", "any2", "any3", "any4"]
GROUPED = [f"a.py::One::t{i}" for i in range(3)]
GROUPED += [f"a.py::Two::t{i}@g" for i in range(3)]
GROUPED += [f"b.py::t{i}" for i in range(6)]
A = Misfits("an A100", {1: Misfit("b needs an H100", asked=True)})
H = Misfits("an H100", {0: Misfit("a needs an A100", asked=True)})
Node = Any


class Channel:
    TimeoutError = TimeoutError
    RemoteError = RuntimeError

    def __init__(self, told: str):
        self._told = told

    def receive(self, seconds: float) -> str:
        assert seconds > 0
        return self._told


@dataclass
class Table:
    """The dealer, with workers that have told what they cannot run."""

    count: int
    dist: str = "load"
    tests: list[str] = field(default_factory=lambda: TESTS)
    refused: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    had: dict[str, list[int]] = field(default_factory=dict)
    differ: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dealer = Dealer(self._refuse, self.differ.append)
        said = {"tx": ["popen"] * self.count, "dist": self.dist, "maxschedchunk": None}
        plugins = {"dsession": SimpleNamespace(shouldstop=False)}
        config: Any = SimpleNamespace(getvalue=said.get, getoption=said.get)
        config.hook = SimpleNamespace(pytest_collectreport=dict)
        config.pluginmanager = SimpleNamespace(getplugin=plugins.get)
        log: Any = lambda *_: None  # noqa: E731 - with an attribute
        log.loadsched = log
        self.placed = self.dealer.pytest_xdist_make_scheduler(config, log)

    def _refuse(self, test: str, why: str, asked: bool) -> None:
        self.refused[test] = why
        if not asked:
            self.skipped.append(test)

    def expect(self, name: str, misfits: Misfits) -> Node:
        """Have a worker start."""
        had = self.had.setdefault(name, [])
        gateway = SimpleNamespace(id=name, newchannel=lambda: Channel(misfits.text()))
        node = Worker(gateway=gateway, workerinput={}, shutting_down=False, _down=False)
        node.send_runtest_some = had.extend
        node.shutdown = lambda: setattr(node, "shutting_down", True)
        self.dealer.pytest_configure_node(node)
        return node

    def collect(self, node: Node, found: list[str] | None = None) -> None:
        """Have a worker tell which tests there are."""
        self.placed.add_node(node)
        self.dealer.pytest_xdist_node_collection_finished(node)
        self.placed.add_node_collection(node, found or self.tests)
        if self.placed.collection_is_completed:
            self.placed.schedule()

    def lose(self, node: Node) -> str | None:
        """Have a worker crash; return the test that it was at."""
        self.dealer.pytest_testnodedown(node, "crashed")
        lost: str | None = self.placed.remove_node(node)
        return lost

    def play(self, node: Node) -> None:
        """Have a worker run what it has, and then what it gets for that."""
        pending = self.placed.node2pending[node]
        while len(pending) > (0 if node.shutting_down else 1):  # as xdist's waits
            self.placed.mark_test_complete(node, pending[0])


class Worker(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]


def test_misfits_cross_the_wire() -> None:
    assert read(A.text()) == A


def test_what_the_fewest_can_run_goes_first() -> None:
    table = Table(2)
    nodes = [table.expect("gw0", A), table.expect("gw1", H)]
    for node in nodes:
        table.collect(node)
    assert (table.had["gw0"][0], table.had["gw1"][0]) == (0, 1)
    for node in nodes:
        table.play(node)
    assert sorted(table.had["gw0"] + table.had["gw1"]) == list(range(6))
    assert all(node.shutting_down for node in nodes)
    assert table.refused == {}


def test_what_nobody_can_run_any_more_is_refused_when_all_are_there() -> None:
    table = Table(2)
    first, lost = table.expect("gw0", A), table.expect("gw1", H)
    for node in (first, lost):
        table.collect(node)
    table.play(first)
    assert first.shutting_down
    assert table.refused == {}
    begun, *left = table.placed.node2pending[lost]
    assert begun == 1
    assert table.lose(lost) == "b"
    again = table.expect("gw2", H)
    table.collect(again)
    table.play(again)
    assert sorted({*table.had["gw0"], *table.had["gw2"], begun}) == list(range(6))
    assert set(left) <= set(table.had["gw2"])


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_worker_that_is_still_expected_may_offer_more(meanwhile: bool) -> None:
    table = Table(1)
    expected = table.expect("gw1", H) if meanwhile else None
    table.collect(table.expect("gw0", A))
    if expected is None:
        why = "No worker can run it: b needs an H100. gw0 offers an A100."
        assert table.refused == {"b": why}
    else:
        assert table.refused == {}
        table.collect(expected)
        assert table.had["gw1"][0] == 1


def test_of_a_worker_that_is_down_it_is_not_known_whether_another_follows() -> None:
    table = Table(2)
    lost = table.expect("gw0", H)
    table.collect(lost)
    lost.shutting_down = lost._down = True
    table.collect(table.expect("gw1", A))
    assert table.refused == {}
    assert table.lose(lost) is None
    table.collect(table.expect("gw2", H))
    assert table.had["gw2"][0] == 1


def test_what_a_worker_instead_of_a_lost_one_cannot_run_is_refused() -> None:
    table = Table(1)
    lost = table.expect("gw0", Misfits())
    table.collect(lost)
    assert table.lose(lost) == "a"
    nothing = dict.fromkeys(range(6), Misfit("it needs an A100", asked=True))
    again = table.expect("gw1", Misfits("an H100", nothing))
    table.collect(again)
    assert again.shutting_down
    why = "No worker can run it: it needs an A100. gw1 offers an H100. Another worker"
    assert sorted(table.refused) == sorted(TESTS[1:])
    assert {each.partition(" was lost")[0] for each in table.refused.values()} == {why}


@pytest.mark.parametrize("lost", [False, True])
def test_what_a_lost_worker_might_have_run_is_not_skipped(lost: bool) -> None:
    table = Table(1)
    if lost:
        table.dealer.pytest_testnodedown(table.expect("gw1", H), "crashed")
    table.collect(
        table.expect("gw0", Misfits("an A100", {1: Misfit("-", asked=False)}))
    )
    assert ("Another worker was lost." in table.refused["b"]) is lost
    assert table.skipped == ([] if lost else ["b"])


@pytest.mark.parametrize(
    "dist", ["load", "worksteal", "loadscope", "loadfile", "loadgroup"]
)
def test_a_lost_test_is_not_run_again(dist: str) -> None:
    table = Table(1, dist, GROUPED)
    first = table.expect("gw0", Misfits())
    table.collect(first)
    table.placed.mark_test_complete(first, table.had["gw0"][0])
    lost = table.lose(first)
    assert lost == GROUPED[table.had["gw0"][1]]
    again = table.expect("gw1", Misfits())
    table.collect(again)
    table.play(again)
    assert again.shutting_down
    assert sorted([*table.had["gw0"][:2], *table.had["gw1"]]) == list(range(12))


@pytest.mark.parametrize(
    ("dist", "together"),
    [
        ("loadscope", [{0, 1, 2}, {3, 4, 5}, {6, 7, 8, 9, 10, 11}]),
        ("loadfile", [{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}]),
        ("loadgroup", [{3, 4, 5}]),
    ],
)
def test_what_belongs_together_goes_to_one_worker(
    dist: str, together: list[set[int]]
) -> None:
    table = Table(2, dist, GROUPED)
    nodes = [table.expect(name, Misfits()) for name in ("gw0", "gw1")]
    for node in nodes:
        table.collect(node)
    assert all(table.had.values())
    for node in nodes:
        table.play(node)
    had = [set(numbers) for numbers in table.had.values()]
    assert sorted([*had[0], *had[1]]) == list(range(12))
    for numbers in together:
        assert any(numbers <= each for each in had)


def test_of_what_is_stolen_elsewhere_nobody_has_more_than_two() -> None:
    table = Table(1, "worksteal", GROUPED)
    table.collect(table.expect("gw0", Misfits()))
    assert len(table.had["gw0"]) == 2


@pytest.mark.parametrize(
    ("found", "other"),
    [
        (TESTS[::-1], "any4 where they found a"),
        (TESTS[:-1], "none where they found any4"),
        ([*TESTS, "\x1b[2J"], "\x1b[2J where they found none"),
    ],
)
def test_a_worker_that_finds_other_tests_gets_none(
    found: list[str], other: str
) -> None:
    table = Table(2)
    lost, living = table.expect("gw0", Misfits()), table.expect("gw1", Misfits())
    for node in (lost, living):
        table.collect(node)
    assert table.lose(lost) == "a"
    again = table.expect("gw2", Misfits())
    table.collect(again, found)
    assert again.shutting_down
    assert table.differ == [
        f"worker gw2 found other tests than those before it, and gets none: {other}"
    ]
    table.play(living)
    assert table.had["gw2"] == []
    assert sorted({0, *table.had["gw1"]}) == list(range(6))
    assert table.refused == {}


def test_workers_that_find_different_tests_get_none() -> None:
    table = Table(2)
    table.collect(table.expect("gw0", Misfits()))
    table.collect(table.expect("gw1", Misfits()), TESTS[::-1])
    assert table.differ == ["workers found different tests"]
    assert table.had == {"gw0": [], "gw1": []}
