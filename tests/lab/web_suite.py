"""A suite of commands: a small load generator, and the small HTTP server that it loads.

Benchmarks are alpha, beta and gamma, each with a server of its own. ``solo`` loads
nothing; it is an aggressor that says when it works.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from tests.lab.driver import Lab, Report

WEB = Path(__file__).parent / "web"
PYTHON = ["{python}", "-S"]
SERVER = [*PYTHON, str(WEB / "server.py"), "{port}", "{benchmark}", "{log_dir}"]
CLIENT = [*PYTHON, str(WEB / "client.py"), "{port}", "{seconds}", "{rate}"]
AGGRESSOR = [*PYTHON, str(WEB / "client.py"), "0", "{seconds}", "100", "{benchmark}"]
RESULT = {
    "tool": "webload",
    "unit": "requests/s",
    "value": r"^rate (?P<value>[\d.]+)",
    "latency": {"99": r"p99 (?P<value>[\d.]+) ms"},
    "latency_unit": "ms",
    "ttft": {"99": r"ttft (?P<value>[\d.]+) ms"},
    "tpot": {"99": r"tpot (?P<value>[\d.]+) ms"},
    "token_unit": "ms",
    "completed": r"^answers (?P<value>\d+)",
    "failed": r" failed (?P<value>\d+) in",
    "duration": r" in (?P<value>[\d.]+) s$",
    "start": r"^from (?P<value>[\d.]+)",
    "end": r" to (?P<value>[\d.]+)$",
    "time_unit": "s",
    "issuing": "^first answer",
}
BOTH = ["server", "offline"]
WEB_BENCHMARK = {
    "harness": "web",
    "scenarios": BOTH,
    "rates": {"server": 50, "offline": 100},
}
SUITE: dict[str, Any] = {
    "devices": "nvml",
    "harnesses": {
        "web": {
            "command": [*CLIENT, "{benchmark}"],
            "reader": "lines",
            "start_markers": ["Loading *"],
            "result": RESULT,
            "server": {
                "command": SERVER,
                "ready_url": "http://127.0.0.1:{port}/health",
                "ready_timeout": "20s",
            },
        },
        "solo": {
            "command": AGGRESSOR,
            "reader": "lines",
            "start_markers": ["Loading *"],
            "result": RESULT,
        },
    },
    "benchmarks": {
        **dict.fromkeys(("alpha", "beta", "gamma"), WEB_BENCHMARK),
        "solo": {"harness": "solo", "scenarios": ["offline"]},
    },
    "defaults": {
        "main-benchmark-duration": "500ms",
        "background-benchmark-duration": "automatic",
        "background-benchmark-timeout": "60s",
        "start-time-buffer": "20s",
        "settle-time": "0",
        "end-time-buffer-min": "100ms",
        "mig-stop-grace": "1s",
    },
}
ONE = "--background-benchmarks=beta"
ALONE = "--background-benchmarks=none"


def changed(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return *base* with *change* in it, table by table; None takes a key out."""
    made = {k: v for k, v in base.items() if change.get(k, v) is not None}
    for key, value in change.items():
        if isinstance(value, Mapping):
            made[key] = changed(made.get(key, {}), value)
        elif value is not None:
            made[key] = value
    return made


class Web:
    """A lab whose suite is ``SUITE``, with whatever is changed in it."""

    def __init__(self, lab: Lab, monkeypatch: pytest.MonkeyPatch):
        self.lab, self.folder, self._monkeypatch = lab, lab.folder, monkeypatch
        self.path = lab.folder / "site.toml"
        lab.suite = str(self.path)
        self.said = SUITE
        self.change()

    def change(self, **change: Any) -> None:
        """Change the suite: tables by their keys, as ``changed`` does."""
        self.said = changed(self.said, change)
        self.path.write_text(tomlkit.dumps(self.said))

    def harness(self, **change: Any) -> None:
        self.change(harnesses={"web": change})

    def server(self, **change: Any) -> None:
        self.harness(server=change)

    def servers(self, **behaviour: Any) -> None:
        """Say what the servers do, by benchmark or ``every``."""
        self._behave("WEB_SERVER", behaviour)

    def clients(self, **behaviour: Any) -> None:
        self._behave("WEB_CLIENT", behaviour)

    def _behave(self, name: str, behaviour: dict[str, Any]) -> None:
        said = {k if k != "every" else "*": v for k, v in behaviour.items()}
        self._monkeypatch.setenv(name, json.dumps(said))

    def test(self, text: str) -> None:
        """Have another test than the usual one."""
        self.lab.pytester.makepyfile(test_run=text)

    def run(self, *options: str, k: str = "alpha_server", devices: int = 3) -> Report:
        dirless = [
            each
            for each in self.lab.arguments("-k", k, *options, devices=devices)
            if not each.startswith("--mig-harness-dir")
        ]
        return Report(self.folder, self.lab.pytester.runpytest_inprocess(*dirless))
