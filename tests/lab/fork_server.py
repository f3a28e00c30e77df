"""A process that has pytest and the plugin imported, and forks one pytest a request.

Half of the CPU time of a short pytest run are its imports. A fork of this is a process
like any other from then on, in a session of its own: whoever signals, kills or orphans
it, what it starts, and how its interpreter ends are the same. It differs from ``python
-m pytest`` in what only the start of an interpreter reads: PYTHON's own variables, the
loader's, and its command line in /proc.

Started as ``python -m tests.lab.fork_server FD``, a socket that requests come from.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import NoReturn

import pytest

MOST_BYTES = 1 << 20  # of a request


@dataclass(frozen=True)
class Request:
    """What one pytest is to be.

    Attributes:
        arguments: pytest's.
        folder: its working directory.
        environment: its own, whole.
        libraries: what its loader knows already, by path.
    """

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    libraries: list[str]

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class Preload:
    """Imports the plugin by pytest's own import hook, as pytest itself would."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self) -> int:
        from tests.lab.preload import import_all

        import_all()
        return 0


def serve(requests: socket.socket) -> Request | None:
    """Fork for each request; return it in its process, and None when all are over.

    With a request come what is to be stdin, stdout and stderr, and a pipe that is told
    the process's pid, and its exit code in the end.
    """
    signal.signal(signal.SIGCHLD, reap)
    while True:
        message, fds, _, _ = socket.recv_fds(requests, MOST_BYTES, 4)
        if not message:
            return None
        if os.fork() == 0:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if (pid := os.fork()) == 0:
                wear(fds)
                return Request(**json.loads(message))
            watch(pid, fds)
        for fd in fds:
            os.close(fd)


def reap(*_: object) -> None:
    """Reap who has watched to the end."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def watch(pid: int, fds: list[int]) -> NoReturn:
    """Be the parent of *pid*, which may have no other child of ours beside it."""
    *streams, status = fds
    for fd in streams:
        os.close(fd)
    with suppress(BrokenPipeError):  # a test that gave up does not listen any more
        os.write(status, b"%d\n" % pid)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):
        os.write(status, b"%d\n" % code)
    os._exit(0)


def wear(fds: list[int]) -> None:
    """Have *fds* as stdin, stdout and stderr, in a session of its own."""
    os.setsid()
    for number, fd in enumerate(fds[:3]):
        os.dup2(fd, number)
    for fd in fds:
        os.close(fd)


def become(request: Request) -> int:
    """Be ``python -m pytest``, as a terminal would start it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    sys.path[0] = request.folder
    sys.argv = [pytest.__file__.replace("__init__", "__main__"), *request.arguments]
    for library in request.libraries:
        ctypes.CDLL(library)
    return pytest.main()


def main() -> int:
    quiet = ["-c", os.devnull, "--noconftest", "-p", "no:cacheprovider"]
    pytest.main(quiet, plugins=[Preload()])
    gc.freeze()  # what is never collected is never copied
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    return 0 if request is None else become(request)


if __name__ == "__main__":
    sys.exit(main())
