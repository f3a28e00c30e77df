"""Who may launch in a harness folder: pairs, audits, and who is next."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_mighetero.devices.queue import FolderLock, Queue, lock_folder
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.pair import Pair
from tests.lab.driver import (
    config_of,
)
from tests.lab.processes import until

BERT, DLRM = Pair("bert", "offline"), Pair("dlrm", "server")
Locks = Callable[..., "FolderLock | None"]


@pytest.fixture
def lock(tmp_path: Path) -> Locks:
    """Ask for the folder without waiting."""

    def ask(*pairs: Pair, whole: bool = False, timeout: str = "0") -> FolderLock | None:
        config = config_of(tmp_path, mig_lease_dir="leases", mig_lease_timeout=timeout)
        queue = Queue(config.lease_dir, config.lease_timeout, "t", print)
        try:
            return lock_folder(queue, config.harness_dir, pairs, whole=whole)
        except DeviceError:
            return None

    return ask


def test_a_pair_is_locked_until_it_issues(lock: Locks) -> None:
    held = lock(BERT, DLRM)
    assert held
    assert lock(Pair("bert", "server"))  # another user.conf
    assert lock(BERT) is None
    held.issues(BERT)
    assert lock(BERT)
    assert lock(DLRM) is None
    held.close()
    assert lock(DLRM)


def test_an_audit_has_the_folder_to_itself_until_its_end(lock: Locks) -> None:
    held = lock(BERT)
    assert held
    assert lock(DLRM, whole=True) is None
    held.issues(BERT)
    audit = lock(DLRM, whole=True)
    assert audit
    audit.issues(DLRM)
    assert lock(BERT) is None
    audit.close()
    assert lock(BERT)


def test_an_audit_that_waits_is_next(lock: Locks) -> None:
    first = lock(BERT)
    assert first

    def another_is_refused() -> bool:
        if got := lock(Pair("bert", "server")):
            got.close()
        return got is None

    assert not another_is_refused()
    with ThreadPoolExecutor() as pool:
        audit = pool.submit(lock, DLRM, whole=True, timeout="20s")
        until(another_is_refused)
        first.issues(BERT)
        held = audit.result()
    assert held
    held.close()
    assert lock(BERT)


def test_a_folder_is_itself_by_whatever_path(tmp_path: Path) -> None:
    (tmp_path / "org").mkdir()
    (tmp_path / "same").symlink_to("org")
    held = []
    for name in ("org", "same"):
        said = {"mig_harness_dir": name, "mig_lease_dir": "leases"}
        config = config_of(tmp_path, mig_lease_timeout="0", **said)
        queue = Queue(config.lease_dir, config.lease_timeout, "t", print)
        with suppress(DeviceError):
            one = lock_folder(queue, config.harness_dir, [BERT], whole=False)
            held.append(one)
    assert len(held) == 1
