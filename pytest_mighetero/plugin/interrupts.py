"""What ends a session with runs before its time: signals, and xdist's controller."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytest

from pytest_mighetero.harness.guard import PR_SET_PDEATHSIG, prctl
from pytest_mighetero.plugin.annotation import MADE_HERE

Location = tuple[str, "int | None", str]
BY_CONTROLLER = "the xdist controller"

_AGAIN_S = 0.05  # by then, whatever swallowed an interrupt is over

_DEFAULTS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Leave pytest to its last lines and its junit file."""


class Interrupts:
    """SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does.

    pytest itself would end at once, without teardown and without a junit file; CI
    systems cancel with SIGTERM. What the process ignores (nohup) or handles already
    is left as it is, and so is everything outside the main thread. Python swallows
    one that is raised in a ``__del__`` or in a weak reference's callback, of which
    every import has one: that is raised again.
    """

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}
        self._reason: str | None = None
        self._raised = False
        self._again: threading.Timer | None = None

    def install(self) -> None:
        """From now on, interrupt."""
        if threading.current_thread() is threading.main_thread():
            for number, handler in _DEFAULTS.items():
                if signal.getsignal(number) is handler:
                    self._previous[number] = signal.signal(number, self._raise)

    def _raise(self, number: int, _frame: FrameType | None) -> None:
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        reason, self._reason, self._raised = self._reason or name, None, True
        raise KeyboardInterrupt(reason)

    def interrupt(self, reason: str) -> None:
        """Interrupt from another thread, unless that has been done already."""
        main = threading.main_thread().ident
        if main is not None and signal.SIGTERM in self._previous and not self._raised:
            self._reason = reason
            signal.pthread_kill(main, signal.SIGTERM)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Meanwhile, raise an interrupt again that Python swallowed."""
        before = sys.unraisablehook

        def hook(swallowed: sys.UnraisableHookArgs) -> None:
            ours = issubclass(swallowed.exc_type, KeyboardInterrupt)
            if not (ours and self._previous):
                before(swallowed)
                return
            again = (str(swallowed.exc_value), threading.get_ident())
            self._again = threading.Timer(_AGAIN_S, self._repeat, again)
            self._again.start()

        sys.unraisablehook = hook
        try:
            yield
        finally:
            sys.unraisablehook = before

    def _repeat(self, reason: str, main: int) -> None:
        self._reason = reason
        signal.pthread_kill(main, next(iter(self._previous)))

    # Innermost: until its 8.3, pytest has a hook of its own around each phase.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Lose no interrupt while a test is set up."""
        with self._heard():
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Lose no interrupt while a test runs."""
        with self._heard():
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Lose no interrupt while a test is torn down."""
        with self._heard():
            return (yield)

    def ignore(self) -> None:
        """From now on, let pytest write its files: a session is about to end."""
        if self._again is not None:
            self._again.cancel()
        for number in self._previous:
            signal.signal(number, _ignore)

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)


@contextmanager
def tethered(config: pytest.Config, interrupt: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile, have a worker die with its controller, and stop when that stops.

    By itself a worker runs on: execnet 2.1 lets it finish for 5 s, interrupts it, and
    ends it 10 s later. Guards end the harnesses of a worker that is killed.
    """
    if (channel := _channel(config)) is None:  # no worker
        yield
        return
    over = threading.Event()

    def wait() -> None:
        try:
            with suppress(channel.RemoteError):
                channel.waitclose()
        except EOFError:  # the controller is dead, or cannot be reached any more
            if not over.is_set():
                os.kill(os.getpid(), signal.SIGKILL)
        if not over.is_set():
            interrupt(BY_CONTROLLER)

    threading.Thread(target=wait, name="mighetero-tether", daemon=True).start()
    # Where it is our parent: a process that is stopped, or busy in C code, dies, too.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        yield
    finally:
        over.set()
        prctl(PR_SET_PDEATHSIG, 0)


def _channel(config: pytest.Config) -> Any:
    """Return execnet's channel to the controller, if this xdist has one."""
    plugins = config.pluginmanager.get_plugins()
    named = (p for p in plugins if type(p).__name__ == "WorkerInteractor")
    return getattr(next(named, None), "channel", None)


class InFlight:
    """Follows the runs that workers have begun; a plugin of the controller.

    A worker that is interrupted with its controller cannot report any more, and a
    junit file without the test would look as if nobody had asked for it.
    """

    def __init__(self, config: pytest.Config, names: frozenset[str]):
        self._config, self._names = config, names
        self._begun: dict[str, Location] = {}
        self._setup: dict[str, pytest.TestReport] = {}

    def pytest_runtest_logstart(self, nodeid: str, location: Location) -> None:
        """Remember a run by its id."""
        # Beside the parameters of others: pytest-repeat's, those of a test's own.
        said = f"-{nodeid.partition('[')[2].removesuffix(']')}-"
        if any(f"-{name}-" in said for name in self._names):
            self._begun[nodeid] = location
            self._setup.pop(nodeid, None)  # of an earlier execution

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what is known after setup; forget a run that has ended or crashed."""
        if report.when == "setup":
            self._setup[report.nodeid] = report
        elif report.when != "call":
            self._begun.pop(report.nodeid, None)

    def report_interrupted(self, reason: str) -> None:
        """Report every run in flight as an error."""
        for nodeid, location in list(self._begun.items()):
            known = self._setup.get(nodeid)
            report = pytest.TestReport(
                nodeid,
                location,
                keywords={},
                outcome="failed",
                longrepr=f"Interrupted by {reason} in an xdist worker, which stops "
                f"every harness; the record below --results-dir has what was known.",
                when="teardown" if known else "setup",
                user_properties=known.user_properties if known else (),
            )
            setattr(report, MADE_HERE, True)
            if known and hasattr(known, "node"):
                report.node = known.node  # type: ignore[attr-defined]
            self._config.hook.pytest_runtest_logreport(report=report)
