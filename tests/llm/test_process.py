"""The server as a program: start, end, threads, device, clients that go away."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.lab import needs
from tests.lab.processes import until
from tests.llm.served import COMMAND, MODEL, serve

if TYPE_CHECKING:
    from tests.llm.served import Served

ASKED = {"model": MODEL, "prompt": "go on", "ignore_eos": True}


@pytest.fixture(autouse=True)
def _numpy() -> None:
    needs.module("numpy")


def refused(*flags: str, **environ: str) -> str:
    """Return what a server says that cannot start."""
    ended = subprocess.run(
        [*COMMAND, *flags],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_it_says_where_it_serves(served: Served) -> None:
    assert served.line == f"Serving {MODEL} on http://127.0.0.1:{served.port}\n"


def test_a_taken_port(served: Served) -> None:
    message = refused("--port", str(served.port))
    assert message.startswith(f"Cannot listen on 127.0.0.1:{served.port}: ")
    assert "Address already in use" in message
    assert served.get("/health")[0] == 200


def test_what_cannot_be_served() -> None:
    message = refused("--width", "130")
    assert message == "width: expected a multiple of the 4 heads, found 130\n"
    message = refused(CUDA_VISIBLE_DEVICES="MIG-1")
    assert "names no simulated device" in message


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_while_it_answers(number: signal.Signals) -> None:
    with serve() as served, served.connect() as connection:
        connection.request(
            "POST", "/v1/completions", json.dumps(ASKED | {"stream": True})
        )
        assert connection.getresponse().read(100)
        served.process.send_signal(number)
        assert served.process.wait(30) == 0


@pytest.mark.parametrize("stream", [True, False])
def test_clients_that_go_away_leave_no_work_behind(stream: bool) -> None:
    with serve("--layers", "4", "--width", "512", "--batch", "1") as served:
        # Together minutes of work, of which each is dropped when it comes to its turn.
        for _ in range(5):
            with served.connect() as connection:
                body = json.dumps(ASKED | {"stream": stream, "prompt": "x" * 500})
                connection.request("POST", "/v1/completions", body)
        answer = served.complete("still there?", max_tokens=3, ignore_eos=True)
        assert answer["usage"]["completion_tokens"] == 3
        assert served.get("/health")[0] == 200


def test_half_a_request_harms_nobody(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as half:
        half.sendall(b"POST /v1/completions HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
        assert served.complete("me too", max_tokens=1)
    with socket.create_connection(("127.0.0.1", served.port)) as noise:
        noise.sendall(b"\x16\x03\x01\r\n\r\n")
        assert noise.recv(100)
    assert served.get("/health")[0] == 200


def test_it_waits_without_work() -> None:
    with serve() as served:
        served.complete("hello", max_tokens=5)
        before = cpu_seconds(served.process.pid)
        with pytest.raises(subprocess.TimeoutExpired):
            served.process.wait(1.5)
        assert cpu_seconds(served.process.pid) - before < 0.4


def test_a_larger_model_works_longer() -> None:
    spent = []
    for width in ("64", "512"):
        with serve("--width", width) as served:
            before = cpu_seconds(served.process.pid)
            served.complete("x" * 200, max_tokens=200, ignore_eos=True)
            spent.append(cpu_seconds(served.process.pid) - before)
    assert spent[1] > 2 * spent[0]


def test_it_stays_on_its_core_with_one_thread_of_numpy() -> None:
    core = max(os.sched_getaffinity(0))
    device = f"cpu-simulated-0-core-{core}"
    with serve(CUDA_VISIBLE_DEVICES=device) as served:
        pid = served.process.pid
        assert os.sched_getaffinity(pid) == {core}
        served.complete("hello", max_tokens=5)

        def threads() -> int:
            return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208

        # The main one, the model's, the listener's; a connection's ends with it.
        until(lambda: threads() == 3)


def test_it_needs_no_plugin() -> None:
    code = (
        "import sys, pytest_mighetero.llm.api, pytest_mighetero.llm.transformer\n"
        "print(*[name for name in sys.modules if 'pytest' in name.split('_')[0]])"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split():
        assert re.fullmatch(r"pytest_mighetero(\.(llm|cpu)(\.\w+)?)?", name)
