"""Ports of this host for servers and their clients, kept from other runs."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from pytest_mighetero.devices import witness
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.spec.filled import used_by
from pytest_mighetero.spec.suite import Suite

_TRIES = 200
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LEAST = 10000  # most services that have a port of their own are below
_FEW = 1000


def uses_ports(suite: Suite) -> bool:
    """Tell whether the command of any of its pairs takes ``{port}``."""
    return any("port" in used_by(suite, pair) for pair in suite.pairs())


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
        begin, end = _range()
        for _ in range(_TRIES):
            port = random.randrange(begin, end)  # noqa: S311 - nobody is to be fooled
            if not _is_free(port):
                continue
            held = witness.bear(witness.about("port", str(port)), shared=False)
            if not isinstance(held, str):
                for fd in held:
                    self._kept.callback(_close, fd)
                return port
        raise DeviceError(
            f"Of {_TRIES} ports of this host, {begin} to {end - 1}, none was free."
        )

    def close(self) -> None:
        """Let other runs have them."""
        self._kept.close()


def _range() -> tuple[int, int]:
    """Return from where to take ports: not where connections get theirs.

    A load of thousands of connections would soon have one of them.
    """
    first = 32768  # Linux's own
    with suppress(OSError, ValueError, IndexError):
        first = int(_OUTGOING.read_text("ascii").split()[0])
    return (_LEAST, first) if first >= _LEAST + _FEW else (_LEAST, 1 << 16)


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.socket() as found:
        found.bind(("", port))
        return True
    return False


def _close(fd: int) -> None:
    socket.socket(fileno=fd).close()
