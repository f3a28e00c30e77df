"""Who may launch in a harness folder: pairs, audits, and who is next."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_mighetero.devices.launch_lock import SHARED, FolderLock, lock_folder
from pytest_mighetero.devices.mount import local_locks
from pytest_mighetero.devices.queue import Queue
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.pair import Pair
from tests.lab.driver import (
    config_of,
)
from tests.lab.processes import until

BERT, DLRM = Pair("bert", "offline"), Pair("dlrm", "server")
Locks = Callable[..., "FolderLock | None"]


def on_node(folder: Path, node: str) -> FolderLock | None:
    """Ask for BERT's launch on a node with leases of its own."""
    config = config_of(folder, mig_lease_dir=f"{node}/leases", mig_harness_dir="org")
    queue = Queue(config.lease_dir, 0.0, f"test on {node}", print)
    with suppress(DeviceError):
        return lock_folder(queue, config.harness_dir, [BERT], whole=False)
    return None


def test_nodes_of_a_job_keep_each_other_from_the_same_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("org", "n1", "n2"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("SLURM_JOB_ID", "15")
    first = on_node(tmp_path, "n1")
    assert first
    assert on_node(tmp_path, "n2") is None
    first.issues(BERT)
    second = on_node(tmp_path, "n2")
    assert second
    assert on_node(tmp_path, "n1") is None
    second.close()
    assert on_node(tmp_path, "n1")


def test_a_lost_node_leaves_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("org", "n1", "n2"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("SLURM_JOB_ID", "15")
    ready, tell = os.pipe()
    if not (lost := os.fork()):
        held = on_node(tmp_path, "n1")
        os.write(tell, b"1" if held else b"0")
        signal.pause()
    assert os.read(ready, 1) == b"1"
    assert on_node(tmp_path, "n2") is None
    os.kill(lost, signal.SIGKILL)
    os.waitpid(lost, 0)
    assert on_node(tmp_path, "n2")


def test_without_locks_that_all_nodes_see_nothing_is_launched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "org").mkdir()
    config = config_of(tmp_path, mig_lease_dir="leases", mig_harness_dir="org")
    queue = Queue(config.lease_dir, 0.0, "t", print)
    (config.harness_dir / SHARED).write_text("no folder")
    assert lock_folder(queue, config.harness_dir, [BERT], whole=False)
    monkeypatch.setenv("SLURM_JOB_ID", "15")
    with pytest.raises(DeviceError) as caught:
        lock_folder(queue, config.harness_dir, [DLRM], whole=False)
    assert str(caught.value).startswith(
        f"Launches on other nodes cannot be kept out of the harness folder "
        f"{config.harness_dir}, whose user.conf they write over: The lease"
    )
    assert "a copy of the folder on the node's own disk" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("nfs4", "rw,vers=4.2,local_lock=none", ""),
        ("nfs", "rw,vers=3,nolock,local_lock=none", "its nfs is mounted with nolock"),
        ("nfs", "rw,local_lock=all", "its nfs is mounted with local_lock=all"),
        ("lustre", "rw,flock,lazystatfs", ""),
        ("lustre", "rw,localflock", "its lustre is mounted with localflock"),
        ("ext4", "rw,nolock", ""),
    ],
)
def test_a_mount_tells_whose_locks_are_seen(kind: str, options: str, said: str) -> None:
    other = "35 1 0:40 / /b rw - nfs h:/b rw,nolock"
    ours = f"36 35 0:51 / /a rw,noatime shared:1 - {kind} h:/a {options}"
    table = f"{other}\nbroken\n{ours}"
    assert local_locks(table, "0:51") == said
    assert local_locks(table, "0:52") == ""


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
