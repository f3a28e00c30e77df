"""Ports of this host for servers and their clients, kept from other runs."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import ExitStack

from pytest_mighetero.devices import witness
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.spec.filled import used_by
from pytest_mighetero.spec.suite import Suite

_TRIES = 100


def uses_ports(suite: Suite, benchmarks: Iterable[str]) -> bool:
    """Tell whether the command of any of *benchmarks* takes ``{port}``."""
    own = {*benchmarks}
    pairs = (pair for pair in suite.pairs() if pair.benchmark in own)
    return any("port" in used_by(suite, pair) for pair in pairs)


class Ports:
    """Free ports, one for each device, which no other run of this host is given.

    Whoever does not ask for it here may still take one before its server does: that
    is seen when the server is launched.

    Attributes:
        by_device: the ports, by the devices' UUIDs.

    Raises:
        DeviceError: there is none.
    """

    def __init__(self, devices: Iterable[str]) -> None:
        self._kept = ExitStack()
        try:
            self.by_device = {device: self._take() for device in devices}
        except BaseException:
            self.close()
            raise

    def _take(self) -> int:
        for _ in range(_TRIES):
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                port = int(found.getsockname()[1])
            held = witness.bear(witness.about("port", str(port)), shared=False)
            if not isinstance(held, str):
                for fd in held:
                    self._kept.callback(_close, fd)
                return port
        raise DeviceError(f"{_TRIES} free ports of this host are all of other runs.")

    def close(self) -> None:
        """Let other runs have them."""
        self._kept.close()


def _close(fd: int) -> None:
    socket.socket(fileno=fd).close()
