"""The signals that end a session with runs as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

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
