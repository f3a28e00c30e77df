"""A lease to hold while somebody asks for it."""

from __future__ import annotations

from pathlib import Path

from pytest_mighetero.devices.lease import Lease, myself, take
from tests.lab.driver import UUIDS

NAMES = tuple(UUIDS[:3])
ME = myself("test_it[dlrm_server]")


def taken(folder: Path) -> Lease:
    lease = take(folder, NAMES, ME)
    assert isinstance(lease, Lease)
    return lease
