"""A port of the controller's host that is a port of the worker's host, too.

pytest-rerunfailures' workers connect to what its controller keeps, on 127.0.0.1,
whether anybody wants reruns or not: on another host none would start.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

HERE = "127.0.0.1"
PORT = "sock_port"  # pytest-rerunfailures' own word, in workerinput
CHANNEL = "mighetero_loopback"


def files(config: pytest.Config) -> int:
    """Return how many open files of the controller each worker needs for it."""
    return 2 * config.pluginmanager.hasplugin("rerunfailures")  # both ends


class Loopback:
    """Has a worker reach it through a channel; a plugin of the controller."""

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker a channel to the port that it has been told of."""
        if (port := node.workerinput.get(PORT)) is None:
            return
        node.workerinput[CHANNEL] = channel = node.gateway.newchannel()
        connection = socket.create_connection((HERE, port))
        _start(lambda: _carry(connection, channel))


def open_port(told: dict[str, Any]) -> None:
    """Open a port in a worker, before it connects to the one that it is *told* of."""
    if (channel := told.get(CHANNEL)) is None:
        return
    server = socket.create_server((HERE, 0))
    told[PORT] = server.getsockname()[1]

    def accept() -> None:
        with server:
            connection, _ = server.accept()
        _carry(connection, channel)

    _start(accept)


def _start(target: Callable[[], None]) -> None:
    threading.Thread(target=target, daemon=True).start()


def _carry(connection: socket.socket, channel: Any) -> None:
    """Carry what either end sends to the other, until one of them ends."""

    def deliver(data: bytes) -> None:
        with suppress(OSError):  # it has ended
            if data:
                connection.sendall(data)
            else:
                connection.shutdown(socket.SHUT_RDWR)

    with connection, suppress(OSError):
        channel.setcallback(deliver, endmarker=b"")
        while data := connection.recv(4096):
            channel.send(data)
        channel.close()
