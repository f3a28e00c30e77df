"""Leases: one holder, files for everybody, and what follows the harness."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pytest_mighetero.devices.lease import Lease, holder_of, take
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.leftover import sweep
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from tests.devices.leases import ME, NAMES, taken
from tests.lab.driver import UUIDS


def test_a_lease_is_exclusive_and_names_its_holder(tmp_path: Path) -> None:
    lease = taken(tmp_path)
    said = take(tmp_path, ["another", UUIDS[2]], ME)
    assert f"pid {os.getpid()} of {ME.user} on {ME.host} since {ME.since}" in str(said)
    assert holder_of(tmp_path, NAMES) == said
    assert holder_of(tmp_path, ["another"]) is None
    lease.close()
    assert holder_of(tmp_path, NAMES) is None
    taken(tmp_path).close()


def test_what_cannot_be_leased_whole_is_not_leased_at_all(tmp_path: Path) -> None:
    (tmp_path / f"{NAMES[2]}.lease").mkdir()
    with pytest.raises(DeviceError, match="cannot be opened"):
        take(tmp_path, NAMES, ME)
    assert isinstance(take(tmp_path, NAMES[:2], ME), Lease)


def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(DeviceError, match="cannot be locked: No locks available"):
        take(tmp_path, NAMES, ME)


def test_a_full_disk_keeps_nobody_from_a_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    assert isinstance(take(tmp_path, NAMES, ME), Lease)


def test_everybody_may_use_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    taken(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o666}


OTHER_USER = """
import os, sys
from pathlib import Path
from pytest_mighetero.devices.lease import Lease, myself, take
me = myself("x")
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
lease = take(Path(sys.argv[1]), ["GPU-1"], me)
print(lease if isinstance(lease, str) else "taken")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_users_share_the_leases() -> None:
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent, "leases")

        def other() -> str:
            command = [sys.executable, "-c", OTHER_USER, str(folder)]
            return subprocess.check_output(command, text=True).strip()

        lease = take(folder, ["GPU-1"], ME)
        assert isinstance(lease, Lease)
        assert other() == str(ME)
        lease.close()
        assert other() == "taken"
        (folder / "GPU-1.lease").unlink()
        assert other() == "taken"  # and made the file
        lease = take(folder, ["GPU-1"], ME)
        assert isinstance(lease, Lease)
        lease.close()


def test_a_lease_follows_the_harness(tmp_path: Path) -> None:
    lease = taken(tmp_path / "leases")
    script = "trap '' HUP TERM; setsid sleep 300 & echo Go; wait"
    command = Command(("sh", "-c", script), tmp_path, {})
    folder = tmp_path / "run" / "main"
    folder.mkdir(parents=True)
    log, markers = folder / "output.log", Markers(["Go"], ["End"])
    harness = HarnessProcess("x", command, log, markers, 1)
    pump = Pump(lease.fds)
    pump.launch(harness)
    assert pump.wait_for(lambda: harness.started is not None, time.monotonic() + 20)
    assert harness.root is not None
    for number in (signal.SIGSTOP, signal.SIGKILL):  # neither ends what the other had
        os.kill(harness.pid, number)
        os.kill(harness.root, number)
    assert pump.wait_for(lambda: not harness.running, time.monotonic() + 20)
    pump.close()
    lease.close()
    assert holder_of(tmp_path / "leases", NAMES)  # the orphan's
    assert sweep(tmp_path / "run") == []
    assert holder_of(tmp_path / "leases", NAMES) is None


def test_a_lease_follows_a_harness_that_is_only_prepared(tmp_path: Path) -> None:
    lease = taken(tmp_path / "leases")
    command = Command(("true",), tmp_path, {})
    harness = HarnessProcess(
        "x", command, tmp_path / "output.log", Markers(["Go"], ["End"]), 1
    )
    pump = Pump(lease.fds)
    pump.prepare(harness)
    lease.close()
    assert holder_of(tmp_path / "leases", NAMES)
    pump.stop([harness])
    assert holder_of(tmp_path / "leases", NAMES) is None
    pump.close()


def test_an_interrupt_while_it_is_given_back_leaves_nothing_to_close_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = take(tmp_path, ["a", "b"], ME)
    assert isinstance(lease, Lease)
    close = os.close

    def interrupted(fd: int) -> None:
        close(fd)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "close", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lease.close()
    lease.close()
    again = take(tmp_path, ["a", "b"], ME)
    assert isinstance(again, Lease)
    again.close()
