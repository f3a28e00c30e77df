"""Leases whose files somebody deletes: nobody starts beside the holder."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.devices.launch_lock import FolderLock, lock_folder
from pytest_mighetero.devices.lease import Lease, holder_of, myself, take
from pytest_mighetero.devices.queue import Queue
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.terms.pair import Pair
from tests.lab.driver import UUIDS, Lab, config_of
from tests.lab.processes import until

NAMES = tuple(UUIDS[:3])
ME = myself("test_it[dlrm_server]")
SELF = f"pid {os.getpid()} of uid {os.getuid()}, whose lease file was deleted"
# Takes the leases for a while, in a network namespace of its own: sees no witness.
CONTAINER = """
import sys
from pathlib import Path
from pytest_mighetero.devices.lease import Lease, myself, take
got = take(Path(sys.argv[1]), sys.argv[2:], myself("elsewhere"))
print(got if isinstance(got, str) else "taken", flush=True)
sys.stdin.read()
"""


@contextmanager
def container(folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """Lease *name* in another network namespace until its stdin is closed."""
    apart = ["unshare", "--net"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no network namespace can be made here")
    command = [*apart, sys.executable, "-c", CONTAINER, str(folder), name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        assert process.stdout.readline() == "taken\n"
        try:
            yield process
        finally:
            process.communicate()


def taken(folder: Path, *names: str) -> Lease:
    lease = take(folder, names or NAMES, ME)
    assert isinstance(lease, Lease)
    return lease


def delete_files(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def move_away(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


deleting = pytest.mark.parametrize("delete", [delete_files, shutil.rmtree, move_away])
Delete = Callable[[Path], None]


@pytest.mark.parametrize(
    "names", [("GPU-1", "GPU-1"), ("MIG-GPU-1/1/0", "MIG-GPU-1/1/0")]
)
def test_what_is_named_twice_is_leased_once(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    lease = taken(tmp_path, *names)
    assert isinstance(take(tmp_path, names[:1], ME), str)
    lease.close()
    assert holder_of(tmp_path, names) is None


def test_a_device_that_is_its_gpu_waits_for_nobody(lab: Lab) -> None:
    lab.pytester.makeconftest(
        f"""
        import pytest
        from pytest_mighetero.devices import listed
        from pytest_mighetero.devices.gpu import Gpu, MigDevice

        @pytest.fixture(autouse=True)
        def whole_gpu(monkeypatch):
            devices = tuple(MigDevice(uuid) for uuid in {NAMES!r})
            gpu = Gpu("whole", devices, uuid={NAMES[0]!r})
            monkeypatch.setattr(listed.ListedDevices, "gpus", lambda _self: (gpu,))
        """
    )
    lab.run("--mig-lease-timeout=0").result.assert_outcomes(passed=1)


def test_names_that_look_alike_are_different(tmp_path: Path) -> None:
    for name in ("a/b", "a_b", "a b", "a.b"):
        taken(tmp_path, name)  # to the end of the process


def test_a_device_is_itself_in_either_case(tmp_path: Path) -> None:
    one, two = (
        Gpu("listed", (MigDevice("MIG-GPU-ab12cd34-e/1/0"), MigDevice(f"MIG-{hexes}")))
        for hexes in ("feb88891-ABCD", "FEB88891-abcd")
    )
    lease = taken(tmp_path, *one.lease_names)
    assert take(tmp_path, two.lease_names[1:], ME) == str(ME)
    lease.close()


@deleting
def test_who_deletes_the_files_gets_no_lease(tmp_path: Path, delete: Delete) -> None:
    folder = tmp_path / "leases"
    lease = taken(folder)
    delete(folder)
    assert SELF in str(take(folder, NAMES[:1], ME))
    assert SELF in str(holder_of(folder, NAMES))
    lease.close()
    assert holder_of(folder, NAMES) is None
    taken(folder)


@deleting
def test_nor_does_another_process_by_another_path(
    tmp_path: Path, delete: Delete
) -> None:
    folder = tmp_path / "leases"
    taken(folder)
    (tmp_path / "link").symlink_to("leases")
    delete(folder)
    command = [sys.executable, "-c", CONTAINER, str(tmp_path / "link"), NAMES[2]]
    assert SELF in subprocess.check_output(command, text=True, stdin=subprocess.DEVNULL)


@deleting
def test_an_orphan_keeps_a_lease_without_files(tmp_path: Path, delete: Delete) -> None:
    folder = tmp_path / "leases"
    lease = taken(folder)
    orphan = subprocess.Popen(["sleep", "300"], pass_fds=lease.fds)
    lease.close()
    delete(folder)
    assert SELF in str(take(folder, NAMES, ME))
    orphan.kill()
    orphan.wait()
    taken(folder)


@deleting
def test_an_audit_keeps_its_folder_without_files(
    tmp_path: Path, delete: Delete
) -> None:
    def lock(name: str, *, whole: bool) -> FolderLock:
        said = {"mig_lease_dir": "leases", "mig_lease_timeout": "0"}
        config, pair = config_of(tmp_path, **said), Pair(name, "server")
        queue = Queue(config.lease_dir, config.lease_timeout, "t", print)
        return lock_folder(queue, config.harness_dir, [pair], whole=whole)

    for ours, theirs in ((True, False), (False, True)):
        held = lock("dlrm", whole=ours)
        delete(tmp_path / "leases")
        with pytest.raises(DeviceError, match=SELF):
            lock("bert", whole=theirs)
        held.close()
        shutil.rmtree(tmp_path / "moved", ignore_errors=True)
        lock("bert", whole=theirs).close()
    held = lock("dlrm", whole=False)
    delete(tmp_path / "leases")
    lock("bert", whole=False).close()
    held.close()


def test_a_file_that_is_deleted_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    file = tmp_path / "GPU-1.lease"

    def late(fd: int, how: int) -> None:
        if not file.with_suffix(".was").exists():
            file.rename(file.with_suffix(".was"))
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", late)
    lease = taken(tmp_path, "GPU-1")
    assert os.fstat(lease.fds[-1]).st_ino == file.stat().st_ino


def test_without_sockets_the_files_are_witnesses_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket, "socket", refused)
    lease = taken(tmp_path)
    assert take(tmp_path, NAMES, ME) == str(ME)
    lease.close()
    assert holder_of(tmp_path, NAMES) is None


@deleting
def test_the_holder_makes_its_files_anew(tmp_path: Path, delete: Delete) -> None:
    folder = tmp_path / "leases"
    lease = taken(folder)
    assert lease.renew() == ()
    delete(folder)
    assert isinstance(take(folder, NAMES, ME), str)  # and leaves a file behind
    assert lease.renew() == tuple(folder / f"{name}.lease" for name in NAMES)
    assert take(folder, NAMES, ME) == str(ME) == holder_of(folder, NAMES)
    lease.close()
    taken(folder)


@pytest.mark.parametrize("gone", [False, True])
def test_the_holder_sees_who_leased_the_same_meanwhile(
    tmp_path: Path, gone: bool
) -> None:
    lease = taken(tmp_path)
    delete_files(tmp_path)
    with container(tmp_path, NAMES[1]) as other:
        if gone:
            other.communicate()
        deleted = f"{NAMES[1]}.lease was deleted while this run held it"
        with pytest.raises(DeviceError, match=f"{deleted}, and pid {other.pid}"):
            lease.renew()


@contextmanager
def session(lab: Lab, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run pytest until its main is under way, and end it in the end."""
    arguments = lab.arguments("-k", "dlrm_server", "--results-dir=first", *options)
    command = [sys.executable, "-mpytest", *arguments]
    with subprocess.Popen(
        command, cwd=lab.folder, text=True, stdout=subprocess.PIPE
    ) as process:
        try:
            until(lambda: any(lab.folder.glob("first/*/main/logs/fake_system")))
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("delete", [delete_files, move_away])
def test_a_session_does_not_start_beside_another(lab: Lab, delete: Delete) -> None:
    lab.fake(dlrm={"test": 4})
    with session(lab, "--background-benchmark-duration=6s") as first:
        delete(lab.folder / "leases")
        report = lab.run("--mig-lease-timeout=0")
        report.result.assert_outcomes(errors=1)
        assert f"is used by pid {first.pid} of " in report.case.problems["error"]
        assert not report.launches()
        printed, _ = first.communicate(timeout=60)
    assert first.returncode == 0, printed
    deleted = lab.folder / "leases" / f"{NAMES[0]}.lease"
    assert f"somebody deleted {deleted}" in printed


def test_a_session_that_was_not_alone_fails(lab: Lab) -> None:
    lab.fake(dlrm={"test": 15})
    with session(lab, "--background-benchmark-duration=20s") as first:
        os.kill(first.pid, signal.SIGSTOP)  # else it would make its files anew
        shutil.rmtree(lab.folder / "leases")
        with container(lab.folder / "leases", NAMES[1]) as other:
            os.kill(first.pid, signal.SIGCONT)
            printed, _ = first.communicate(timeout=60)
    assert first.returncode == 1
    assert f"and pid {other.pid} of {ME.user}" in printed
    assert "has leased the same since; expected to be alone on the GPU" in printed
