"""Runs in xdist's workers, which have no terminal: they tell the controller.

Each gets an execnet channel of its own in ``workerinput``, which xdist hands on as it
is; so no event of xdist's has to be made up, and its workers may be on other machines.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from math import inf
from queue import Empty
from typing import Any

import pytest

from pytest_mighetero.plugin.console.rows import Row, shown
from pytest_mighetero.plugin.console.view import Sight, View
from pytest_mighetero.terms.printable import printable_line

CHANNEL = "mighetero_view"
_EVERY_S = 1.0


class Relay:
    """What a worker has in place of a terminal.

    Args:
        channel: to the controller; None where that does not listen.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    @property
    def watched(self) -> bool:
        """Whether the controller listens."""
        return self._channel is not None

    def show(self, sight: Sight) -> None:
        """Tell the controller."""
        if self._channel is None:
            return
        try:
            self._channel.send(sight.sentence())
        except OSError:  # it is gone, which ends this worker soon
            self._channel = None

    def announce(self, line: str) -> None:
        """Do nothing: the controller is told again and again."""

    def clear(self) -> None:
        """Do nothing: the run's report tells the controller that it is over."""


class Workers:
    """What the workers do, as their controller sees it: a line for each run.

    Args:
        view: what shows them.
        session: knows the number of tests, once a worker has collected them.
        queue: of xdist's events: whenever it is waited for, there is time to show them.
    """

    def __init__(self, view: View, session: pytest.Session, queue: Any) -> None:
        self._view, self._session, self._next = view, session, 0.0
        self._said: dict[str, str] = {}
        self._begin, self._over = time.monotonic(), 0
        self._get, queue.get = queue.get, self._get_and_show

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker a channel to tell what it does."""
        node.workerinput[CHANNEL] = channel = node.gateway.newchannel()
        channel.setcallback(partial(self._hear, node.gateway.id))

    def _hear(self, worker: str, said: object) -> None:
        self._said[worker] = printable_line(str(said))  # in execnet's thread

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Forget a run that is over."""
        if report.when == "teardown":
            self._over += 1
            if (node := getattr(report, "node", None)) is not None:
                self._said.pop(node.gateway.id, None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Forget what a dead worker did."""
        self._said.pop(node.gateway.id, None)

    def _get_and_show(self, block: bool = True, timeout: float | None = None) -> object:
        """Do what the queue's own ``get`` does."""
        until = time.monotonic() + (inf if timeout is None else timeout)
        while block:
            left = min(until - time.monotonic(), self._show())
            try:
                return self._get(timeout=max(0.0, left))
            except Empty:
                if time.monotonic() >= until:
                    raise
        return self._get(block=False)

    def _show(self) -> float:
        """Show them, where it is time to, and return when it is next."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY_S
            if self._said:
                self._view.show(self)
        return self._next - now

    def headline(self) -> str:
        """Return how many runs there are, and how long the session goes on."""
        total = self._session.testscollected
        said = [f"{len(self._said)} in flight, {self._over} of {total} tests are over"]
        if self._over and total > self._over:
            seconds = (time.monotonic() - self._begin) / self._over
            said.append(f"~{shown(seconds * (total - self._over))} for the rest")
        return ", ".join(said)

    def rows(self, most: int) -> Sequence[Row]:
        """Return a line for each run."""
        runs = sorted(self._said.items())
        rows = [Row((worker, said)) for worker, said in runs]
        if len(rows) <= most:
            return rows
        fit = max(0, most - 1)
        return [*rows[:fit], Row((f"{len(rows) - fit} more",), "faint")] if most else []

    def sentence(self) -> str:
        """Return what each does, for a log."""
        runs = sorted(self._said.items())
        each = [f"{worker} {said}" for worker, said in runs]
        return "; ".join([*each, self.headline()])
