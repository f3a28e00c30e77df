"""Deals tests to workers that can run them: xdist's own way, but for what cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

from pytest_mighetero.plugin.slurm.misfits import CHANNEL, Misfits, read

ANSWER_S = 10.0  # longest for what a worker told before it told which tests there are


class Dealer:
    """Knows what workers can run; a plugin of the controller.

    Args:
        refuse: reports a test that nobody can run, why, and whether it was asked for.
    """

    def __init__(self, refuse: Callable[[str, str, bool], None]):
        self._refuse = refuse
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
        """Deal where xdist would: by load. Who says how leaves it to xdist."""
        return Placed(config, log, self) if config.getvalue("dist") == "load" else None

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
    """

    def __init__(self, config: pytest.Config, log: Any, dealer: Dealer):
        super().__init__(config, log)
        self._dealer = dealer
        self._refuses = True

    def schedule(self) -> None:
        """Report what nobody can run, and deal to all."""
        self._refuses = True
        super().schedule()
        if self.collection is None:
            return  # the workers found different tests, which xdist has said
        self._refuse()
        for node in self.nodes:  # xdist leaves some with one test, for it has others
            self.check_schedule(node)

    def _refuse(self) -> None:
        assert self.collection is not None
        if self._dealer.expects or not self._refuses:
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
        if self.config.pluginmanager.getplugin("dsession").shouldstop:
            return
        fitting = [number for number in self.pending if self._fits(node, number)]
        chosen = sorted(fitting, key=lambda n: len(self._takers(n)))[:num]
        if chosen:
            self.pending[:] = [n for n in self.pending if n not in set(chosen)]
            self.node2pending[node].extend(chosen)
            node.send_runtest_some(chosen)

    def _fits(self, node: WorkerController, number: int) -> bool:
        known = self._dealer.known.get(node)
        return known is not None and number not in known.tests

    def _takers(self, number: int) -> list[WorkerController]:
        return [node for node in self._open() if self._fits(node, number)]

    def _open(self) -> Iterator[WorkerController]:
        return (node for node in self.nodes if not node.shutting_down)
