"""Deaths of those who would end a run: guards, controllers, workers; and stops."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.harness.ending import (
    ALL,
    BAD,
    BAD_MAIN,
    BARE,
    BERT,
    BERT_KILLED,
    CALL,
    CHATTY,
    FOREVER,
    NO_CALL,
    ONLY,
    SETUP,
    SHORT_MAIN,
    XDIST,
    Act,
    Ending,
    Fault,
    itself,
    send,
)
from tests.lab.processes import below

if TYPE_CHECKING:
    from tests.harness.cell import Run

# Of two workers with one GPU, the second waits for its lease.
TWO = ("-p", "xdist", "-n2", "-k", "dlrm")
# A worker whose parent is not the controller, as behind ssh.
FAR = ("-p", "xdist", "--dist=load", "--tx=popen//python=./far")
LONG_GRACE = "--mig-stop-grace=5min"  # longer than anyone waits: all end by themselves


def kill_guard(*which: int, pytest_too: bool = False) -> Act:
    """Kill one or both of a background's guard's two processes."""

    def act(run: Run) -> None:
        guard = run.guard(BERT)
        if pytest_too:
            run.process.kill()
        for each in which:
            os.kill(guard[each], signal.SIGKILL)

    return act


def stop(what: str, *then: signal.Signals, role: str = BERT) -> Act:
    """Stop the ``guard`` of *role*, or the ``tree`` below it, then signal pytest."""

    def act(run: Run) -> None:
        guard = run.guard(role)
        for pid in guard if what == "guard" else below(guard[1]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        for number in then:
            run.send(number)

    return act


def stop_workers_and_kill(run: Run) -> None:
    """Kill the controller of workers that cannot notice it."""
    for worker in ("gw0", "gw1"):
        run.signal(worker, signal.SIGSTOP)
    run.send(signal.SIGKILL)


def killed(name: str, at: str, act: Act, *options: str, **how: Any) -> Ending:
    """Pytest is killed, or the controller of xdist workers."""
    recorded = {"call": SETUP, "teardown": CALL}.get(at, ())
    only = how.pop("only", ONLY.get(at, {}))
    return Ending(name, -9, None, "", recorded, at, act, options, only, whole_log=False)


def worker_killed(name: str, at: str) -> Ending:
    return Ending(
        name,
        1,
        "setup",
        "worker 'gw0' crashed while running",
        {"call": SETUP, "teardown": CALL}.get(at, ()),
        at,
        lambda run: run.signal("gw0", signal.SIGKILL),
        XDIST,
        ONLY[at],
        whole_log=False,
    )


KILL = send(signal.SIGKILL)
XDIST_ENDINGS = [
    worker_killed("worker killed", "call"),
    killed("controller killed", "call", KILL, *TWO),
    killed("controller of stopped workers killed", "call", stop_workers_and_kill, *TWO),
    Ending(
        "SIGTERM to the controller",
        2,
        "teardown",
        "Interrupted by SIGTERM in an xdist worker",
        ALL,
        "teardown",
        send(signal.SIGTERM),
        XDIST,
        ONLY["teardown"],
    ),
]


def stopped(name: str, what: str) -> Iterator[Fault]:
    """Whatever ends a run with something stopped, that ends in its own way."""
    fault = f"{name} is stopped, "
    for number, who in (
        (signal.SIGINT, "Ctrl-C"),
        (signal.SIGTERM, "SIGTERM"),
        (signal.SIGHUP, "SIGHUP"),
    ):
        ending = itself(
            "teardown",
            f"Interrupted by {who} while main runs",
            code=2,
            at="call",
            act=stop(what, number),
            options=(LONG_GRACE,),
        )
        yield Fault(fault + who, CHATTY, replace(ending, recorded=NO_CALL))
    act = stop(what, signal.SIGKILL)
    yield Fault(fault + "SIGKILL", CHATTY, killed("by itself", "call", act))
    timeout = itself(
        "teardown",
        "Timeout (>2.0s) from pytest-timeout while backgrounds",
        at="teardown",
        act=stop(what),
        options=("--timeout=600", "--timeout-method=signal", LONG_GRACE),
        only=SHORT_MAIN,
        environment={"ARM": "teardown:2"},
    )
    yield Fault(fault + "timeout", CHATTY, timeout)
    automatic = "--background-benchmark-duration=automatic"
    end = itself(
        "none",
        "",
        code=0,
        at="teardown",
        act=stop(what),
        options=(automatic, LONG_GRACE, "--end-time-buffer-min=2s"),
        only=SHORT_MAIN,
    )
    yield Fault(fault + "end", CHATTY, end)


def at_other_moments() -> Iterator[Fault]:
    """What kills a controller, or a worker, at any other moment of a run."""
    settle = ("--settle-time=20s", "--background-benchmark-duration=25s")
    session = "--background-scope=session"
    for name, ending in {
        "controller killed in setup": killed("", "setup", KILL, *TWO),
        "controller killed settling": killed("", "settling", KILL, *TWO, *settle),
        "controller killed in teardown": killed("", "teardown", KILL, *TWO),
        "controller killed, session scope": killed("", "call", KILL, *TWO, session),
        "controller of a far worker killed": killed("", "call", KILL, *FAR),
        "worker killed in setup": worker_killed("", "setup"),
        "worker killed in teardown": worker_killed("", "teardown"),
    }.items():
        yield Fault(name, BARE, replace(ending, name="by itself"))


DEATHS = [
    Fault(
        "guard of a bare daemon is killed",
        BARE,
        itself("call", BERT_KILLED, at="call", act=kill_guard(0), whole_log=False),
    ),
    Fault(
        "guard's second is killed",
        BARE,
        itself("call", BERT_KILLED, at="call", act=kill_guard(1), whole_log=False),
    ),
    Fault(
        "both of a guard are killed",
        {"test": FOREVER, "tree": "deaf daemon"},
        itself("call", BERT_KILLED, at="call", act=kill_guard(0, 1), whole_log=False),
    ),
    Fault(
        "guard and pytest are killed",
        BARE,
        killed("by itself", "call", kill_guard(0, pytest_too=True)),
    ),
    Fault(
        "guard's second and pytest are killed",
        BARE,
        killed("by itself", "call", kill_guard(1, pytest_too=True)),
    ),
    Fault(
        "main that waits is stopped",
        CHATTY,
        itself(
            "call",
            f"Main dlrm_server {BAD}",
            at="setup",
            act=stop("tree", role="main"),
            only={"bert": {"load": 3}, **BAD_MAIN},
            environment={"LONG": "x" * 100_000},  # more than a pipe holds
        ),
    ),
    *stopped("background", "tree"),
    *stopped("guard", "guard"),
    *at_other_moments(),
]
