"""Runs in xdist's workers, which have no terminal: they tell the controller.

Each gets an execnet channel of its own in ``workerinput``, which xdist hands on as it
is; so no event of xdist's has to be made up, and its workers may be on other machines.
The controller collects nothing and need not know of any run before a worker tells of
one: what shows them, and all that it imports, waits until then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from math import inf
from queue import Empty
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mighetero.plugin.presence import SESSION, session_of
from pytest_mighetero.terms.printable import printable_line

if TYPE_CHECKING:
    from pytest_mighetero.plugin.console.display import Viewer
    from pytest_mighetero.plugin.console.rows import Row
    from pytest_mighetero.plugin.console.view import Sight

_CHANNEL, _WATCHED = "mighetero_view", "mighetero_watched"
_NAME = "mighetero-workers"
_EVERY_S = 1.0
_RUNS = ""  # what a worker says that is to run some


class Relay:
    """What a worker has in place of a terminal.

    Attributes:
        watched: whether the controller shows what it is told.

    Args:
        channel: to the controller; None where that does not listen.
    """

    def __init__(self, channel: Any, *, watched: bool) -> None:
        self._channel, self.watched = channel, watched

    def show(self, sight: Sight) -> None:
        """Tell the controller."""
        if self._channel is None:
            return
        try:
            self._channel.send(sight.sentence())
        except Exception:  # noqa: BLE001 - no run is worth less for what is shown of it
            self._channel = None

    def announce(self, line: str) -> None:
        """Do nothing: the controller is told again and again."""

    def clear(self) -> None:
        """Do nothing: the run's report tells the controller that it is over."""


def relay_of(config: pytest.Config) -> Relay | None:
    """Return what a worker has in place of a terminal; None where this is none."""
    told = getattr(config, "workerinput", None)
    if told is None:
        return None
    return Relay(told.get(_CHANNEL), watched=told.get(_WATCHED, False))


def tell_of_runs(config: pytest.Config) -> None:
    """Have a worker tell its controller that there are runs, before any begins."""
    channel = getattr(config, "workerinput", {}).get(_CHANNEL)
    if channel is not None:
        channel.send(_RUNS)


def listen(node: Any) -> None:
    """Have a worker that is about to start tell what its runs do.

    Where an xdist of another version has no such thing, nothing is known of them.
    """
    with suppress(Exception):  # no session is worth less for what is shown of it
        manager = node.config.pluginmanager
        if (workers := manager.getplugin(_NAME)) is None:
            workers = Workers(node.config, manager.getplugin("dsession").queue)
            manager.register(workers, _NAME)
        workers.listen(node)


class Workers:
    """What the workers do, as their controller sees it: a line for each run.

    Args:
        config: the controller's.
        queue: of xdist's events: whenever it is waited for, there is time to show them.
    """

    def __init__(self, config: pytest.Config, queue: Any) -> None:
        self._config, self._queue = config, queue
        self._each = config.getoption("dist", None) == "each"
        self._total: dict[str, int] = {}  # tests, by the worker that collected them
        self._over: set[tuple[str, str]] = set()
        self._others = False  # whether any of these was none of ours
        self._said: dict[str, str] = {}
        self._begin, self._next = time.monotonic(), 0.0
        self._lock = threading.Lock()
        self._get: Callable[..., object] | None = None  # the queue's, once it is needed
        self._guard = ExitStack()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Guard the session, as soon as it is known to have runs."""
        with self._guard:
            return (yield)

    def listen(self, node: Any) -> None:
        """Give a worker a channel to tell what it does."""
        shows = self._config.pluginmanager.hasplugin("terminalreporter")
        if SESSION in self._config.stash:
            shows &= session_of(self._config).viewer.watched
        node.workerinput[_WATCHED] = shows
        node.workerinput[_CHANNEL] = channel = node.gateway.newchannel()
        channel.setcallback(partial(self._hear, node.gateway.id))

    def _hear(self, worker: str, said: object) -> None:
        """Note what one says; this is a thread of execnet's, where nothing is shown.

        It says that it has runs before xdist hears that it has collected its tests, so
        the event after that is asked for here.
        """
        if said != _RUNS:
            self._said[worker] = printable_line(str(said))
        with self._lock:
            if self._get is None:
                self._get, self._queue.get = self._queue.get, self._get_and_show

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(
        self, node: Any, ids: Sequence[str]
    ) -> None:
        """Note how many tests there are."""
        self._total[node.gateway.id] = len(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Forget a run that is over, or whose worker has crashed."""
        if report.when not in ("setup", "call"):
            node = getattr(report, "node", None)
            worker = "" if node is None else node.gateway.id
            self._over.add((worker if self._each else "", report.nodeid))
            ours = hasattr(report, "mighetero") or report.when != "teardown"
            self._others |= not ours
            self._forget(worker)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Forget what a dead worker did."""
        self._forget(node.gateway.id)

    def _forget(self, worker: str) -> None:
        if self._said.pop(worker, None) is not None and self._get is not None:
            with suppress(Exception):
                self._viewer.clear()

    @property
    def _viewer(self) -> Viewer:
        """What shows them; in the main thread alone."""
        return session_of(self._config).viewer

    def _get_and_show(self, block: bool = True, timeout: float | None = None) -> object:
        """Do what the queue's own ``get`` does."""
        get = self._get
        assert get is not None
        if SESSION not in self._config.stash:  # no option told of runs
            self._guard.enter_context(session_of(self._config).guarded())
        until = time.monotonic() + (inf if timeout is None else timeout)
        while block:
            left = min(until - time.monotonic(), self._show())
            try:
                return get(timeout=max(0.0, left))
            except Empty:
                if time.monotonic() >= until:
                    raise
        return get(block=False)

    def _show(self) -> float:
        """Show them, where it is time to, and return when it is next."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY_S
            if self._said:
                with suppress(Exception):
                    self._viewer.show(self)
        return self._next - now

    def headline(self) -> str:
        """Return how many runs there are, and how long the session goes on."""
        from pytest_mighetero.plugin.console.rows import shown

        totals, over = self._total.values(), len(self._over)
        total = sum(totals) if self._each else max(totals, default=0)
        said = [f"{len(self._said)} in flight, {over} of {total} tests are over"]
        if over and total > over and not self._others:  # which take next to no time
            seconds = (time.monotonic() - self._begin) / over
            said.append(f"~{shown(seconds * (total - over))} for the rest")
        return ", ".join(said)

    def rows(self, most: int) -> Sequence[Row]:
        """Return a line for each run."""
        from pytest_mighetero.plugin.console.rows import Row

        runs = sorted(self._said.copy().items())
        rows = [Row((worker, said)) for worker, said in runs]
        if len(rows) <= most:
            return rows
        fit = max(0, most - 1)
        return [*rows[:fit], Row((f"{len(rows) - fit} more",), "faint")] if most else []

    def sentence(self) -> str:
        """Return what each does, for a log."""
        runs = sorted(self._said.copy().items())
        each = [f"{worker} {said}" for worker, said in runs]
        return "; ".join([*each, self.headline()])
