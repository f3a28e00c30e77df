"""The fault matrix as data: what harnesses do, times how a run ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import Any

from tests.harness.deaths import DEATHS, XDIST_ENDINGS
from tests.harness.ending import (
    ALL,
    BAD,
    BAD_MAIN,
    BARE,
    BERT,
    BERT_KILLED,
    CALL,
    CHATTY,
    DOING,
    FOREVER,
    NO_CALL,
    ONLY,
    SETUP,
    SHORT_MAIN,
    XDIST,
    Ending,
    Fault,
    itself,
    send,
    signal_guard,
)
from tests.harness.served import FAULTS_OF_SERVERS, while_served


def interrupted(name: str, *numbers: signal.Signals, at: str = "call") -> Ending:
    who = "Ctrl-C" if numbers[0] == signal.SIGINT else numbers[0].name
    return Ending(
        name,
        code=2,
        phase="setup" if at == "setup" else "teardown",
        says=f"Interrupted by {who} while {'' if at == 'teardown' else DOING[at]}",
        recorded=ALL if at == "teardown" else NO_CALL,
        at=at,
        act=send(*numbers),
        only=ONLY[at],
    )


def xdist_interrupted(name: str, number: signal.Signals, at: str) -> Ending:
    """A terminal and a CI system signal the whole process group."""
    who = "Ctrl-C" if number == signal.SIGINT else number.name
    return Ending(
        name,
        code=2,
        phase="setup" if at == "setup" else "teardown",
        says=f"Interrupted by {who} in an xdist worker",
        recorded=NO_CALL,
        at=at,
        act=lambda run: os.killpg(run.process.pid, number),
        options=XDIST,
        only=ONLY[at],
    )


def timed_out(method: str, at: str) -> Ending:
    seconds = 2 if at == "setup" else 1
    how: dict[str, Any] = {
        "options": ("--timeout=600", f"--timeout-method={method}"),
        "only": ONLY[at],
        "environment": {"ARM": f"{at}:{seconds}"},
    }
    name = f"{method} timeout in {at}"
    if method == "thread":  # it ends pytest there and then
        recorded = {"setup": (), "call": SETUP, "teardown": CALL}[at]
        return Ending(name, 1, None, "Timeout", recorded, whole_log=False, **how)
    says = f"Timeout (>{seconds}.0s) from pytest-timeout while {DOING[at]}"
    return Ending(name, 1, at, says, NO_CALL if at == "setup" else ALL, **how)


ENDINGS = [
    Ending("main fails", 1, "call", f"Main dlrm_server {BAD}", ALL, only=BAD_MAIN),
    Ending("-x", 1, "call", BAD, ALL, options=("-x", "-k", "dlrm"), only=BAD_MAIN),
    Ending(
        "--maxfail",
        1,
        "call",
        BAD,
        ALL,
        options=("--maxfail=1", "-k", "dlrm"),
        only=BAD_MAIN,
    ),
    interrupted("Ctrl-C in setup", signal.SIGINT, at="setup"),
    interrupted("Ctrl-C", signal.SIGINT),
    interrupted("Ctrl-C in teardown", signal.SIGINT, at="teardown"),
    interrupted("Ctrl-C twice", signal.SIGINT, signal.SIGINT),
    xdist_interrupted("Ctrl-C under xdist", signal.SIGINT, "call"),
    xdist_interrupted("SIGTERM under xdist in setup", signal.SIGTERM, "setup"),
    interrupted("SIGTERM", signal.SIGTERM),
    interrupted("SIGHUP", signal.SIGHUP),
    *(
        timed_out(method, at)
        for method in ("signal", "thread")
        for at in ("setup", "call", "teardown")
    ),
    *XDIST_ENDINGS,
    Ending(
        "SIGKILL in setup",
        -9,
        None,
        "",
        (),
        "setup",
        lambda run: run.send(signal.SIGKILL),
        only=ONLY["setup"],
        whole_log=False,
    ),
    Ending(
        "SIGKILL",
        -9,
        None,
        "",
        SETUP,
        "call",
        lambda run: run.send(signal.SIGKILL),
        whole_log=False,
    ),
]

TREES = [
    Fault("chatty", CHATTY),
    Fault("silent", {"test": FOREVER, "tree": "silent"}),
    Fault("deaf", {"test": FOREVER, "tree": "chatty deaf", "ignore": True}),
    Fault("own session", {"test": FOREVER, "tree": "chatty session"}),
    Fault("daemon", BARE),
]


def broken_log(log: str, how: str) -> dict[str, str]:
    return {"BREAK": f"{log}/output.log:{how}"}


FAULTS = [
    Fault(
        "dies before its marker",
        CHATTY,
        itself(
            "setup",
            "Background bert_offline exited with code 2 (make: Error 7)",
            only={"bert": {"die": ["start", 7]}},
        ),
    ),
    Fault(
        "dies while main runs",
        CHATTY,
        itself(
            "call",
            "background bert_offline exited with code 2 (make: Error 9)",
            only={"bert": {"test": 1, "die": ["middle", 9]}},
        ),
    ),
    Fault(
        "fails at its end",
        {"test": 1.5, "tree": "deaf daemon"},
        itself(
            "teardown",
            "1 of 2 backgrounds did not exit with code 0: bert_offline: code 2 (make: "
            "Error 4)",
            only={"bert": {"exit": 4}, **SHORT_MAIN},
        ),
    ),
    Fault(
        "background's disk is full",
        CHATTY,
        itself(
            "setup",
            "output.log cannot be written any more: No space left on device",
            environment=broken_log(BERT, "full"),
        ),
    ),
    Fault(
        "main's disk is full",
        CHATTY,
        itself(
            "call",
            "output.log cannot be written any more: No space left on device",
            environment=broken_log("main", "full"),
        ),
    ),
    Fault(
        "background's log cannot be opened",
        CHATTY,
        itself(
            "setup",
            "bert_offline could not be launched: [Errno 21] Is a directory",
            environment=broken_log(BERT, "folder"),
        ),
    ),
    Fault(
        "main's log cannot be opened",
        CHATTY,
        itself(
            "call",
            "dlrm_server could not be launched: [Errno 21] Is a directory",
            environment=broken_log("main", "folder"),
        ),
    ),
    Fault(
        "results are deleted",
        CHATTY,
        itself(
            "call",
            "output.log was deleted or moved while it was written",
            at="call",
            act=lambda run: shutil.rmtree(run.folder / "results", ignore_errors=True),
        ),
    ),
    Fault(
        "results cannot be written",
        CHATTY,
        Ending(
            "by itself",
            1,
            "setup",
            "/proc/results",
            (),
            options=("--results-dir=/proc/results",),
        ),
    ),
    Fault(
        "guard is killed",
        {"test": FOREVER, "tree": "chatty deaf", "ignore": True},
        itself(
            "call",
            BERT_KILLED,
            at="call",
            act=signal_guard(signal.SIGKILL),
            whole_log=False,
        ),
    ),
    Fault(
        "guard of a main that waits is killed",
        CHATTY,
        itself(
            "call",
            "dlrm_server could not be launched: its guard ended with code 137",
            at="setup",
            act=signal_guard(signal.SIGKILL, "main"),
            only={"bert": {"load": 3}},
        ),
    ),
    Fault(
        "guard is stopped",
        {"test": FOREVER, "tree": "chatty deaf"},
        itself(
            "call",
            f"Main dlrm_server {BAD}",
            at="call",
            act=signal_guard(signal.SIGSTOP),
            whole_log=False,
            only={"dlrm": {"test": 4, "die": ["middle", 3]}},
        ),
    ),
]

CELLS = [(fault, ending) for fault in TREES for ending in ENDINGS]
FAULTS += [*DEATHS, *FAULTS_OF_SERVERS, *while_served(ENDINGS)]
CELLS += [(fault, fault.itself) for fault in FAULTS if fault.itself]


def id_of(fault: Fault, ending: Ending) -> str:
    """Return the id of a cell's test."""
    return f"{fault.name}-{ending.name}".replace(" ", "_").replace("'", "")


def table(cells: dict[str, str]) -> list[str]:
    """Return the lines of the matrix: endings times trees, then the other faults.

    Args:
        cells: what to write into a cell, by its id.
    """

    def line(name: str, *words: str) -> str:
        return f"{name:<34}" + "".join(f"{word:>13}" for word in words)

    lines = [line("", *(fault.name for fault in TREES))]
    for ending in ENDINGS:
        words = (cells.get(id_of(fault, ending), "-") for fault in TREES)
        lines.append(line(ending.name, *words))
    for fault in FAULTS:
        assert fault.itself is not None
        lines.append(line(fault.name, cells.get(id_of(fault, fault.itself), "-")))
    return lines


def behaviour(fault: Fault, ending: Ending) -> str:
    """Return $FAKE_HARNESS of one cell."""
    only = {name: {**fault.every, **each} for name, each in ending.only.items()}
    return json.dumps({"*": fault.every, **only})
