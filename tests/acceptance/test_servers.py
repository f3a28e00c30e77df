"""Servers: started on the device before their client, and ended after it."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import Report
from tests.lab.processes import in_the_run
from tests.lab.web_suite import ALONE, ONE, SERVER, Web

# Runs in the lab's own folder, in this process.
LATER = """
import os, signal, threading
from pathlib import Path
from tests.lab.processes import below, until

def loads(role):
    found = [*Path("results").glob(f"*/{role}*/output.log")]
    return found and "first answer" in found[-1].read_text()

def server_of(role):
    (path,) = Path("results").glob(f"*/{role}*/logs/server-*.json")
    return int(path.stem.partition("-")[2])

def later(condition, action):
    def wait():
        until(condition)
        action()
    threading.Thread(target=wait).start()

def test_heterogeneous(background, main):
    later(lambda: loads("main"), lambda: {action})
    main.run()
"""


def problem_of(report: Report) -> str:
    (problem,) = report.case.problems.values()
    assert in_the_run(report.folder) == []
    return problem


def servers(report: Report) -> list[str]:
    """Return the pids of the servers that were started."""
    found = report.folder.glob("results/**/logs/server-*.json")
    return sorted(path.stem.partition("-")[2] for path in found)


def servers_of_mains(report: Report) -> list[str]:
    """Return who served each main, in order, as its client says."""
    logs = sorted(report.folder.glob("results/**/main/output.log"))
    lines = [line for log in logs for line in log.read_text().splitlines()]
    return [line.partition("'")[2][:-2] for line in lines if "served by" in line]


def test_main_and_background_load_servers_of_their_own(web: Web) -> None:
    report = web.run(ONE)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert (facts["validity"], facts["overlap_ok"]) == ("VALID", "true")
    assert float(facts["server_ready_s"]) > 0
    main, beta = report.record["harnesses"]
    for each in (main, beta):
        served = each["server"]
        assert served["launched"] < served["ready"] < each["launched"]
        assert each["exited"] <= served["stopped"] < served["exited"]
        assert served["exit_code"] == 143
        assert Path(served["output"]).read_text().startswith("loading")
    assert main["server"]["port"] != beta["server"]["port"]


def test_its_environment_is_the_devices(web: Web) -> None:
    web.server(environment={"MODELS": "{benchmark} on {slot} at {port}"})
    report = web.run(ONE)
    report.result.assert_outcomes(passed=1)
    for harness in report.record["harnesses"]:
        (path,) = Path(harness["log_dir"]).glob("server-*.json")
        said = json.loads(path.read_text())
        slot = 0 if harness["role"] == "main" else 1
        port = harness["server"]["port"]
        assert said["environ"]["CUDA_VISIBLE_DEVICES"] == harness["device"]["uuid"]
        assert (
            said["environ"]["MODELS"] == f"{harness['benchmark']} on {slot} at {port}"
        )
        assert said["environ"]["PWD"]


def test_main_alone_has_its_server_too(web: Web) -> None:
    web.test("def test_alone(main):\n    main.run()\n")
    report = web.run()
    report.result.assert_outcomes(passed=1)
    assert len(servers(report)) == 1
    web.test("def test_beside_none(background, main):\n    main.run()\n")
    web.run(ALONE).result.assert_outcomes(passed=1)


LINE = {"ready_url": None, "ready_line": "Startup complete."}
READY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "url": ({}, {"load": 0.2, "warm": 0.4}),
    "url with a query": (
        {"ready_url": "http://127.0.0.1:{port}/health?full=1"},
        {"warm": 0.3},
    ),
    "line": (LINE, {"load": 0.3, "line": "INFO: Startup complete."}),
    "line that goes on": (
        {"ready_url": None, "ready_line": "Uvicorn running on *"},
        {"load": 0.3, "line": "Uvicorn running on http://0.0.0.0 (Ctrl-C)"},
    ),
    "line in a progress bar": (
        LINE,
        {"load": 0.3, "line": "Startup complete.", "bar": True},
    ),
    "port": ({"ready_url": None}, {"load": 0.4}),
}


@pytest.mark.parametrize("how", READY)
def test_its_client_waits_until_it_is_ready(web: Web, how: str) -> None:
    change, behaviour = READY[how]
    web.server(**change)
    web.servers(every=behaviour)
    report = web.run(ALONE)
    report.result.assert_outcomes(passed=1)
    waited = behaviour.get("load", 0) + behaviour.get("warm", 0)
    assert float(report.case.properties["server_ready_s"]) >= waited
    (log,) = report.folder.glob("results/*/main/output.log")
    assert " failed 0 " in log.read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "did not answer at http://127.0.0.1:"),
        ({"ready_url": None}, "did not answer at port "),
        (LINE, "printed no line that ends with 'Startup complete.'"),
    ],
)
def test_one_that_never_gets_ready(web: Web, change: dict[str, Any], said: str) -> None:
    web.server(ready_timeout="700ms", **change)
    web.servers(alpha={"line": "Startup complete."}, beta={"load": 60})
    report = web.run(ONE)
    problem = problem_of(report)
    assert f"beta's server {said}" in problem
    assert "within 0.7s (server.ready_timeout in the suite)" in problem
    assert "loading beta" in problem
    assert not any(report.folder.glob("results/*/*/output.log"))


def test_one_that_ends_while_it_loads(web: Web) -> None:
    web.servers(alpha={"load": 0.2, "die": ["load", 3]})
    problem = problem_of(web.run(ONE))
    assert "alpha's server exited with code 3 0." in problem
    assert "no such model" in problem


@pytest.mark.parametrize("who", ["alpha", "beta"])
def test_one_that_dies_under_load(web: Web, who: str) -> None:
    web.servers(**{who: {"die": [15, 9]}})
    report = web.run(ONE, "--main-benchmark-duration=30s")
    problem = problem_of(report)
    assert "A server was lost " in problem
    assert f"s into main: {who}'s server exited with code 9" in problem
    assert "out of memory at request 15" in problem
    main = report.record["harnesses"][0]
    assert main["exited"] - main["launched"] < 15
    lost = [h["server"] for h in report.record["harnesses"] if h["benchmark"] == who]
    assert main["stopped"] is None or main["stopped"] - lost[0]["exited"] < 5


def test_a_client_that_hangs_on_a_dead_server_is_stopped(web: Web) -> None:
    web.servers(beta={"die": [3, 9]})
    web.clients(beta={"hang": True})
    report = web.run(ONE, "--main-benchmark-duration=30s")
    assert "beta's server exited with code 9" in problem_of(report)


def test_a_client_that_fails_since_its_server_died_names_that(web: Web) -> None:
    web.servers(alpha={"die": [10, 9]})
    web.clients(alpha={"says": "", "exit": 1})
    problem = problem_of(web.run(ALONE, "--main-benchmark-duration=1s"))
    assert "alpha's server exited with code 9" in problem


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("ready", ["url", "line", "port"])
def test_a_port_that_somebody_has(web: Web, *, answers: bool, ready: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        if answers:
            threading.Thread(target=answer_all, args=(taken,), daemon=True).start()
        port = str(taken.getsockname()[1])
        command = [port if word == "{port}" else word for word in SERVER]
        change = READY[ready][0]
        if ready != "line":
            change = {"ready_url": f"http://127.0.0.1:{port}/health"}
        web.server(command=command, **change)
        client = [
            port if word == "{port}" else word
            for word in web.said["harnesses"]["web"]["command"]
        ]
        web.harness(command=client)
        problem = problem_of(web.run(ALONE))
        if ready == "line":  # the server says it itself
            assert "Address already in use" in problem
        else:
            assert f"http://127.0.0.1:{port}/health is taken already" in problem


def answer_all(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")


def test_a_stranger_that_takes_the_port_meanwhile_is_not_loaded(web: Web) -> None:
    """A server that then takes another port would leave the stranger's to be loaded."""
    mine = os.getpid()
    web.servers(alpha={"load": 60})
    web.test(
        """
import json, socket, threading
from pathlib import Path
from tests.acceptance.test_servers import answer_all
from tests.lab.processes import until

LISTENER = socket.socket()

def take():
    def started():
        return [*Path("results").glob("*/main/logs/server-*.json")]
    until(started)
    port = json.loads(started()[0].read_text())["port"]
    LISTENER.bind(("127.0.0.1", port))
    LISTENER.listen()
    answer_all(LISTENER)

threading.Thread(target=take, daemon=True).start()

def test_heterogeneous(background, main):
    main.run()
"""
    )
    problem = problem_of(web.run(ALONE))
    assert f"answers, but it is pid {mine}: " in problem
    assert "which is not of alpha's server" in problem


