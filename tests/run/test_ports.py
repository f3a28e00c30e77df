"""Ports for servers: free, of one run alone, and of no connection."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pytest_mighetero.errors import DeviceError
from pytest_mighetero.harness.listeners import listening, stranger
from pytest_mighetero.run.tenancy import ports
from pytest_mighetero.run.tenancy.ports import Ports

DEVICES = ("MIG-1", "MIG-2", "MIG-3")


def test_each_device_has_one_and_no_connection_gets_it() -> None:
    given = Ports(DEVICES)
    try:
        assert [*given.by_device] == [*DEVICES]
        mine = {*given.by_device.values()}
        assert len(mine) == len(DEVICES)
        outgoing = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        assert all(10000 <= port < int(outgoing[0]) for port in mine)
    finally:
        given.close()


def narrow(monkeypatch: pytest.MonkeyPatch, begin: int, end: int) -> None:
    monkeypatch.setattr(ports, "_range", lambda: (begin, end))


def test_another_run_has_others(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch, 21000, 21002)
    first = Ports(["MIG-1"])
    second = Ports(["MIG-1"])
    try:
        assert {first.by_device["MIG-1"], second.by_device["MIG-1"]} == {21000, 21001}
        with pytest.raises(DeviceError, match="21000 to 21001, none was free"):
            Ports(["MIG-1"])
        first.close()
        Ports(["MIG-1"]).close()
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_one_that_somebody_listens_on_is_not_given(
    monkeypatch: pytest.MonkeyPatch, family: socket.AddressFamily
) -> None:
    address = "" if family == socket.AF_INET else "::"
    with socket.socket(family) as taken:
        try:
            taken.bind((address, 0))
        except OSError:
            pytest.skip("there is no IPv6 here")
        taken.listen()
        port = taken.getsockname()[1]
        narrow(monkeypatch, port, port + 1)
        with pytest.raises(DeviceError, match="none was free"):
            Ports(["MIG-1"])
        (inode,) = listening(port)
        own = Path(f"/proc/self/fd/{taken.fileno()}")
        assert str(own.readlink()) == f"socket:[{inode}]"
    assert listening(port) == frozenset()


def test_what_its_own_tree_listens_on_is_no_strangers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        mine = listening(taken.getsockname()[1])
        assert stranger(mine, os.getppid()) is None
