"""Faults of servers, and endings while they are up."""

from __future__ import annotations

from dataclasses import replace

from tests.harness.ending import ALL, Behaviour, Ending, Fault, Served, itself

DEAF: dict[str, Behaviour] = {"*": {"ignore": True}}
LOADING: dict[str, Behaviour] = {"*": {"ignore": True, "load": 300}}

FAULTS_OF_SERVERS = [
    Fault(
        "server dies while it loads",
        {},
        itself("setup", "beta's server exited with code 3"),
        Served({"beta": {"load": 0.2, "die": ["load", 3]}}),
    ),
    Fault(
        "main's server dies under load",
        {},
        itself("call", "into main: alpha's server exited with code 9"),
        Served({"alpha": {"die": [10, 9]}}),
    ),
    Fault(
        "background's server dies under load",
        {},
        itself("call", "into main: beta's server exited with code 9"),
        Served({"beta": {"die": [60, 9]}}),
    ),
    Fault(
        "server is never ready",
        {},
        itself("setup", "beta's server did not answer at http://127.0.0.1:"),
        Served({"beta": {"load": 300}}, {"ready_timeout": "1s"}),
    ),
    Fault(
        "server's port is taken",
        {},
        itself("setup", "is taken already, before alpha's server was launched"),
        Served(taken=True),
    ),
    Fault(
        "server that ignores SIGTERM",
        {},
        Ending("by itself", 0, "call", "", ALL),
        Served(DEAF),
    ),
]


def while_served(endings: list[Ending]) -> list[Fault]:
    """Return what ends a run that has deaf servers, by those endings that do."""
    every = {ending.name: ending for ending in endings}
    loading = [("Ctrl-C in setup", LOADING), ("signal timeout in setup", LOADING)]
    names = ("Ctrl-C", "Ctrl-C twice", "SIGTERM", "SIGHUP", "SIGKILL")
    timeouts = ("signal timeout in call", "thread timeout in call")
    under_load = [(name, DEAF) for name in (*names, *timeouts)]
    return [
        Fault(
            f"deaf servers, {name}",
            {},
            replace(every[name], name="by itself", only={}),
            Served(servers),
        )
        for name, servers in [*loading, *under_load]
    ]
