"""What a cell of the fault matrix is made of: behaviours, endings, acts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.harness.cell import Run

Behaviour = dict[str, Any]
Act = Callable[["Run"], object]
FOREVER = 300  # seconds: longer than any test waits


@dataclass(frozen=True)
class Ending:
    """How a run ends, and what must be seen then.

    Attributes:
        name: for the test's id and the table.
        code: pytest's exit code.
        phase: where junit has the problem; none where pytest writes no junit.
        says: part of the problem's text, in junit or else on the terminal.
        recorded: the phases that the run's record has.
        at: the phase to wait for before ``act``.
        act: what is done to the run from outside.
        options: pytest's.
        only: what single benchmarks do differently from the others.
        environment: for the run's conftest.
        whole_log: whether pytest and guards lived to read everything.
    """

    name: str
    code: int
    phase: str | None
    says: str
    recorded: tuple[str, ...]
    at: str = ""
    act: Act | None = None
    options: tuple[str, ...] = ()
    only: dict[str, Behaviour] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    whole_log: bool = True


@dataclass(frozen=True)
class Served:
    """How servers, and the clients that load them, differ from the usual.

    Attributes:
        servers: what they do, by benchmark: alpha is main's, beta the background's.
        suite: what their table of the suite says otherwise.
        taken: whether the port of alpha's is another program's.
    """

    servers: dict[str, Behaviour] = field(default_factory=dict)
    suite: dict[str, Any] = field(default_factory=dict)
    taken: bool = False


@dataclass(frozen=True)
class Fault:
    """What harnesses do.

    Attributes:
        name: for the test's id and the table.
        every: what every harness does.
        itself: how the run ends if nobody ends it; None for the common endings.
        served: of a run whose workloads are clients of servers, how it differs from
            ``tests/lab/web_suite.py``; None for the tests' own harness.
    """

    name: str
    every: Behaviour
    itself: Ending | None = None
    served: Served | None = None


def send(*numbers: signal.Signals) -> Act:
    def act(run: Run) -> None:
        for number in numbers:
            run.send(number)

    return act


def signal_guard(number: signal.Signals, role: str = "background-1-bert") -> Act:
    return lambda run: os.kill(run.guard(role)[0], number)


SETUP, CALL, ALL = ("setup",), ("setup", "call"), ("setup", "call", "teardown")
NO_CALL = ("setup", "teardown")
NEVER_READY: dict[str, Behaviour] = {"bert": {"marker": "", "load": 60}}
SHORT_MAIN: dict[str, Behaviour] = {"dlrm": {"test": 0.3}}
BAD_MAIN: dict[str, Behaviour] = {"dlrm": {"test": 0.4, "die": ["middle", 3]}}
XDIST = ("-p", "xdist", "-n1")
BAD = "failed: it exited with code 2 (make: Error 3)"
ONLY = {"setup": NEVER_READY, "call": {}, "teardown": SHORT_MAIN}
DOING = {"setup": "", "call": "main runs", "teardown": "backgrounds"}


def itself(phase: str, says: str, code: int = 1, **how: Any) -> Ending:
    recorded = NO_CALL if phase == "setup" else ALL
    return Ending("by itself", code, phase, says, recorded, **how)


BERT = "background-1-bert"
BERT_KILLED = "background bert_offline exited with code 137"
CHATTY: Behaviour = {"test": FOREVER, "tree": "chatty"}
BARE: Behaviour = {"test": FOREVER, "tree": "deaf daemon bare"}
