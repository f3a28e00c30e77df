"""How a run ends that is interrupted: with everything stopped, teardown and junit."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plugin.execution import LOGGED, execution_of
from pytest_mighetero.plugin.fixtures import CALL_PASSED, CASE, KEEPER, STATE
from pytest_mighetero.plugin.settings import run_spec

if TYPE_CHECKING:
    from pytest_mighetero.run.case import Case

INTERRUPTS: pytest.StashKey[Interrupts] = pytest.StashKey()

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
    is left as it is, and so is everything outside the main thread.
    """

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}
        self._reason: str | None = None
        self._raised = False

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

    def ignore(self) -> None:
        """From now on, let pytest write its files: a session is about to end."""
        for number in self._previous:
            signal.signal(number, _ignore)

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def end_everything(item: pytest.Item, case: Case | None) -> None:
    """Stop the run of *item*, and the backgrounds that are kept up.

    Raises:
        HarnessError: something survived SIGKILL.
    """
    try:
        if case is not None:
            case.close()
    finally:
        if KEEPER in item.config.stash:
            item.config.stash[KEEPER].end()


def report_interrupted(item: pytest.Item, reason: str) -> None:
    """Stop the run of *item* and report it as an error; pytest would not mention it."""
    case, state = item.stash.get(CASE, None), item.stash.get(STATE, None)
    doing = state.doing if state is not None else "it was prepared"
    item.stash[CALL_PASSED] = False  # teardown has nothing left to judge
    text = f"Interrupted by {reason} while {doing}; every harness was stopped."
    try:
        end_everything(item, case)
    except HarnessError as error:
        said = run_spec(item.config).secrets.mask(str(error))
        text = f"Interrupted by {reason} while {doing}. {said}"
    except KeyboardInterrupt:
        text += " It was interrupted again meanwhile."
    if INTERRUPTS in item.config.stash:
        item.config.stash[INTERRUPTS].ignore()
    made = execution_of(item).made
    logged = item.config.stash.get(LOGGED, None)
    told = logged is not None and logged.last == (item.nodeid, "teardown")
    if "teardown" in made and told:
        return  # it was over, and has been reported
    if case is not None:
        item.add_report_section("teardown", "stdout", case.block())

    def fail() -> None:
        raise pytest.fail.Exception(text, pytrace=False) from None

    if not made:
        _report(item, "setup", fail)
        _report(item, "teardown", lambda: None)
    else:
        _report(item, "teardown", fail)


def _report(item: pytest.Item, when: str, action: Callable[[], None]) -> None:
    call = pytest.CallInfo.from_call(action, when)  # type: ignore[arg-type]
    report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    try:
        item.ihook.pytest_runtest_logreport(report=report)
    except OSError:
        return  # an xdist worker whose controller is gone
