"""What of a session that Slurm spreads needs no Slurm."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import execnet
import pytest

from pytest_mighetero.plugin.slurm import loopback
from pytest_mighetero.plugin.slurm.unrun import Unrun
from tests.lab.driver import Lab


@pytest.mark.parametrize("workers", [(), ("-n1",), ("-nauto",)])
@pytest.mark.parametrize(
    "shown",
    [
        "--collect-only",
        "--fixtures",
        "--fixtures-per-test",
        "--cache-show",
        "--markers",
        "--help",
    ],
)
def test_what_pytest_shows_takes_no_job(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, shown: str, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PATH", str(lab.folder))  # there is no Slurm
    lab.ini("mig_slurm = --gres=gpu:1")
    arguments = lab.arguments(shown, "-pcacheprovider", *workers)
    report = lab.apart(*arguments)
    assert report.result.ret == 0, report.text
    assert "mighetero: slurm: " not in report.text
    assert "created: " not in report.text
    assert not (lab.folder / "results").exists()


WORKER = """
import socket

from pytest_mighetero.plugin.slurm import loopback

told = channel.receive()
loopback.open_port(told)
with socket.create_connection((loopback.HERE, told[loopback.PORT])) as connection:
    connection.sendall(b"asked")
    channel.send((told[loopback.PORT], connection.recv(16), connection.recv(16)))
    channel.receive()
"""


@pytest.mark.parametrize("ends", ["worker", "controller"])
def test_a_port_of_the_controllers_host_is_one_of_the_workers(ends: str) -> None:
    gateway = execnet.makegateway("execmodel=main_thread_only//popen")
    with socket.create_server((loopback.HERE, 0)) as server:
        port = server.getsockname()[1]
        node = SimpleNamespace(gateway=gateway, workerinput={loopback.PORT: port})
        loopback.Loopback().pytest_configure_node(node)
        channel = gateway.remote_exec(WORKER)
        channel.send(node.workerinput)
        server.settimeout(30)
        connection, _ = server.accept()
    with connection:
        connection.settimeout(30)
        assert connection.recv(16) == b"asked"
        connection.sendall(b"answered")
        if ends == "worker":
            gateway.exit()
            assert connection.recv(16) == b""
            return
    other, *heard = channel.receive(30)
    assert heard == [b"answered", b""]
    assert other != port
    gateway.exit()


def unrun_of(*tests: str) -> tuple[Unrun, dict[str, str]]:
    """Return one that knows these tests, and of what it reports why."""
    left: dict[str, str] = {}
    config: Any = SimpleNamespace(hook=SimpleNamespace())
    config.hook.pytest_runtest_logreport = lambda report: left.update(
        {report.nodeid: report.longrepr}
    )
    unrun = Unrun(config)
    unrun.pytest_xdist_node_collection_finished(tests)
    return unrun, left


def reported(outcome: Any, when: Any) -> dict[str, str]:
    """Return which tests are left, in the end, of one with such a report."""
    unrun, left = unrun_of("test_it")
    place = ("test_it", None, "test_it")
    unrun.pytest_runtest_logreport(
        pytest.TestReport("test_it", place, {}, outcome, None, when)
    )
    unrun.report("-")
    return left


@pytest.mark.parametrize("when", ["???", "teardown"])
def test_what_is_to_be_run_again_is_left_until_it_is(when: str) -> None:
    assert reported("failed", when) == {}
    assert [*reported("rerun", when)] == ["test_it"]


@pytest.mark.parametrize("differ", ["", "worker gw2 found other tests"])
@pytest.mark.parametrize(
    ("tests", "text"),
    [
        (["test_it"], "Unexpectedly no active workers available"),
        ([], "Unexpectedly no active workers available"),
        (["test_it"], "another"),
    ],
)
def test_an_end_for_want_of_workers_is_one_of_the_tests_that_are_left(
    tests: list[str], text: str, differ: str
) -> None:
    unrun, left = unrun_of(*tests)
    unrun.differ = differ
    loop = unrun.pytest_runtestloop()
    next(loop)
    told = tests and text != "another"
    with pytest.raises(StopIteration if told else RuntimeError):
        loop.throw(RuntimeError(text))
    assert [*left] == (tests if told else [])
    why = differ or "the workers that were left could not run it"
    assert set(left.values()) <= {f"Not run, or not to its end: {why}."}


def test_what_is_left_by_a_limit_names_it() -> None:
    unrun, left = unrun_of("test_it")
    unrun.differ = "worker gw2 found other tests"
    loop = unrun.pytest_runtestloop()
    next(loop)
    with pytest.raises(StopIteration):
        loop.send(True)
    assert "no worker left for it, see --max-worker-restart" in left["test_it"]
