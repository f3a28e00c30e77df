"""Deals tests to workers that can run them: xdist's own way, but for what cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import pytest
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

from pytest_mighetero.plugin.slurm.misfits import CHANNEL, Misfits, read

ANSWER_S = 10.0  # longest for what a worker told before it told which tests there are
TOGETHER: dict[str, Callable[[str], str]] = {  # what one worker runs, as xdist has it
    "loadscope": lambda test: test.rsplit("::", 1)[0],
    "loadfile": lambda test: test.split("::", 1)[0],
    "loadgroup": lambda test: (
        test.rsplit("@", 1)[-1] if test.rfind("@") > test.rfind("]") else test
    ),
}


class Dealer:
    """Knows what workers can run; a plugin of the controller.

    Args:
        refuse: reports a test that nobody can run, why, and whether it was asked for.
        differ: tells people that workers have found different tests.
    """

    def __init__(
        self,
        refuse: Callable[[str, str, bool], None],
        differ: Callable[[str], None],
    ):
        self._refuse, self.differ = refuse, differ
        self._lost = False  # a worker, which may have been the one that could
        self._channels: dict[object, Any] = {}
        self.known: dict[object, Misfits] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker a channel to tell what it cannot run."""
        node.workerinput[CHANNEL] = self._channels[node] = node.gateway.newchannel()

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """Hear what it has told."""
        self.known[node] = Misfits()
        channel = self._channels.pop(node)
        lost = channel.RemoteError, channel.TimeoutError, EOFError, OSError
        with suppress(*lost):
            self.known[node] = read(channel.receive(ANSWER_S))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Expect nothing more of a worker."""
        self._channels.pop(node, None)
        self._lost = self._lost or bool(error)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Deal where xdist would, whatever ``--dist`` says.

        By scope, file or group xdist 3.8 has a lost test run again, and a worker that
        gets what is left of a group wait for ever; stealing, it deals to workers that
        have yet to tell which tests they find.
        """
        return Placed(config, log, self)

    @property
    def expects(self) -> bool:
        """Whether a worker has still to tell what it can run."""
        return bool(self._channels)

    def refuse(self, test: str, number: int, nodes: Sequence[WorkerController]) -> None:
        """Report a test that none of the workers *nodes* can run."""
        misfits = [self.known[node].tests[number] for node in nodes]
        offers = "; ".join(
            f"{node.gateway.id} offers {self.known[node].offer}" for node in nodes
        )
        why = "; ".join(dict.fromkeys(each.why.rstrip(".") for each in misfits))
        lost = " Another worker was lost." * self._lost
        asked = self._lost or any(each.asked for each in misfits)
        self._refuse(test, f"No worker can run it: {why}. {offers}.{lost}", asked)


class Placed(LoadScheduling):  # type: ignore[misc]
    """xdist's scheduling by load, in which a worker gets only what it can run.

    What the fewest can run goes first, so that it does not wait behind what all can.
    What ``--dist`` has together goes to one worker, as far as that can run it.
    """

    def __init__(self, config: pytest.Config, log: Any, dealer: Dealer):
        super().__init__(config, log)
        self._dealer = dealer
        self._refuses = True
        dist = config.getvalue("dist")
        self._together = TOGETHER.get(dist, str)
        self._largest_first = config.getoption("loadscopereorder", True)  # xdist 3.7
        if dist == "worksteal":
            self.maxschedchunk = 1  # two for each, and of two xdist steals none

    def add_node_collection(
        self, node: WorkerController, collection: Sequence[str]
    ) -> None:
        """Take note of what a worker has found; one that is late is held to it."""
        super().add_node_collection(node, collection)
        if node not in self.node2collection:
            pairs = zip_longest(collection, self.collection or (), fillvalue="none")
            found, expected = next(pair for pair in pairs if pair[0] != pair[1])
            self._dealer.differ(
                f"worker {node.gateway.id} found other tests than those before it, and "
                f"gets none: {found} where they found {expected}"
            )

    def schedule(self) -> None:
        """Report what nobody can run, and deal to all."""
        self._refuses = True
        if self.collection is not None:  # xdist ends a worker that has nothing to run
            self._refuse()
        super().schedule()
        if self.collection is None:  # xdist says what differs
            self._dealer.differ("workers found different tests")
            return
        self._refuse()
        for node in self.nodes:  # xdist leaves some with one test, for it has others
            self.check_schedule(node)

    def _refuse(self) -> None:
        assert self.collection is not None
        down = any(node._down for node in self.nodes)  # noqa: SLF001 - lost, unheard of
        if self._dealer.expects or down or not self._refuses:
            return
        self._refuses = False
        nodes = [node for node in self._open() if node in self.node2collection]
        nobodys = [n for n in self.pending if not self._takers(n)] if nodes else []
        for number in nobodys:
            self.pending.remove(number)
            self._dealer.refuse(self.collection[number], number, nodes)

    def check_schedule(self, node: WorkerController, duration: float = 0) -> None:
        """Give a worker more, or end it where there is nothing more that it can run."""
        if node not in self._dealer.known or node.shutting_down:
            return
        if any(self._fits(node, number) for number in self.pending):
            super().check_schedule(node, duration)
        else:
            node.shutdown()

    def _send_tests(self, node: WorkerController, num: int) -> None:
        self._refuse()  # before the first, for it may be what --maxfail stops at
        stops = self.config.pluginmanager.getplugin("dsession").shouldstop
        if stops or node.shutting_down:
            return
        assert self.collection is not None
        groups: dict[str, list[int]] = {}
        for number in self.pending:
            if self._fits(node, number):
                name = self._together(self.collection[number])
                groups.setdefault(name, []).append(number)
        chosen: list[int] = []
        for group in sorted(groups.values(), key=self._order):
            if len(chosen) < num:
                chosen += group
        if chosen:
            self.pending[:] = [n for n in self.pending if n not in set(chosen)]
            self.node2pending[node].extend(chosen)
            node.send_runtest_some(chosen)

    def _order(self, group: Sequence[int]) -> tuple[int, int]:
        fewest = min(len(self._takers(number)) for number in group)
        return fewest, -len(group) * self._largest_first

    def _fits(self, node: WorkerController, number: int) -> bool:
        known = self._dealer.known.get(node)
        if known is None or node not in self.node2collection:
            return False  # what a number means to it is not known, or another test
        return number not in known.tests

    def _takers(self, number: int) -> list[WorkerController]:
        return [node for node in self._open() if self._fits(node, number)]

    def _open(self) -> Iterator[WorkerController]:
        return (node for node in self.nodes if not node.shutting_down)