def test_a_server_that_begins_anew_under_load(web: Web) -> None:
    web.servers(alpha={"restart": 5})
    problem = problem_of(web.run(ALONE))
    assert "alpha's server does not listen any more as it did when" in problem


def test_one_that_ignores_sigterm_is_killed(web: Web) -> None:
    web.servers(every={"ignore": True})
    report = web.run(ONE)
    report.result.assert_outcomes(passed=1)
    assert in_the_run(report.folder) == []
    for harness in report.record["harnesses"]:
        served = harness["server"]
        assert served["exit_code"] == 137
        assert served["exited"] - served["stopped"] >= 1


def acting(web: Web, action: str) -> None:
    web.test(LATER.replace("{action}", action))


def test_a_backgrounds_server_that_is_stopped_under_load(web: Web) -> None:
    acting(web, "os.kill(server_of('background'), signal.SIGSTOP)")
    report = web.run(ONE, "--main-benchmark-duration=8s")
    problem = problem_of(report)
    assert "The overlap broke: background beta's server was stopped" in problem


def test_mains_server_that_was_stopped_makes_its_figure_doubtful(web: Web) -> None:
    acting(
        web,
        "(pid := server_of('main'), os.kill(pid, signal.SIGSTOP), "
        "threading.Timer(2.5, os.kill, (pid, signal.SIGCONT)).start())",
    )
    report = web.run(ONE, "--main-benchmark-duration=5s")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "its server was itself stopped for " in report.text
    served = report.record["harnesses"][0]["server"]
    assert served["activity"]["stopped_s"] > 0


@pytest.mark.parametrize("who", ["alpha", "beta"])
def test_a_log_that_is_deleted(web: Web, who: str) -> None:
    web.servers(**{who: {"unlink": 5}})
    problem = problem_of(web.run(ONE, "--main-benchmark-duration=20s"))
    assert "was deleted or moved while it was written" in problem
