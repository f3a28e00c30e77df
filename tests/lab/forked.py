"""Pytests that start at once, for tests that look at one as a process of its own."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.lab.fork_server import Request

CHECKOUT = Path(__file__).parents[2]


class Forked:
    """A pytest in a session of its own; to whoever started it, as a ``Popen``."""

    def __init__(self, status: int) -> None:
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._status.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            return self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("pytest", timeout or 0)
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Pytests:
    """Starts pytests, by fork where that makes no difference to what they are."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._interpreter = of_the_interpreter(os.environ)

    def alike(self, environment: Mapping[str, str]) -> bool:
        """Tell whether an interpreter started in *environment* would be the same."""
        return of_the_interpreter(environment) == self._interpreter

    def start(
        self,
        arguments: Sequence[str],
        folder: Path,
        stdout: IO[Any],
        stderr: IO[Any] | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        libraries: Sequence[Path] = (),
    ) -> Forked:
        """Start ``pytest *arguments``, its errors where its output goes by default."""
        loaded = [str(library) for library in libraries]
        request = Request([*arguments], str(folder), dict(environment), loaded)
        streams = [stdout.fileno(), (stderr or stdout).fileno()]
        told, tell = os.pipe()
        with open(os.devnull) as nothing:  # noqa: PTH123
            fds = [nothing.fileno(), *streams, tell]
            socket.send_fds(self._requests, [request.encode()], fds)
        os.close(tell)
        return Forked(told)


def of_the_interpreter(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what is read when an interpreter starts, but for what libraries say."""
    started = ("PYTHON", "LD_PRELOAD")
    return {k: v for k, v in environment.items() if k.startswith(started)}


@contextmanager
def fork_server() -> Iterator[Pytests]:
    """Start it, and end it: what it forked goes on."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.lab.fork_server", str(its.fileno())],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[its.fileno()],
        start_new_session=True,
    )
    its.close()
    with ours:
        yield Pytests(ours)
    process.wait(60)
